"""Tests for the losses of maps without a joint; worked out by hand."""

import keras
import numpy as np
import pytest

from integral_tf import losses
from tests.losses import cases

BOTH = pytest.mark.parametrize(
    "loss_class", [losses.EmptySquaredError, losses.EmptyCrossEntropy]
)


def marks(*absent):
    """Labels of one person whose joints are absent where 1."""
    return np.array([[(99, -99, each) for each in absent]], "float32")


def test_golden_values():
    maps = cases.empty(2, 3, joints=2)
    maps[0, 0, 1, 0], maps[0, 1, 2, 0] = 2, -1
    maps[..., 1] = 7
    cases.close(losses.EmptySquaredError()(marks(1, 0), maps), 4 + 1)
    cases.close(losses.EmptySquaredError()(marks(1, 1), maps), (5 + 6 * 49) / 2)
    # softplus(0) is log 2.
    flat = cases.empty(2, 3)
    cases.close(losses.EmptyCrossEntropy()(marks(1), flat), np.log(2))
    flat[0, 0, 0, 0] = 50  # surely near, and wrong by 50
    wanted = (50 + 5 * np.log(2)) / 6
    cases.close(losses.EmptyCrossEntropy()(marks(1), flat), wanted)


@BOTH
def test_whoever_is_there_costs_nothing(loss_class):
    maps = np.ones((1, 2, 3, 2), "float32")
    assert float(loss_class()(marks(0, 0), maps)) == 0


@BOTH
def test_a_step_against_the_gradient_lowers_every_maximum(loss_class):
    maps = np.random.default_rng(0).normal(2, 1, (2, 4, 5, 3))
    maps = maps.astype("float32")
    truth = np.concatenate([marks(1, 1, 0), marks(1, 0, 0)])
    _, gradient = cases.value_and_gradient(loss_class(), truth, maps)
    stepped = maps - 0.1 * np.asarray(gradient)
    fell = stepped.max(axis=(1, 2)) < maps.max(axis=(1, 2))
    np.testing.assert_array_equal(fell, truth[..., 2] > 0)


@BOTH
def test_the_order_of_axes_and_the_configuration(loss_class):
    maps = np.random.default_rng(0).normal(size=(1, 4, 5, 3)).astype("float32")
    loss = loss_class(data_format="channels_first")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    first = again(marks(1, 0, 1), maps.transpose(0, 3, 1, 2))
    cases.close(first, loss_class()(marks(1, 0, 1), maps))
