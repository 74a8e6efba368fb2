"""Tests for what the heat-map losses share, and for those to a Gaussian.

Expected values are worked out by hand, or by NumPy in float64 from the
target that `gaussians` writes pixel by pixel. The other two losses have
one_hot_test.py and binary_test.py.
"""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses
from tests import conformance
from tests import numpy_reference
from tests.losses import cases

close = cases.close
BOTH = pytest.mark.parametrize(
    "loss_class", [losses.GaussianSquaredError, losses.GaussianCrossEntropy]
)
EVERY = pytest.mark.parametrize(
    "loss_class",
    [
        losses.GaussianSquaredError,
        losses.GaussianCrossEntropy,
        losses.OneHotCrossEntropy,
        # At its own 15 pixels it would draw every far pixel of a small map.
        pytest.param(
            functools.partial(losses.BinaryCrossEntropy, radius=5.0),
            id="BinaryCrossEntropy",
        ),
    ],
)


def gaussians(truth, stride, sigma, height, width):
    """Targets `(B, H, W, K)` in float64."""
    square = cases.square_distances(truth, stride, height, width) / stride**2
    return np.exp(-square / (2 * sigma**2))


def test_squared_error_of_two_pixels():
    # The Gaussian is 1 at its pixel and exp(-1/2) next to it.
    loss = losses.GaussianSquaredError(stride=1)
    truth = cases.labels([(0, 0, 1)])
    close(loss(truth, cases.empty(1, 2)), 1 + math.exp(-1))
    ones = np.ones((1, 1, 2, 1), "float32")
    close(loss(truth, ones), (1 - math.exp(-0.5)) ** 2)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_an_empty_map_costs_the_gaussians_energy(sigma):
    loss = losses.GaussianSquaredError(stride=8, sigma=sigma)
    cost = loss(cases.labels([(127.5, 127.5, 1)]), cases.empty(32, 32))
    close(cost, math.pi * sigma**2, rtol=1e-3)


@pytest.mark.parametrize("size", [8, 16])
def test_squared_error_does_not_depend_on_the_maps_size(size):
    loss = losses.GaussianSquaredError(stride=8, sigma=0.5)
    truth = cases.labels([(27.5, 27.5, 1)])
    cost = loss(truth, cases.empty(size, size))
    big = loss(truth, cases.empty(64, 64))
    close(cost, big)


def test_the_right_map_costs_nothing():
    truth, _ = cases.random_case()
    right = gaussians(truth, 4, 1.5, 6, 8).astype("float32")
    loss = losses.GaussianSquaredError(stride=4, sigma=1.5)
    close(loss(truth, right), 0, atol=1e-9)


@pytest.mark.parametrize(
    "cells, point", [("middle", (21.5, 13.5)), ("first", (20, 12))]
)
def test_the_right_map_is_where_its_cells_are(cells, point):
    # A Gaussian on cell (5, 3) of stride 4.
    y, x = np.mgrid[:16, :16]
    maps = np.exp(-((x - 5) ** 2 + (y - 3) ** 2) / 2)[None, :, :, None]
    loss = losses.GaussianSquaredError(4, cells=cells)
    truth = np.array([[[*point, 1]]], "float32")
    assert float(loss(truth, maps.astype("float32"))) < 1e-9
    assert float(loss(truth + [1, 0, 0], maps.astype("float32"))) > 1e-2


@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_cross_entropy_of_a_flat_map_is_the_log_of_its_size(beta):
    loss = losses.GaussianCrossEntropy(stride=8, beta=beta)
    flat = np.full((1, 6, 8, 1), 3.0, "float32")
    cost = loss(cases.labels([(20, 30, 1)]), flat)
    close(cost, math.log(6 * 8))


def test_cross_entropy_of_two_pixels():
    # Target (1, e) / (1 + e) with e = exp(-1/2), map (3/4, 1/4).
    loss = losses.GaussianCrossEntropy(stride=1, beta=2.0)
    scores = cases.empty(1, 2)
    scores[0, 0, 0, 0] = math.log(3) / 2
    e = math.exp(-0.5)
    expected = -(math.log(3 / 4) + e * math.log(1 / 4)) / (1 + e)
    cost = loss(cases.labels([(0, 0, 1)]), scores)
    close(cost, expected)


def test_cross_entropy_is_least_where_the_softmax_is_the_gaussian():
    truth, _ = cases.random_case()
    truth[..., 2] = 1
    right = gaussians(truth, 4, 1.0, 6, 8)
    mass = right / right.sum(axis=(1, 2), keepdims=True)
    entropy = -(mass * np.log(mass)).sum(axis=(1, 2)).mean()
    loss = losses.GaussianCrossEntropy(stride=4, beta=10.0)
    value, gradient = cases.value_and_gradient(
        loss, truth, (np.log(right) / 10).astype("float32")
    )
    close(value, entropy)
    close(gradient, 0, atol=1e-6)


def test_squared_errors_gradient_in_closed_form():
    truth, heatmaps = cases.random_case()
    loss = losses.GaussianSquaredError(stride=4, sigma=1.5)
    _, gradient = cases.value_and_gradient(loss, truth, heatmaps)
    apart = heatmaps - gaussians(truth, 4, 1.5, 6, 8)
    close(gradient, 2 * apart * cases.shares(truth), atol=1e-6)


