"""Tests for NME, its failures and the area of its curve."""

import math

import numpy as np
import pytest

from integral_tf import metrics


def test_worked_by_hand():
    # Lengths 100 and 50; errors of 3, 5 and of 4 pixels, the last unlabelled:
    # 0.03 and 0.05 with mean 0.04, and 0.08.
    truth = np.zeros((2, 2, 2))
    predicted = np.float64([[[3, 0], [0, 5]], [[0, 4], [99, 0]]])
    visible = [[1, 2], [1, 0]]
    errors = metrics.normalised_errors(predicted, truth, visible, [100, 50])
    np.testing.assert_allclose(errors, [[0.03, 0.05], [0.08, np.nan]])
    found = metrics.nme(errors, threshold=0.1)
    assert found.nme == pytest.approx(6)
    assert found.failure_rate == 0 and found.people == 2
    # 1 - 0.4 and 1 - 0.8.
    assert found.auc == pytest.approx(40)
    tight = metrics.nme(errors, threshold=0.05)
    assert tight.failure_rate == 50
    assert tight.auc == pytest.approx(10)  # of 1 - 0.8, and 0
    np.testing.assert_array_equal(
        found.curve([0.03, 0.05, 0.07, 0.09]), [0, 50, 50, 100]
    )
    weighed = metrics.nme(errors, weights=[3, 1])
    np.testing.assert_allclose(weighed.each, [0.035, 0.08])


def test_agrees_with_loops():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 99, (60, 7, 2))
    predicted = truth + rng.normal(0, 3, truth.shape)
    visible = rng.integers(0, 3, (60, 7))
    visible[5] = 0
    lengths = rng.uniform(20, 60, 60)
    lengths[[3, 9]] = 0
    each = []
    for i in range(60):
        found = [
            math.dist(predicted[i, k], truth[i, k]) / lengths[i]
            for k in range(7)
            if visible[i, k] and lengths[i] > 0
        ]
        if found:
            each.append(sum(found) / len(found))
    errors = metrics.normalised_errors(predicted, truth, visible, lengths)
    result = metrics.nme(errors, threshold=0.08)
    assert result.people == len(each) == 57
    assert result.nme == pytest.approx(100 * sum(each) / len(each))
    failures = sum(error > 0.08 for error in each)
    assert result.failure_rate == pytest.approx(100 * failures / len(each))
    # The curve, summed at so many places that the sum is its area.
    places = np.linspace(0, 0.08, 100_001)
    assert result.auc == pytest.approx(result.curve(places).mean(), abs=1e-3)


def test_a_prediction_that_is_no_number_is_a_failure():
    errors = metrics.normalised_errors([[[np.nan, 0]]], [[[0, 0]]], [[1]], [9])
    found = metrics.nme(errors)
    assert (found.nme, found.failure_rate, found.auc) == (math.inf, 100, 0)
    # A joint of weight 0 does not count.
    both = metrics.nme([[math.inf, 0.02]], weights=[0, 1])
    assert both.nme == pytest.approx(2)


def test_nothing_known_is_no_number():
    found = metrics.nme([[np.nan, np.nan]])
    assert math.isnan(found.nme) and found.people == 0
    assert np.isnan(found.curve([0.1])).all()


def test_what_is_refused():
    with pytest.raises(ValueError, match="Errors want predicted and truth"):
        metrics.normalised_errors(
            np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), np.ones((2, 3)), [1]
        )
    with pytest.raises(ValueError, match="A failure is .* threshold=0"):
        metrics.nme([[0.1]], threshold=0)
