"""Tests for 1 - OKS as a loss; the numbers follow from its formula."""

import math

import keras
import numpy as np
import pytest

from integral_tf import losses
from integral_tf.metrics import oks
from tests.losses import cases

# With a sigma of 0.5 and an area of 100, a joint at distance d costs
# 1 - exp(-d^2 / 200).
HALF, ONE = math.exp(-0.5), math.exp(-1)  # at distances 10 and 10 sqrt(2)


def people(seed=0):
    """Labels `(3, 5, 4)` with areas, and points; nobody is labelled first."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 30, (3, 5, 4)).astype("float32")
    truth[..., 2] = rng.uniform(200, 2000, (3, 1))
    truth[..., 3] = rng.random((3, 5)) < 0.6
    truth[0, :, 3] = 0
    return truth, rng.uniform(0, 30, (3, 5, 2)).astype("float32")


@pytest.mark.parametrize(
    "joints, wanted",
    [
        ([(5, 5, 100, 1), (7, 7, 100, 1)], 0),
        ([(15, 5, 100, 1), (7, 7, 100, 1)], 1 - (1 + HALF) / 2),
        ([(15, 15, 100, 2), (7, 7, 100, 0)], 1 - ONE),
        ([(15, 5, 0.1, 1), (9, 9, 0.1, 0)], 1),  # an area of 1: far away
        ([(15, 5, 100, 0), (9, 9, 100, 0)], 0),  # nobody costs 0
    ],
)
def test_worked_by_hand(joints, wanted):
    loss = losses.JointOKS([0.5, 0.5])
    points = np.array([[(5, 5), (7, 7)]], "float32")
    cases.close(loss(cases.labels(joints), points), wanted, atol=1e-6)


def test_the_cost_is_one_less_the_metric():
    truth, points = people()
    sigmas = [0.05, 0.1, 0.2, 0.3, 0.4]
    costs = losses.JointOKS(sigmas, reduction=None)(truth, points)
    similar = oks.similarity(
        points, truth[..., :2], truth[..., 3], truth[:, 0, 2], sigmas
    )
    cases.close(costs, np.nan_to_num(1 - similar), rtol=1e-4, atol=1e-5)
    weights = [0.0, 2.0, 1.0, 1.0, 0.5]
    # A person's loss is sum(weight * cost) / (labelled joints).
    weighed = losses.JointOKS(sigmas, reduction=None)(
        truth, points, np.tile(weights, (3, 1))
    )
    similar = oks.similarity(
        points, truth[..., :2], truth[..., 3], truth[:, 0, 2], sigmas,
        weights=weights,
    )  # fmt: skip
    visible = truth[..., 3]
    share = (visible @ weights) / np.maximum(visible.sum(axis=1), 1)
    wanted = np.nan_to_num(1 - similar) * share
    cases.close(weighed, wanted, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_of_the_formula():
    truth, points = people(seed=1)
    sigma = 0.3
    _, gradient = cases.value_and_gradient(
        losses.JointOKS([sigma] * 5), truth, points
    )
    # d/dp of 1 - exp(-d^2 / 2 v) is exp(-d^2 / 2 v) (p - t) / v, in float64.
    exact = truth.astype("float64")
    offset = points - exact[..., :2]
    v = exact[..., 2:3] * (2 * sigma) ** 2
    near = np.exp(-(offset**2).sum(-1, keepdims=True) / (2 * v))
    visible = exact[..., 3:]
    share = visible / np.maximum(visible.sum(axis=1, keepdims=True), 1) / 3
    cases.close(gradient, share * near * offset / v, rtol=1e-3, atol=1e-7)
    assert np.abs(gradient).max() > 1e-3


def test_far_away_is_flat_and_finite():
    truth = cases.labels([(0, 0, 100, 1)])
    for far in (1e3, 1e15, 3e38):
        value, gradient = cases.value_and_gradient(
            losses.JointOKS([0.05]), truth, np.full((1, 1, 2), far, "float32")
        )
        cases.close(value, 1)
        assert not np.asarray(gradient).any()


def test_half_precision_and_configuration():
    truth, points = people()
    loss = losses.JointOKS([0.1] * 5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.sigmas == loss.sigmas
    half = loss(truth, points.astype("float16"))
    assert keras.ops.dtype(half) == "float32"
    cases.close(again(truth, points), half, rtol=1e-2)


@pytest.mark.parametrize("sigmas", [[0.1, 0.0], [0.1, -1], [0.1, np.nan]])
def test_sigmas_are_positive(sigmas):
    with pytest.raises(ValueError, match="positive number for each joint"):
        losses.JointOKS(sigmas)


def test_other_shapes_are_refused():
    truth, points = people()
    with pytest.raises(ValueError, match="x, y, the person's area"):
        losses.JointOKS([0.1] * 5)(truth[..., :3], points)
    with pytest.raises(ValueError, match="a number for, here 4"):
        losses.JointOKS([0.1] * 4)(truth, points)
