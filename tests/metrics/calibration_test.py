"""Tests for what scores mean."""

import numpy as np
import pytest
from scipy import special

from integral_tf import layers
from integral_tf import metrics
from integral_tf.metrics import fitting
from tests.metrics import cases


@pytest.mark.parametrize("slope, offset", [(1, 0), (2.5, -1), (0.5, 3)])
def test_platt_finds_what_the_hits_were_drawn_with(slope, offset):
    found = fitting.fit_platt(*cases.drawn(slope, offset))
    # 40,000 coins: a standard error of about 0.02 each.
    np.testing.assert_allclose(found, (slope, offset), atol=0.15)


def test_calibrated_scores_are_the_shares_of_hits():
    confidence, hits = cases.drawn(2.5, -1)
    before = metrics.calibration_error(confidence, hits)
    layer = layers.ScoreCalibration(*fitting.fit_platt(confidence, hits))
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
    assert fitting.fit_platt([], []) == (1.0, 0.0)


@pytest.mark.parametrize("right", [True, False])
def test_nobody_is_certain_after_two_examples(right):
    # Platt's targets: of two examples that are right, 3 in 4.
    slope, offset = fitting.fit_platt([0.5, 0.5], [right, right])
    chance = special.expit(slope * special.logit(0.5) + offset)
    assert chance == pytest.approx(0.75 if right else 0.25, abs=1e-3)


def test_surer_joints_never_become_less_sure():
    confidence = np.linspace(0.1, 0.9, 100)
    slope, _ = fitting.fit_platt(confidence, confidence < 0.5)
    assert slope > 0


def test_a_part_knows_its_count_mean_and_share():
    # By hand: 0.1 and 0.3 in the lower half, one right; 1 in the upper.
    counts, means, shares = metrics.reliability(
        [0.1, 0.3, 1.0], [True, False, True], bins=2
    )
    assert counts.tolist() == [2, 1]
    np.testing.assert_allclose(means, [0.2, 1.0])
    np.testing.assert_allclose(shares, [0.5, 1.0])
    _, empty, _ = metrics.reliability([0.1], [True], bins=2)
    assert np.isnan(empty).tolist() == [False, True]


def test_halves_keep_an_images_people_together():
    first, second = fitting.halves([7, 3, 7, 9, 3])
    # In order 3, 7, 9: every second is 7.
    assert second.tolist() == [True, False, True, False, False]
    assert (first == ~second).all()


def test_a_half_is_calibrated_by_the_other():
    # Where one half is right as often as it says, and the other never, each
    # has what the other's fit makes of it.
    confidence, hits = cases.drawn(1, 0)
    groups = np.arange(len(hits)) % 2
    hits &= groups == 0
    scores = fitting.cross_fitted(confidence, hits, groups)
    assert scores[groups == 0].max() < 0.01
    np.testing.assert_allclose(
        scores[groups == 1], confidence[groups == 1], atol=0.02
    )


def test_spearman_is_of_ranks():
    # By hand: ranks 1 2 3 4 against 4 3 1 2 differ by 3 1 2 2, and
    # 1 - 6 * 18 / (4 * 15) = -0.8.
    correlation = metrics.spearman([1, 2, 3, 4], [90, 8, 0.1, 7])
    assert correlation == pytest.approx(-0.8)
    assert metrics.spearman([1, 1, 1], [1, 2, 3]) == 0


@pytest.mark.parametrize("truth", [(2.0, 10.0, 1.5), (0.2, 30.0, 4.0)])
def test_student_t_finds_what_errors_were_drawn_with(truth):
    found = fitting.fit_student_t(*cases.drawn_errors(*truth))
    np.testing.assert_allclose(found, truth, rtol=0.15)


def test_gross_errors_do_not_widen_the_others():
    # Normal errors, and one in ten a hundred pixels off: the median of the
    # others is found, where their root mean square is three times too large.
    errors, covariances = cases.drawn_errors(1.0, 0.0, 1e6)
    size = np.linalg.norm(errors, axis=1)
    errors[::10] = 100.0, 0.0
    layer = layers.CovarianceCalibration(
        *fitting.fit_student_t(errors, covariances)
    )
    scale = np.linalg.det(np.asarray(layer(covariances))) ** 0.25
    predicted = np.median(layer.radius(0.5) * scale)
    assert predicted == pytest.approx(np.median(size), rel=0.25)
    assert np.sqrt((errors**2).mean()) > 3 * np.sqrt((size**2).mean() / 2)


def test_there_may_be_no_errors_to_fit():
    assert fitting.fit_student_t(np.zeros((0, 2)), np.zeros((0, 2, 2))) == (
        1.0, 0.0, None,
    )  # fmt: skip


def test_distances_are_in_standard_deviations():
    # By hand: 6 over a deviation of 3, then 4 over 2: root of 4 and 4.
    found = fitting.mahalanobis([[6.0, 4.0]], [[[9.0, 0.0], [0.0, 4.0]]])
    np.testing.assert_allclose(found, [8**0.5])
