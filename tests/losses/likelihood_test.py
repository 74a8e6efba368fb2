"""Tests for the likelihoods under a map's covariance, against NumPy float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from integral_tf import losses
from tests import numpy_reference

STRIDE = 4


def maps(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 9, 7, 3)).astype("float32") * 2


def to_crop(points):
    return (points + 0.5) * STRIDE - 0.5


def labelled(points, visible=1.0):
    marks = np.full((*points.shape[:2], 1), visible)
    return np.concatenate([to_crop(points), marks], -1).astype("float32")


def moments(scores, beta):
    """Float64 expectations, and covariances with a pixel's own variance."""
    spread = numpy_reference.covariance(scores, beta) + np.eye(2) / 12
    return numpy_reference.joints(scores, beta), spread


@pytest.mark.parametrize("beta", [1.0, 3.0])
@pytest.mark.parametrize("density", ["gaussian", "laplace"])
def test_equals_float64(density, beta):
    scores, rng = maps(), np.random.default_rng(1)
    points = rng.uniform(0, 6, (2, 3, 2))
    middle, spread = moments(scores, beta)
    each = np.zeros((2, 3))
    for b, k in np.ndindex(2, 3):
        if density == "gaussian":
            normal = stats.multivariate_normal(middle[b, k], spread[b, k])
            each[b, k] = -normal.logpdf(points[b, k])
        else:
            away = points[b, k] - middle[b, k]
            q = away @ np.linalg.inv(spread[b, k]) @ away
            size = 2 * np.pi / 3 * np.sqrt(np.linalg.det(spread[b, k]))
            each[b, k] = -np.log(np.exp(-np.sqrt(3 * q)) / size)
    loss = losses.MapLikelihood(STRIDE, density, beta, reduction=None)
    got = loss(labelled(points), scores)
    np.testing.assert_allclose(got, each.mean(axis=1), rtol=1e-4)


def test_the_laplace_has_mass_1_and_the_maps_covariance():
    # Summed over a fine grid around a map of a slanted spread.
    scores = maps()[:1, ..., :1]
    middle, spread = moments(scores, 1.0)
    axis = np.linspace(-40, 40, 401)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 1, 1, 2)
    points = (middle + grid)[:, 0]
    loss = losses.MapLikelihood(STRIDE, "laplace", reduction=None)
    cost = loss(labelled(points), np.repeat(scores, len(points), axis=0))
    mass = np.exp(-np.asarray(cost, np.float64)) * (axis[1] - axis[0]) ** 2
    assert abs(mass.sum() - 1) < 0.01
    away = grid[:, 0, 0]
    found = np.einsum("n,nd,ne->de", mass, away, away)
    np.testing.assert_allclose(found, spread[0, 0], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("density", ["gaussian", "laplace"])
def test_a_sharp_right_map_costs_less_than_nothing(density):
    # A pixel's variance is 1/12, so the density at its middle is 12 / (2 pi)
    # or 18 / pi: above 1.
    scores = np.full((1, 9, 7, 1), -50.0, "float32")
    scores[0, 4, 3] = 50.0
    points = np.array([[[3.0, 4.0]]])
    size = {"gaussian": 12 / (2 * np.pi), "laplace": 18 / np.pi}[density]
    got = losses.MapLikelihood(STRIDE, density)(labelled(points), scores)
    np.testing.assert_allclose(got, -np.log(size), atol=2e-3)
    with tf.GradientTape() as tape:
        x = tf.constant(scores)
        tape.watch(x)
        cost = losses.MapLikelihood(STRIDE, density)(labelled(points), x)
    assert np.isfinite(tape.gradient(cost, x)).all()


def test_an_unlabelled_joint_costs_nothing_and_a_config_keeps_it():
    loss = losses.MapLikelihood(STRIDE, "laplace", 2.0)
    assert loss(labelled(np.ones((2, 3, 2)), 0.0), maps()) == 0
    twin = keras.losses.deserialize(keras.losses.serialize(loss))
    assert twin.get_config() == loss.get_config()


def test_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="Received: density='cauchy'"):
        losses.MapLikelihood(STRIDE, "cauchy")
    lines = np.zeros((1, 9, 2), "float32")
    with pytest.raises(ValueError, match="likelihood is that of pictures"):
        losses.MapLikelihood(STRIDE)(np.ones((1, 2, 2), "float32"), lines)
