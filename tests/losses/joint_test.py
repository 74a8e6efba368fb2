"""Tests for the joint losses.

Expected values are worked out by hand, or by the formula in NumPy float64.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses
from tests import conformance
from tests.losses import cases

BOTH = pytest.mark.parametrize("loss_class", [losses.JointL1, losses.JointL2])


def close(got, wanted, atol=0.0):
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=atol)


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


@pytest.mark.parametrize(
    "truth, l1, l2",
    [
        pytest.param(
            [(3, -4, 1), (1, 0, 1)],
            (3 + 4 + 1) / 4,
            (9 + 16 + 1) / 4,
            id="all count",
        ),
        pytest.param(
            [(3, -4, 1), (9, 9, 0)],
            (3 + 4) / 2,
            (9 + 16) / 2,
            id="unlabelled not",
        ),
        pytest.param([(3, -4, 0), (9, 9, 0)], 0.0, 0.0, id="nobody costs 0"),
    ],
)
def test_golden_values(truth, l1, l2):
    points = np.zeros((1, 2, 2), "float32")
    close(losses.JointL1()(labels(truth), points), l1)
    close(losses.JointL2()(labels(truth), points), l2)


@pytest.mark.parametrize("unit", [1.0, 8.0])
@pytest.mark.parametrize(
    "loss_class, power", [(losses.JointL1, 1), (losses.JointL2, 2)]
)
def test_values_are_those_of_numpy(loss_class, power, unit):
    truth, points = random_case()
    visible = truth[..., 2:].astype("float64")
    error = abs(truth[..., :2].astype("float64") - points) / unit
    labelled = np.maximum(visible.sum(axis=(1, 2)), 1)
    expected = (visible * error**power).sum(axis=(1, 2)) / (2 * labelled)
    costs = loss_class(unit, reduction=None)(truth, points)
    close(costs, expected)
    close(loss_class(unit)(truth, points), expected.mean())


def test_people_count_alike_however_many_joints_they_have():
    truth = labels([(4, 4, 1), (4, 4, 1)], [(2, 2, 1), (9, 9, 0)])
    points = np.zeros((2, 2, 2), "float32")
    close(losses.JointL1()(truth, points), (4 + 2) / 2)
    close(losses.JointL2()(truth, points), (16 + 4) / 2)


def test_one_cost_per_person_without_a_reduction():
    truth = labels([(4, 4, 1), (4, 4, 1)], [(2, 2, 1), (9, 9, 0)])
    points = np.zeros((2, 2, 2), "float32")
    close(losses.JointL1(reduction=None)(truth, points), [4, 2])
    close(losses.JointL2(reduction=None)(truth, points), [16, 4])


def test_unit_is_what_counts_as_one():
    truth, points = random_case()
    cells = losses.JointL1(unit=8)(truth, points)
    close(cells * 8, losses.JointL1()(truth, points))
    cells = losses.JointL2(unit=8)(truth, points)
    close(cells * 8**2, losses.JointL2()(truth, points))


@pytest.mark.parametrize(
    "loss_class, slope",
    [
        pytest.param(losses.JointL1, np.sign, id="the sign"),
        pytest.param(losses.JointL2, lambda e: 2 * e, id="twice the error"),
    ],
)
def test_gradient_is_the_slope_over_what_was_labelled(loss_class, slope):
    truth, points = random_case()
    _, gradient = cases.value_and_gradient(loss_class(unit=8), truth, points)

    visible = truth[..., 2:].astype("float64")
    labelled = np.maximum(visible.sum(axis=1, keepdims=True), 1)
    error = (points.astype("float64") - truth[..., :2]) / 8
    expected = visible * slope(error) / (2 * labelled)
    close(gradient, expected / 8 / 3, atol=1e-7)
    assert not np.any(gradient[0])


@BOTH
def test_an_unlabelled_joint_may_lie_anywhere(loss_class):
    truth = labels([(1e30, -1e30, 0), (2, 2, 1)])
    value, gradient = cases.value_and_gradient(
        loss_class(), truth, np.ones((1, 2, 2), "float32")
    )
    assert value == 1  # both 2 - 1 and its square
    assert np.isfinite(gradient).all()


@BOTH
def test_an_unlabelled_joint_may_be_nan(loss_class):
    # Joint 0 is 2 px off in x and 0 in y: (2 + 0) / 2, or (2^2 + 0) / 2.
    truth = labels([(3, 5, 1), (np.nan, np.nan, 0)])
    points = np.array([[[5, 5], [7, 7]]], "float32")
    value, gradient = cases.value_and_gradient(loss_class(), truth, points)
    assert value == (1 if loss_class is losses.JointL1 else 2)
    assert np.isfinite(gradient).all() and not np.any(gradient[0, 1])


@BOTH
def test_nobody_labelled_costs_nothing(loss_class):
    truth, points = random_case()
    truth[..., 2] = 0
    value, gradient = cases.value_and_gradient(loss_class(), truth, points)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@BOTH
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_points_are_compared_in_float32(loss_class, dtype):
    truth, points = random_case()
    half = tf.cast(points, dtype)
    with conformance.policy(f"mixed_{dtype}"):
        loss = loss_class()(truth, half)
    assert loss.dtype == "float32"
    close(loss, loss_class()(truth, tf.cast(half, "float32")))


@BOTH
@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph(loss_class, jit_compile):
    truth, points = random_case()
    graph = tf.function(loss_class(unit=8), jit_compile=jit_compile)
    close(graph(truth, points), loss_class(unit=8)(truth, points))


@BOTH
def test_config_round_trip(loss_class):
    loss = loss_class(unit=8, reduction="sum", name="points")
    again = loss_class.from_config(loss.get_config())
    loaded = keras.losses.deserialize(keras.losses.serialize(loss))
    case = random_case()
    for other in (again, loaded):
        assert type(other) is loss_class
        assert other.get_config() == loss.get_config()
        assert other(*case) == loss(*case)


@BOTH
@pytest.mark.parametrize("joints", [2, 16])
def test_rejects_heatmaps(loss_class, joints):
    truth = np.zeros((1, joints, 3), "float32")
    heatmaps = np.zeros((1, 8, 8, joints), "float32")
    with pytest.raises(ValueError, match="did you pass the heat maps"):
        loss_class()(truth, heatmaps)


@BOTH
@pytest.mark.parametrize("unit", [0, -8])
def test_rejects_a_unit_that_is_not_positive(loss_class, unit):
    with pytest.raises(ValueError, match=rf"\. Received: unit={unit}$"):
        loss_class(unit)
