"""Tests for DSNT's regularisers, against NumPy float64 and by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from integral_tf import losses
from tests import numpy_reference

SIDE, STRIDE = 16, 4
BOTH = [losses.GaussianDivergence, losses.VarianceError]


def blob(x, y, sigma):
    """A Gaussian over the pixels that sums to 1, float64."""
    rows, columns = np.indices((SIDE, SIDE))
    share = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return share / share.sum()


def truth(x, y):
    """`(1, 1, 3)` of a heat-map point, in the crop frame."""
    return np.array([[[(x + 0.5) * STRIDE - 0.5, (y + 0.5) * STRIDE - 0.5]]])


def labelled(*people):
    return np.concatenate(
        [np.concatenate([truth(x, y)[0], [[v]]], -1) for x, y, v in people]
    )[None].astype("float32")


def maps():
    return np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 2)) * 3


@pytest.mark.parametrize("divergence", ["js", "kl"])
def test_equals_float64(divergence):
    places = [(4.2, 9.0), (12.0, 3.7)]
    scores = maps()
    loss = losses.GaussianDivergence(STRIDE, 1.5, divergence=divergence)
    got = loss(labelled(*[(*p, 1) for p in places]), scores.astype("float32"))
    apart = []
    for k, place in enumerate(places):
        p = numpy_reference.softmax(scores[0, ..., k].ravel(), axis=0)
        q = blob(*place, 1.5).ravel()
        m = (p + q) / 2
        js = (stats.entropy(p, m) + stats.entropy(q, m)) / 2
        # Far from its centre a Gaussian of float64 is still above 0.
        apart.append(js if divergence == "js" else stats.entropy(p, q))
    np.testing.assert_allclose(got, np.mean(apart), rtol=1e-4)


@pytest.mark.parametrize("beta", [1.0, 8.0])
@pytest.mark.parametrize("divergence", ["js", "kl"])
def test_of_masked_pixels(divergence, beta):
    # Pixels of -inf, as a mask of padding makes them: NaN before.
    scores = maps().astype("float32")[..., :1]
    scores[:, :8] = -np.inf
    loss = losses.GaussianDivergence(STRIDE, 3.0, beta, divergence=divergence)
    scores = tf.constant(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        got = loss(labelled((4.2, 9.0, 1)), scores)
    p = numpy_reference.probabilities(scores.numpy(), beta).ravel()
    q = blob(4.2, 9.0, 3.0).ravel()
    m = q if divergence == "kl" else (p + q) / 2
    want = stats.entropy(p, m)
    if divergence == "js":
        want = (want + stats.entropy(q, m)) / 2
    np.testing.assert_allclose(got, want, rtol=1e-4)
    assert np.isfinite(tape.gradient(got, scores)).all()


@pytest.mark.parametrize("divergence", ["js", "kl"])
def test_is_zero_for_the_gaussian_itself(divergence):
    scores = np.log(blob(5.3, 8.0, 1.5))[None, ..., None]
    loss = losses.GaussianDivergence(STRIDE, 1.5, divergence=divergence)
    assert abs(float(loss(labelled((5.3, 8.0, 1)), scores))) < 1e-4
    # Half the scores and twice beta are the same map.
    loss = losses.GaussianDivergence(STRIDE, 1.5, 2.0, divergence=divergence)
    assert abs(float(loss(labelled((5.3, 8.0, 1)), scores / 2))) < 1e-4


def test_variance_of_two_pixels():
    # Halves at x = 4 and x = 10 of one row: variances 9 and 0, wanted 4 each.
    share = np.full((1, SIDE, SIDE, 1), 1e-30)
    share[0, 7, 4] = share[0, 7, 10] = 0.5
    loss = losses.VarianceError(STRIDE, sigma=2.0)
    got = loss(labelled((0, 0, 1)), np.log(share).astype("float32"))
    np.testing.assert_allclose(got, (9 - 4) ** 2 + (0 - 4) ** 2, rtol=1e-4)


@pytest.mark.parametrize(
    "make", [losses.GaussianDivergence, losses.VarianceError]
)
def test_what_is_not_labelled_costs_nothing(make):
    scores = maps().astype("float32")
    loss = make(STRIDE)
    both = labelled((3, 3, 1), (9, 9, 0))
    both[0, 1, :2] = np.nan
    alone = loss(both[:, :1], scores[..., :1])
    np.testing.assert_allclose(loss(both, scores), alone, rtol=1e-5)
    assert float(loss(labelled((3, 3, 0), (9, 9, 0)), scores)) == 0
    config = loss.get_config()
    assert make.from_config(config).get_config() == config


@pytest.mark.parametrize("scale", [0.0, 1e4])
@pytest.mark.parametrize(
    "make", [losses.GaussianDivergence, losses.VarianceError]
)
def test_huge_and_flat_maps_are_finite(make, scale):
    # A joint far off the map, too.
    scores = (scale * maps()).astype("float32")
    y = labelled((3, 3, 1), (90, -40, 1))
    assert np.isfinite(float(make(STRIDE)(y, scores)))


def test_trains_the_maps_towards_the_joint():
    scores = keras.Variable(np.zeros((1, SIDE, SIDE, 1), "float32"))
    loss = losses.GaussianDivergence(STRIDE)
    optimizer = keras.optimizers.Adam(0.3)
    for _ in range(60):
        with tf.GradientTape() as tape:
            cost = loss(labelled((11, 4, 1)), scores.value)
        optimizer.apply([tape.gradient(cost, scores.value)], [scores])
    peak = np.unravel_index(np.argmax(scores.numpy()), (SIDE, SIDE))
    assert peak == (4, 11)


def test_rejects_another_divergence():
    with pytest.raises(ValueError, match="Received: divergence='mse'"):
        losses.GaussianDivergence(STRIDE, divergence="mse")
