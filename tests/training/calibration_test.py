"""Tests for what is chosen after training."""

import keras
import numpy as np
import pytest
from scipy import special

import integral_tf
from integral_tf import layers
from integral_tf.training import calibration


def drawn(slope, offset, count=40_000):
    """Confidences, and hits with the chance that this calibration gives."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 0.98, count)
    chance = special.expit(slope * special.logit(confidence) + offset)
    return confidence, rng.random(count) < chance


@pytest.mark.parametrize("slope, offset", [(1, 0), (2.5, -1), (0.5, 3)])
def test_fit_finds_what_the_hits_were_drawn_with(slope, offset):
    found = calibration.fit(*drawn(slope, offset))
    # 40,000 coins: a standard error of about 0.02 each.
    np.testing.assert_allclose(found, (slope, offset), atol=0.15)


def test_calibrated_scores_are_the_shares_of_hits():
    confidence, hits = drawn(2.5, -1)
    before = calibration.calibration_error(confidence, hits)
    layer = layers.ScoreCalibration(*calibration.fit(confidence, hits))
    after = calibration.calibration_error(layer(confidence), hits)
    assert before > 0.1 > 0.02 > after


def test_the_error_is_the_gap_of_each_tenth():
    # By hand: 0.25 and 0.25 with one hit, gap 2 * (0.25 - 0.5); 0.9 and 1
    # with two, gap 0.1: together 0.6 of 4.
    error = calibration.calibration_error(
        [0.25, 0.25, 0.9, 1.0], [True, False, True, True]
    )
    assert error == pytest.approx(0.15)


def test_there_may_be_nothing_to_fit():
    assert calibration.fit([], []) == (1.0, 0.0)


@pytest.mark.parametrize("right", [True, False])
def test_nobody_is_certain_after_two_examples(right):
    # Platt's targets: of two examples that are right, 3 in 4.
    slope, offset = calibration.fit([0.5, 0.5], [right, right])
    chance = special.expit(slope * special.logit(0.5) + offset)
    assert chance == pytest.approx(0.75 if right else 0.25, abs=1e-3)


def test_surer_joints_never_become_less_sure():
    confidence = np.linspace(0.1, 0.9, 100)
    slope, _ = calibration.fit(confidence, confidence < 0.5)
    assert slope > 0


class Seen:
    """A validator whose people were seen already."""

    def __init__(self, model, confidence, hits):
        self.layer = model.get_layer("score_calibration")
        self.confidence, self.true_hits = confidence, hits

    def hits(self):
        return np.asarray(self.layer(self.confidence)), self.true_hits


def test_a_models_scores_are_calibrated_once_and_saved(tmp_path, capsys):
    model = integral_tf.pose_model(
        "I1", "resnet18", 3, 64, width=0.125, head_channels=8
    )
    validator = Seen(model, *drawn(2.5, -1))
    calibration.calibrate_scores(model, validator)
    layer = model.get_layer("score_calibration")
    first = layer.slope, layer.offset
    np.testing.assert_allclose(first, (2.5, -1), atol=0.15)
    # Again: of raw confidences, so the same.
    calibration.calibrate_scores(model, validator)
    np.testing.assert_allclose((layer.slope, layer.offset), first, atol=1e-3)
    assert "expected calibration error" in capsys.readouterr().out
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3))
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again(images)["scores"], model(images)["scores"], atol=1e-6
    )
