"""Tests for what an evaluation says of scores."""

import types

import cv2
import numpy as np
import pytest

from integral_tf import layers
from integral_tf.evaluation import predictions
from integral_tf.evaluation import reliability


@pytest.fixture
def seen():
    """People whose joints are off by what their confidence lacks, in heads.

    A joint is right where its confidence is 0.5 or more. The last person has
    no head.
    """
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.01, 0.99, (400, 3))
    truth = rng.uniform(0, 100, (400, 3, 2))
    joints = truth + [10.0, 0.0] * (1 - confidence[..., None])
    scores = layers.ScoreCalibration(2.0, 1.0)(confidence)
    return predictions.Predictions(
        joints=joints,
        scores=np.asarray(scores),
        truth=truth,
        visible=np.ones((400, 3)),
        head_size=np.append(np.full(399, 10.0), 0.0),
        box=np.full((400, 4), 100.0),
        box_score=np.ones(400),
        image_id=np.arange(400),
        source_id=np.full(400, b""),
    ), confidence[:399].ravel()


def model(*with_layers):
    return types.SimpleNamespace(layers=with_layers)


def test_calibration_is_taken_back(seen):
    seen, confidence = seen
    calibrated = layers.ScoreCalibration(2.0, 1.0)
    variants = reliability.variants(model(calibrated), seen)
    assert list(variants) == ["uncalibrated", "as_given", "cross_fitted"]
    np.testing.assert_allclose(variants["uncalibrated"], confidence, atol=1e-4)
    np.testing.assert_array_equal(
        variants["as_given"], seen.scores[:399].ravel()
    )
    assert "uncalibrated" not in reliability.variants(model(), seen)


def test_figures_are_of_heads(seen):
    seen, confidence = seen
    variants = reliability.variants(
        model(layers.ScoreCalibration(2.0, 1.0)), seen
    )
    figures = reliability.figures(seen, variants)
    # The error falls exactly as the score rises, whatever the calibration.
    assert figures["as_given"]["spearman"] == pytest.approx(-1)
    assert figures["uncalibrated"]["spearman"] == pytest.approx(-1)
    # Right from 0.5 on: a tenth's gap is its distance from 0 or 1, 0.25 in
    # the mean of a uniform confidence.
    expected = np.mean(np.minimum(confidence, 1 - confidence))
    error = figures["uncalibrated"]["calibration_error"]
    assert error == pytest.approx(expected, abs=1e-3)
    assert figures["cross_fitted"]["calibration_error"] < 0.05
    assert "| as given | -1.000 | " in reliability.table({"scores": figures})


def test_the_plot_is_drawn(seen, tmp_path):
    seen, _ = seen
    seen.joints[0, 0] = np.nan
    variants = reliability.variants(model(), seen)
    reliability.plot(seen, variants, tmp_path / "reliability.png")
    assert cv2.imread(str(tmp_path / "reliability.png")).std() > 5
