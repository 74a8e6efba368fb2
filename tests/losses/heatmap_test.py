"""Tests for the heat-map losses."""

import math

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses

BOTH = pytest.mark.parametrize(
    "loss_class", [losses.GaussianSquaredError, losses.GaussianCrossEntropy]
)


def close(got, wanted, rtol=1e-5, atol=0.0):
    np.testing.assert_allclose(got, wanted, rtol, atol)


def labels(*people):
    """People as lists of `(x, y, visible)` in the crop frame."""
    return np.array(people, "float32")


def empty(height, width, joints=1):
    return np.zeros((1, height, width, joints), "float32")


def random_case(people=3, joints=5, stride=4, height=6, width=8):
    rng = np.random.default_rng(0)
    size = (stride * width, stride * height, 1)
    truth = rng.uniform(0, size, (people, joints, 3))
    truth[..., 2] = rng.uniform(size=(people, joints)) < 0.6
    truth[0, :, 2] = 0  # nobody
    heatmaps = rng.normal(size=(people, height, width, joints))
    return truth.astype("float32"), heatmaps.astype("float32")


def gaussians(truth, stride, sigma, height, width):
    """Targets in float64, pixel by pixel."""
    people, joints, _ = truth.shape
    maps = np.empty((people, height, width, joints))
    for (b, y, x, k), _ in np.ndenumerate(maps):
        # The middle of cell (x, y), in crop pixels.
        across = truth[b, k, 0] - (stride * x + (stride - 1) / 2)
        down = truth[b, k, 1] - (stride * y + (stride - 1) / 2)
        square = (float(across) ** 2 + float(down) ** 2) / stride**2
        maps[b, y, x, k] = math.exp(-square / (2 * sigma**2))
    return maps


def softmax(scores):
    exp = np.exp(scores - scores.max(axis=(1, 2), keepdims=True))
    return exp / exp.sum(axis=(1, 2), keepdims=True)


def shares(truth):
    """What one unit of a joint's cost adds to the loss, `(B, 1, 1, K)`."""
    visible = truth[:, None, None, :, 2].astype("float64")
    labelled = np.maximum(visible.sum(axis=-1, keepdims=True), 1)
    return visible / labelled / len(truth)


def value_and_gradient(loss, truth, heatmaps):
    heatmaps = tf.constant(heatmaps)
    with tf.GradientTape() as tape:
        tape.watch(heatmaps)
        value = loss(truth, heatmaps)
    return value, tape.gradient(value, heatmaps)


def test_squared_error_of_two_pixels():
    # The Gaussian is 1 at its pixel and exp(-1/2) next to it.
    loss = losses.GaussianSquaredError(stride=1)
    truth = labels([(0, 0, 1)])
    close(loss(truth, empty(1, 2)), 1 + math.exp(-1))
    ones = np.ones((1, 1, 2, 1), "float32")
    close(loss(truth, ones), (1 - math.exp(-0.5)) ** 2)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_an_empty_map_costs_the_gaussians_energy(sigma):
    loss = losses.GaussianSquaredError(stride=8, sigma=sigma)
    cost = loss(labels([(127.5, 127.5, 1)]), empty(32, 32))
    close(cost, math.pi * sigma**2, rtol=1e-3)


@pytest.mark.parametrize("size", [8, 16])
def test_squared_error_does_not_depend_on_the_maps_size(size):
    loss = losses.GaussianSquaredError(stride=8, sigma=0.5)
    cost = loss(labels([(27.5, 27.5, 1)]), empty(size, size))
    big = loss(labels([(27.5, 27.5, 1)]), empty(64, 64))
    close(cost, big)


def test_the_right_map_costs_nothing():
    truth, _ = random_case()
    right = gaussians(truth, 4, 1.5, 6, 8).astype("float32")
    loss = losses.GaussianSquaredError(stride=4, sigma=1.5)
    close(loss(truth, right), 0, atol=1e-9)


@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_cross_entropy_of_a_flat_map_is_the_log_of_its_size(beta):
    loss = losses.GaussianCrossEntropy(stride=8, beta=beta)
    flat = np.full((1, 6, 8, 1), 3.0, "float32")
    cost = loss(labels([(20, 30, 1)]), flat)
    close(cost, math.log(6 * 8))


