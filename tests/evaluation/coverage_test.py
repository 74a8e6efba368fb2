"""Tests for the coverage of covariances."""

import types

import numpy as np
import pytest

from integral_tf import layers
from integral_tf.evaluation import coverage
from integral_tf.evaluation import predictions
from tests.evaluation import cases

# sqrt(-2 log(1 - share)) for shares of 0.4 and 0.6: 1.01 and 1.35.
APART = 1.2


def seen(offset, covariance):
    """Two joints, one of them not labelled, off by this from the truth."""
    return predictions.of_batch(
        {
            "to_image": np.tile(np.eye(2, 3), (10, 1, 1)),
            "joints": np.zeros((10, 2, 2)),
            "visible": np.tile([1, 0], (10, 1)),
            "head_size": np.ones(10),
            "image_boxes": np.ones((10, 4)),
            "box_score": np.ones(10),
            "image_id": np.arange(10),
            "source_id": np.full(10, b""),
        },
        np.zeros((10, 2, 2)) + offset,
        np.ones((10, 2)),
        np.tile(np.eye(2, 3), (10, 1, 1)),
        np.broadcast_to(covariance, (10, 2, 2, 2)),
    )


@pytest.mark.parametrize(
    "offset, covariance",
    [
        ((APART, 0), np.eye(2)),
        ((0, 3 * APART), np.diag([1, 9])),
        # Along (1, 1) the variance is 4, across it 1.
        ((2 * APART / 2**0.5, 2 * APART / 2**0.5), [[2.5, 1.5], [1.5, 2.5]]),
    ],
)
def test_an_error_of_1_2_sigma_is_in_ellipses_of_six_tenths(offset, covariance):
    found = coverage.coverage(seen(offset, covariance))
    assert found["0.4"] == 0 and found["0.6"] == 1
    assert list(found) == [f"{share:g}" for share in coverage.SHARES]


def test_the_models_calibration_gives_the_radius():
    # Heavy tails: half of the joints within 1.41 sigma (see the layer).
    heavy = layers.CovarianceCalibration(degrees=2.0)
    model = types.SimpleNamespace(layers=[heavy])
    assert coverage.coverage(seen((1.35, 0), np.eye(2)), model)["0.5"] == 1
    assert coverage.coverage(seen((1.35, 0), np.eye(2)))["0.5"] == 0


def test_a_map_of_one_pixel_and_a_joint_that_is_nowhere_are_counted():
    assert set(coverage.coverage(seen(1, np.zeros((2, 2)))).values()) == {0}
    assert set(coverage.coverage(seen(0, np.zeros((2, 2)))).values()) == {1}
    nowhere = coverage.coverage(seen(np.nan, np.eye(2)))
    assert set(nowhere.values()) == {0}


def test_without_covariances_nothing_is_said():
    truth = np.zeros((1, 2, 2))
    assert coverage.coverage(cases.predicted(truth, truth)) == {}
    unlabelled = seen(0, np.eye(2))
    unlabelled.visible = np.zeros((10, 2))
    assert coverage.coverage(unlabelled) == {}
