"""Tests for the layer that makes a probability of a confidence."""

import math

import numpy as np
import pytest

from integral_tf import layers
from tests import conformance


@pytest.fixture
def confidence():
    rng = np.random.default_rng(0)
    return rng.uniform(0.05, 0.95, (2, 5)).astype("float32")


def test_conforms(confidence, tmp_path):
    conformance.check_layer(
        layers.ScoreCalibration(slope=2.0, offset=-1.0),
        confidence,
        expected_shape=(2, 5),
        tmp_path=tmp_path,
    )


def test_the_defaults_change_nothing(confidence):
    np.testing.assert_allclose(
        layers.ScoreCalibration()(confidence), confidence, atol=1e-6
    )
    ends = layers.ScoreCalibration()(np.float32([0, 1]))
    np.testing.assert_allclose(ends, [0, 1], atol=2e-6)


def test_is_platts_scaling_of_the_logit():
    # The logit of 0.8 is log 4; twice that, less 1.
    score = layers.ScoreCalibration(2.0, -1.0)(np.float32([0.8]))
    expected = 1 / (1 + math.exp(-(2 * math.log(4) - 1)))
    np.testing.assert_allclose(score, [expected], rtol=1e-5)


def test_surer_stays_surer():
    rising = np.linspace(0, 1, 50, dtype="float32")
    score = np.asarray(layers.ScoreCalibration(0.3, 2.0)(rising))
    assert (np.diff(score) > 0).all()


def test_refuses_a_falling_curve():
    with pytest.raises(ValueError, match="Received: slope=0"):
        layers.ScoreCalibration(slope=0)