def test_cross_entropy_of_two_pixels():
    # Target (1, e) / (1 + e) with e = exp(-1/2), map (3/4, 1/4).
    loss = losses.GaussianCrossEntropy(stride=1, beta=2.0)
    scores = empty(1, 2)
    scores[0, 0, 0, 0] = math.log(3) / 2
    e = math.exp(-0.5)
    expected = -(math.log(3 / 4) + e * math.log(1 / 4)) / (1 + e)
    cost = loss(labels([(0, 0, 1)]), scores)
    close(cost, expected)


def test_cross_entropy_is_least_where_the_softmax_is_the_gaussian():
    truth, _ = random_case()
    truth[..., 2] = 1
    right = gaussians(truth, 4, 1.0, 6, 8)
    mass = right / right.sum(axis=(1, 2), keepdims=True)
    entropy = -(mass * np.log(mass)).sum(axis=(1, 2)).mean()
    loss = losses.GaussianCrossEntropy(stride=4, beta=10.0)
    value, gradient = value_and_gradient(
        loss, truth, (np.log(right) / 10).astype("float32")
    )
    close(value, entropy)
    close(gradient, 0, atol=1e-6)


def test_squared_errors_gradient_in_closed_form():
    truth, heatmaps = random_case()
    loss = losses.GaussianSquaredError(stride=4, sigma=1.5)
    _, gradient = value_and_gradient(loss, truth, heatmaps)
    apart = heatmaps - gaussians(truth, 4, 1.5, 6, 8)
    close(gradient, 2 * apart * shares(truth), atol=1e-6)


def test_cross_entropys_gradient_in_closed_form():
    truth, heatmaps = random_case()
    loss = losses.GaussianCrossEntropy(stride=4, sigma=1.5, beta=3.0)
    _, gradient = value_and_gradient(loss, truth, heatmaps)
    target = gaussians(truth, 4, 1.5, 6, 8)
    target /= target.sum(axis=(1, 2), keepdims=True)
    apart = softmax(3.0 * heatmaps.astype("float64")) - target
    close(gradient, 3 * apart * shares(truth), atol=1e-6)


@BOTH
def test_only_labelled_joints_cost(loss_class):
    loss = loss_class(stride=4)
    truth, heatmaps = random_case()
    truth[..., 2] = [1, 0, 1, 0, 0]
    kept = [0, 2]
    expected = loss(truth[:, kept], heatmaps[..., kept])
    close(loss(truth, heatmaps), expected)


@BOTH
def test_people_count_alike_however_many_joints_they_have(loss_class):
    truth, heatmaps = random_case()
    together = loss_class(stride=4, reduction=None)(truth, heatmaps)
    alone = [
        loss_class(stride=4)(truth[i : i + 1], heatmaps[i : i + 1])
        for i in range(len(truth))
    ]
    close(together, alone)
    assert together[0] == 0  # nobody of this person is labelled


@BOTH
def test_nobody_labelled_costs_nothing(loss_class):
    truth, heatmaps = random_case()
    truth[..., 2] = 0
    value, gradient = value_and_gradient(loss_class(stride=4), truth, heatmaps)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@BOTH
@pytest.mark.parametrize("visible", [0, 1])
def test_a_joint_far_outside_stays_finite(loss_class, visible):
    truth = labels([(1e6, -1e6, visible), (4, 4, 1)])
    _, heatmaps = random_case(people=1, joints=2)
    value, gradient = value_and_gradient(loss_class(stride=4), truth, heatmaps)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@BOTH
def test_half_precision_maps_are_compared_in_float32(loss_class):
    truth, heatmaps = random_case()
    half = heatmaps.astype("float16")
    loss = loss_class(stride=4)
    assert loss(truth, half).dtype == "float32"
    exact = loss(truth, half.astype("float32"))
    close(loss(truth, half), exact)


@pytest.mark.parametrize(
    "loss",
    [
        losses.GaussianSquaredError(4, sigma=2.0, reduction="sum"),
        losses.GaussianCrossEntropy(4, sigma=2.0, beta=10.0, name="maps"),
    ],
)
def test_config_round_trip(loss):
    again = type(loss).from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    case = random_case()
    assert again(*case) == loss(*case)


@BOTH
@pytest.mark.parametrize("stride, sigma", [(0, 1.0), (8, 0.0), (-8, 1.0)])
def test_rejects_sizes_that_are_not_positive(loss_class, stride, sigma):
    with pytest.raises(
        ValueError, match=f"Received: stride={stride}, sigma={sigma}"
    ):
        loss_class(stride, sigma)
