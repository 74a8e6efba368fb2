"""Calibrates a trained model on the validation split: beta, and scores."""

import keras

from integral_tf import config as configs
from integral_tf import metrics
from integral_tf.evaluation import calibrate
from integral_tf.models import reading
from integral_tf.training.validation import Validator


def chooses_beta(config: configs.TrainConfig) -> bool:
    """Whether a run has an integral and its flags leave beta open."""
    integrates = config.method in (*configs.TWO_PHASE_METHODS, "I*")
    return integrates and not config.beta


def calibrate_scores(model: keras.Model, validator: Validator) -> None:
    """Makes a model's scores the probability that a joint is right.

    Prints the expected calibration error before and after, on the people of
    the fit.
    """
    found = reading.score_layers(model)
    if not found:
        return  # R1 has no scores.
    # Undoes an earlier calibration: the fit is to uncalibrated scores.
    for layer in found:
        layer.slope, layer.offset = 1.0, 0.0
    scores, hits = validator.hits()
    calibrate.fit_scores(model, scores, hits)
    before = metrics.calibration_error(scores, hits)
    after = metrics.calibration_error(reading.scored(model, scores), hits)
    print(f"scores: expected calibration error {before:.3f} -> {after:.3f}")
