"""Tests for the joint loss."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses


def labels(*people):
    """People as lists of `(x, y, visible)`."""
    return np.array(people, "float32")


def random_case(people=3, joints=5, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 64, (people, joints, 3))
    truth[..., 2] = rng.uniform(size=(people, joints)) < 0.6
    truth[0, :, 2] = 0  # nobody
    points = rng.uniform(0, 64, (people, joints, 2))
    return truth.astype("float32"), points.astype("float32")


def value_and_gradient(loss, truth, points):
    points = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = loss(truth, points)
    return value, tape.gradient(value, points)


@pytest.mark.parametrize(
    "truth, expected",
    [
        pytest.param([(3, -4, 1), (1, 0, 1)], (3 + 4 + 1) / 4, id="all count"),
        pytest.param([(3, -4, 1), (9, 9, 0)], (3 + 4) / 2, id="unlabelled not"),
        pytest.param([(3, -4, 0), (9, 9, 0)], 0.0, id="nobody costs 0"),
    ],
)
def test_golden_values(truth, expected):
    loss = losses.JointL1()(labels(truth), np.zeros((1, 2, 2), "float32"))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_people_count_alike_however_many_joints_they_have():
    truth = labels([(4, 4, 1), (4, 4, 1)], [(2, 2, 1), (9, 9, 0)])
    loss = losses.JointL1()(truth, np.zeros((2, 2, 2), "float32"))
    np.testing.assert_allclose(loss, (4 + 2) / 2)


def test_one_cost_per_person_without_a_reduction():
    truth = labels([(4, 4, 1), (4, 4, 1)], [(2, 2, 1), (9, 9, 0)])
    loss = losses.JointL1(reduction=None)
    costs = loss(truth, np.zeros((2, 2, 2), "float32"))
    np.testing.assert_allclose(costs, [4, 2])


def test_unit_is_what_counts_as_one():
    truth, points = random_case()
    cells = losses.JointL1(unit=8)(truth, points)
    np.testing.assert_allclose(cells * 8, losses.JointL1()(truth, points))


def test_gradient_is_the_sign_over_what_was_labelled():
    truth, points = random_case()
    _, gradient = value_and_gradient(losses.JointL1(unit=8), truth, points)

    visible = truth[..., 2:].astype("float64")
    labelled = np.maximum(visible.sum(axis=1, keepdims=True), 1)
    expected = visible * np.sign(points - truth[..., :2]) / (2 * labelled)
    np.testing.assert_allclose(gradient, expected / 8 / 3, atol=1e-7)
    assert not np.any(gradient[0])


def test_an_unlabelled_joint_may_lie_anywhere():
    truth = labels([(1e30, -1e30, 0), (2, 2, 1)])
    value, gradient = value_and_gradient(
        losses.JointL1(), truth, np.zeros((1, 2, 2), "float32")
    )
    assert value == 2
    assert np.isfinite(gradient).all()


def test_half_precision_points_are_compared_in_float32():
    truth, points = random_case()
    half = points.astype("float16")
    loss = losses.JointL1()(truth, half)
    assert loss.dtype == "float32"
    exact = losses.JointL1()(truth, half.astype("float32"))
    np.testing.assert_allclose(loss, exact, rtol=1e-6)


def test_config_round_trip():
    loss = losses.JointL1(unit=8, reduction="sum", name="points")
    again = losses.JointL1.from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    case = random_case()
    assert again(*case) == loss(*case)


@pytest.mark.parametrize("joints", [2, 16])
def test_rejects_heatmaps(joints):
    truth = np.zeros((1, joints, 3), "float32")
    heatmaps = np.zeros((1, 8, 8, joints), "float32")
    with pytest.raises(ValueError, match="did you pass the heat maps"):
        losses.JointL1()(truth, heatmaps)


def test_an_unlabelled_joint_may_be_nan():
    # Joint 0 is 2 px off in x and 0 in y: (2 + 0) / 2 = 1.
    truth = np.array([[[3.0, 5.0, 1.0], [np.nan, np.nan, 0.0]]], "float32")
    points = np.array([[[5.0, 5.0], [7.0, 7.0]]], "float32")
    assert float(losses.JointL1()(truth, points)) == 1.0
