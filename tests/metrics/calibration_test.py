"""Tests for what scores mean."""

import numpy as np
import pytest
from scipy import special

from integral_tf import layers
from integral_tf import metrics


def drawn(slope, offset, count=40_000):
    """Confidences, and hits with the chance that this calibration gives."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 0.98, count)
    chance = special.expit(slope * special.logit(confidence) + offset)
    return confidence, rng.random(count) < chance


@pytest.mark.parametrize("slope, offset", [(1, 0), (2.5, -1), (0.5, 3)])
def test_platt_finds_what_the_hits_were_drawn_with(slope, offset):
    found = metrics.platt(*drawn(slope, offset))
    # 40,000 coins: a standard error of about 0.02 each.
    np.testing.assert_allclose(found, (slope, offset), atol=0.15)


def test_calibrated_scores_are_the_shares_of_hits():
    confidence, hits = drawn(2.5, -1)
    before = metrics.calibration_error(confidence, hits)
    layer = layers.ScoreCalibration(*metrics.platt(confidence, hits))
    after = metrics.calibration_error(layer(confidence), hits)
    assert before > 0.1 > 0.02 > after


def test_the_error_is_the_gap_of_each_tenth():
    # By hand: 0.25 and 0.25 with one hit, gap 2 * (0.25 - 0.5); 0.9 and 1
    # with two, gap 0.1: together 0.6 of 4.
    error = metrics.calibration_error(
        [0.25, 0.25, 0.9, 1.0], [True, False, True, True]
    )
    assert error == pytest.approx(0.15)


def test_there_may_be_nothing_to_fit():
    assert metrics.platt([], []) == (1.0, 0.0)


@pytest.mark.parametrize("right", [True, False])
def test_nobody_is_certain_after_two_examples(right):
    # Platt's targets: of two examples that are right, 3 in 4.
    slope, offset = metrics.platt([0.5, 0.5], [right, right])
    chance = special.expit(slope * special.logit(0.5) + offset)
    assert chance == pytest.approx(0.75 if right else 0.25, abs=1e-3)


def test_surer_joints_never_become_less_sure():
    confidence = np.linspace(0.1, 0.9, 100)
    slope, _ = metrics.platt(confidence, confidence < 0.5)
    assert slope > 0