def test_cross_entropys_gradient_in_closed_form():
    truth, heatmaps = cases.random_case()
    loss = losses.GaussianCrossEntropy(stride=4, sigma=1.5, beta=3.0)
    _, gradient = cases.value_and_gradient(loss, truth, heatmaps)
    target = gaussians(truth, 4, 1.5, 6, 8)
    target /= target.sum(axis=(1, 2), keepdims=True)
    apart = numpy_reference.probabilities(heatmaps, 3.0) - target
    close(gradient, 3 * apart * cases.shares(truth), atol=1e-6)


@EVERY
def test_only_labelled_joints_cost(loss_class):
    loss = loss_class(stride=4)
    truth, heatmaps = cases.random_case()
    truth[..., 2] = [1, 0, 1, 0, 0]
    kept = [0, 2]
    expected = loss(truth[:, kept], heatmaps[..., kept])
    close(loss(truth, heatmaps), expected)


@EVERY
def test_an_unlabelled_joint_may_be_nan(loss_class):
    loss = loss_class(stride=4)
    truth, heatmaps = cases.random_case()
    truth[..., 2] = [1, 0, 1, 0, 0]
    expected = cases.value_and_gradient(loss, truth, heatmaps)
    truth[:, [1, 3, 4], :2] = np.nan
    value, gradient = cases.value_and_gradient(loss, truth, heatmaps)
    close(value, expected[0])
    np.testing.assert_array_equal(gradient, expected[1])
    assert not np.any(gradient[..., 1])


@EVERY
def test_people_count_alike_however_many_joints_they_have(loss_class):
    truth, heatmaps = cases.random_case()
    together = loss_class(stride=4, reduction=None)(truth, heatmaps)
    alone = [
        loss_class(stride=4)(truth[i : i + 1], heatmaps[i : i + 1])
        for i in range(len(truth))
    ]
    close(together, alone)
    assert together[0] == 0  # nobody of this person is labelled


@EVERY
def test_nobody_labelled_costs_nothing(loss_class):
    truth, heatmaps = cases.random_case()
    truth[..., 2] = 0
    value, gradient = cases.value_and_gradient(
        loss_class(stride=4), truth, heatmaps
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@EVERY
@pytest.mark.parametrize("visible", [0, 1])
def test_a_joint_far_outside_stays_finite(loss_class, visible):
    truth = cases.labels([(1e6, -1e6, visible), (4, 4, 1)])
    _, heatmaps = cases.random_case(people=1, joints=2)
    value, gradient = cases.value_and_gradient(
        loss_class(stride=4), truth, heatmaps
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@EVERY
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_maps_are_compared_in_float32(loss_class, dtype):
    truth, heatmaps = cases.random_case()
    half = tf.cast(heatmaps, dtype)
    with conformance.policy(f"mixed_{dtype}"):
        value, gradient = cases.value_and_gradient(
            loss_class(stride=4), truth, half
        )
    assert value.dtype == "float32"
    assert gradient.dtype == dtype
    exact = loss_class(stride=4)(truth, tf.cast(half, "float32"))
    close(value, exact)


@EVERY
@pytest.mark.parametrize(
    "shape, jit_compile",
    [
        pytest.param((3, 6, 8, 5), True, id="static, XLA"),
        pytest.param((None, 6, 8, 5), False, id="unknown batch"),
        pytest.param((None, None, None, None), False, id="unknown everything"),
    ],
)
def test_in_a_graph(loss_class, shape, jit_compile):
    loss = loss_class(stride=4)
    truth, heatmaps = cases.random_case()
    graph = tf.function(
        lambda truth, heatmaps: cases.value_and_gradient(loss, truth, heatmaps),
        input_signature=[
            tf.TensorSpec((shape[0], shape[3], 3)),
            tf.TensorSpec(shape),
        ],
        jit_compile=jit_compile,
    )
    value, gradient = graph(truth, heatmaps)
    expected = cases.value_and_gradient(loss, truth, heatmaps)
    close(value, expected[0])
    close(gradient, expected[1], atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        losses.GaussianSquaredError(
            4, sigma=2.0, reduction="sum", cells="first"
        ),
        losses.GaussianCrossEntropy(4, sigma=2.0, beta=10.0, name="maps"),
        losses.OneHotCrossEntropy(4, reduction="sum", name="pixel"),
        losses.BinaryCrossEntropy(4, radius=5.0, negatives=2, seed=7),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_config_round_trip(loss):
    case = cases.random_case()
    again = type(loss).from_config(loss.get_config())
    loaded = keras.losses.deserialize(keras.losses.serialize(loss))
    for other in (again, loaded):
        assert type(other) is type(loss)
        assert other.get_config() == loss.get_config()
        assert other(*case) == loss(*case)
    # And the case tells this loss from one with its defaults.
    assert loss(*case) != type(loss)(stride=8)(*case)


@EVERY
@pytest.mark.parametrize("stride", [0, -8])
def test_rejects_a_stride_that_is_not_positive(loss_class, stride):
    with pytest.raises(ValueError, match=rf"\. Received: stride={stride}$"):
        loss_class(stride)


@BOTH
@pytest.mark.parametrize("sigma", [0.0, -1.0])
def test_rejects_a_sigma_that_is_not_positive(loss_class, sigma):
    with pytest.raises(ValueError, match=rf"\. Received: sigma={sigma}$"):
        loss_class(8, sigma)
