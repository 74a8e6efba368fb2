"""Tests for sampling-argmax, against NumPy float64."""

import keras
import numpy as np
import pytest

from integral_tf import losses
from tests import numpy_reference

STRIDE = 4


def case():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 6, 5, 3)).astype("float32")
    points = rng.uniform(0, 5, (2, 3, 2))
    crop = (points + 0.5) * STRIDE - 0.5
    labels = np.concatenate([crop, np.ones((2, 3, 1))], -1).astype("float32")
    return scores, points, labels


def test_equals_float64_with_the_same_noise():
    scores, points, labels = case()
    loss = losses.SamplingArgmax(
        STRIDE, 2.0, samples=7, temperature=0.4, seed=3, reduction=None
    )
    mass = numpy_reference.probabilities(scores, 2.0)
    costs = []
    for i, summed in enumerate([1, 2]):  # rows, then columns
        log = np.log(mass.sum(axis=summed)).transpose(0, 2, 1)
        length = log.shape[-1]
        share = np.asarray(
            loss.noise(labels[..., :2], length, 3 + i), np.float64
        )
        tilted = log[:, :, None] - np.log(-np.log(share[..., :length]))
        weights = numpy_reference.softmax(tilted / 0.4, axis=-1)
        drawn = weights @ np.arange(length) + share[..., length:].sum(-1) - 1
        costs.append(abs(drawn - points[..., i, None]).mean(axis=-1))
    expected = np.mean(costs, axis=0).mean(axis=1)
    np.testing.assert_allclose(loss(labels, scores), expected, rtol=1e-4)


def test_many_cold_samples_have_the_maps_expected_distance():
    # Without noise inside pixels the mean of |i - x|; a triangle of width 1
    # around each pixel i adds a mean that is summed here on a fine grid.
    scores, points, labels = case()
    loss = losses.SamplingArgmax(
        STRIDE, samples=20000, temperature=0.01, reduction=None
    )
    mass = numpy_reference.probabilities(scores)
    fine = np.linspace(-1, 1, 2001)
    tent = (1 - abs(fine)) / (1 - abs(fine)).sum()
    expected = np.zeros((2, 3))
    for i, summed in enumerate([1, 2]):
        shares = mass.sum(axis=summed)
        for b, k in np.ndindex(2, 3):
            place = np.arange(shares.shape[1])[:, None] + fine
            away = abs(place - points[b, k, i]) @ tent
            expected[b, k] += away @ shares[b, :, k] / 2
    got = loss(labels, scores)
    np.testing.assert_allclose(got, expected.mean(axis=1), rtol=0.02)


def test_a_config_keeps_it_and_bad_numbers_are_refused():
    loss = losses.SamplingArgmax(STRIDE, samples=5, seed=2)
    twin = keras.losses.deserialize(keras.losses.serialize(loss))
    assert twin.get_config() == loss.get_config()
    for name in ("samples", "temperature"):
        with pytest.raises(ValueError, match=f"Received: {name}=0"):
            losses.SamplingArgmax(STRIDE, **{name: 0})
