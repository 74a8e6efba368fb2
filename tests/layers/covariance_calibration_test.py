"""Tests for the layer that makes errors' spread of a map's covariance."""

import numpy as np
import pytest

from integral_tf import layers
from tests import conformance


@pytest.fixture
def covariance():
    roots = np.random.default_rng(0).normal(size=(2, 5, 2, 2))
    return (roots @ np.swapaxes(roots, -1, -2)).astype("float32")


def test_conforms(covariance, tmp_path):
    conformance.check_layer(
        layers.CovarianceCalibration(slope=2.0, offset=3.0, degrees=1.5),
        covariance,
        expected_shape=(2, 5, 2, 2),
        tmp_path=tmp_path,
    )


def test_the_defaults_change_nothing(covariance):
    np.testing.assert_array_equal(
        layers.CovarianceCalibration()(covariance), covariance
    )


def test_the_offset_is_the_same_in_every_direction():
    scale = layers.CovarianceCalibration(2.0, 3.0)(np.float32([[4, 1], [1, 2]]))
    np.testing.assert_allclose(scale, [[11, 2], [2, 7]])


@pytest.mark.parametrize("degrees", [1.5, 5.0, None])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_an_ellipse_holds_its_share(degrees, share):
    # Drawn by NumPy: a normal pair over the root of chi-square by degrees.
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(200_000, 2))
    if degrees:
        errors *= np.sqrt(degrees / rng.chisquare(degrees, (200_000, 1)))
    radius = layers.CovarianceCalibration(degrees=degrees).radius(share)
    inside = np.mean(np.linalg.norm(errors, axis=1) <= radius)
    assert inside == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(
    "name, value", [("slope", 0), ("offset", -1.0), ("degrees", 0)]
)
def test_refuses_what_is_no_scale(name, value):
    with pytest.raises(ValueError, match=f"Received: .*{name}={value}"):
        layers.CovarianceCalibration(**{name: value})
