"""Tests for H2's loss; those it shares with others are in heatmap_test.py.

Expected values are worked out by hand, or by NumPy in float64: with p the
softmax of a map and t its one-hot target, the cost is -log(p[t]) and its
gradient p - t.
"""

import math

import numpy as np
import pytest

from integral_tf import losses
from tests import numpy_reference
from tests.losses import cases

close = cases.close


def one_hot(truth, stride, height, width):
    """`(B, H, W, K)`: 1 at the pixel whose centre is nearest, by search."""
    square = cases.square_distances(truth, stride, height, width)
    return (square == square.min(axis=(1, 2), keepdims=True)).astype(float)


@pytest.mark.parametrize("height, width", [(6, 8), (64, 64), (1, 1)])
def test_a_flat_map_costs_the_log_of_its_size(height, width):
    truth = cases.labels([(20, 30, 1)])
    flat = np.full((1, height, width, 1), 3.0, "float32")
    cost = losses.OneHotCrossEntropy(stride=4)(truth, flat)
    close(cost, math.log(height * width), atol=1e-6)


def test_a_sharp_map_costs_nothing_where_right_and_its_height_where_wrong():
    # (13, 5) is cell (3, 1) at stride 4, whose middle is (13.5, 5.5).
    loss = losses.OneHotCrossEntropy(stride=4)
    scores = cases.empty(6, 8)
    scores[0, 1, 3, 0] = 50.0
    close(loss(cases.labels([(13, 5, 1)]), scores), 0, atol=1e-6)
    close(loss(cases.labels([(5, 13, 1)]), scores), 50)


def test_cost_of_two_pixels():
    scores = cases.empty(1, 2)
    scores[0, 0, 0, 0] = math.log(3)  # a map of (3/4, 1/4)
    loss = losses.OneHotCrossEntropy(stride=1)
    close(loss(cases.labels([(0, 0, 1)]), scores), math.log(4 / 3))
    close(loss(cases.labels([(1, 0, 1)]), scores), math.log(4))


@pytest.mark.parametrize(
    "point, cell",
    [
        pytest.param((13.5, 5.5), (3, 1), id="a cell's middle"),
        pytest.param((15.4, 3.6), (3, 1), id="just within its corner"),
        pytest.param((15.6, 3.4), (4, 0), id="just out of it"),
        pytest.param((-0.5, -0.5), (0, 0), id="the map's corner"),
        pytest.param((31.5, 23.5), (7, 5), id="the one across"),
        pytest.param((-40, 5), (0, 1), id="off the left"),
        pytest.param((13, 1e6), (3, 5), id="far below"),
        pytest.param((99, -99), (7, 0), id="off a corner"),
    ],
)
def test_pulls_up_the_pixel_nearest_to_the_joint(point, cell):
    # A flat map's softmax is 1 / 48 everywhere.
    _, gradient = cases.value_and_gradient(
        losses.OneHotCrossEntropy(stride=4),
        cases.labels([(*point, 1)]),
        cases.empty(6, 8),
    )
    expected = np.full((6, 8), 1 / 48)
    expected[cell[1], cell[0]] -= 1
    close(gradient[0, ..., 0], expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_value_and_gradient_in_closed_form(scale):
    truth, heatmaps = cases.random_case()
    heatmaps *= scale
    value, gradient = cases.value_and_gradient(
        losses.OneHotCrossEntropy(stride=4), truth, heatmaps
    )
    target = one_hot(truth, 4, 6, 8)
    probability = numpy_reference.probabilities(heatmaps)
    entropy = -(target * np.log(probability)).sum(axis=(1, 2))
    close(value, (entropy * cases.shares(truth)[:, 0, 0]).sum())
    apart = probability - target
    close(gradient, apart * cases.shares(truth), atol=1e-6)


def test_huge_scores_are_finite():
    # All mass on one pixel 2e4 above the joint's; then none lost.
    scores = np.full((1, 6, 8, 2), -1e4, "float32")
    scores[0, 5, 7] = 1e4
    truth = cases.labels([(1, 1, 1), (29.5, 21.5, 1)])
    value, gradient = cases.value_and_gradient(
        losses.OneHotCrossEntropy(stride=4), truth, scores
    )
    close(value, 2e4 / 2)
    expected = np.zeros((6, 8))
    expected[5, 7], expected[0, 0] = 0.5, -0.5  # half of the sample each
    close(gradient[0, ..., 0], expected, atol=1e-6)
    close(gradient[0, ..., 1], 0, atol=1e-6)
