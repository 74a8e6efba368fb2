"""Tests for differences of rows over seeds and people."""

import numpy as np
import pytest

from integral_tf.experiments import seeds


def test_the_difference_is_that_of_the_hits_that_both_have():
    # Joints known to both: five. Hits within 0.05: 3 against 1.
    ours = np.array([[[0.01, 0.2], [0.05, np.nan], [0.04, 0.06]]])
    theirs = np.array([[[0.06, 0.2], [0.01, 0.01], [0.2, 0.06]]])
    value, low, high = seeds.difference(ours, theirs, 0.05)
    assert value == pytest.approx(100 * (3 - 1) / 5)
    assert low <= value <= high


def test_the_interval_of_people_is_that_of_the_normal_approximation():
    # One joint each, one seed: a mean of N gains of -1, 0 or 1.
    rng = np.random.default_rng(0)
    ours, theirs = rng.uniform(size=(2, 1, 4000, 1))
    _, low, high = seeds.difference(ours, theirs, 0.6)
    gains = (ours <= 0.6).astype(float) - (theirs <= 0.6)
    wide = 2 * 1.96 * 100 * gains.std() / np.sqrt(gains.size)
    assert high - low == pytest.approx(wide, rel=0.08)


def test_seeds_that_differ_widen_the_interval():
    # All people of one seed gain, all of the other lose.
    ours = np.array([np.zeros((50, 1)), np.ones((50, 1))])
    value, low, high = seeds.difference(ours, 1 - ours, 0.5)
    assert (value, low, high) == (0.0, -100.0, 100.0)


def test_refuses_rows_of_other_people():
    with pytest.raises(ValueError, match=r"Received: \(1, 2, 3\) and"):
        seeds.difference(np.zeros((1, 2, 3)), np.zeros((1, 4, 3)), 0.1)
