"""A model's layers that read maps: integrals, their beta, calibrations."""

from __future__ import annotations

import keras
import numpy as np

from integral_tf import layers
from integral_tf.signatures import ArrayLike


def integrals_of(model: keras.Model) -> list[layers.IntegralRegression]:
    """The model's `IntegralRegression` layers, in the order of its stages."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.IntegralRegression)
    ]


def set_beta(model: keras.Model, beta: float) -> None:
    """Sets beta, the factor on the scores, of every integral of a model."""
    for layer in integrals_of(model):
        layer.beta = beta


def scored(model: keras.Model, confidence: ArrayLike) -> np.ndarray:
    """Applies the model's score calibration to `(M,)` confidences."""
    for layer in score_layers(model):
        confidence = layer(confidence)
    return np.asarray(keras.ops.convert_to_numpy(confidence))


def score_layers(model: keras.Model) -> list[layers.ScoreCalibration]:
    """The model's `ScoreCalibration` layers; R1 has none."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.ScoreCalibration)
    ]


def covariance_layer(
    model: keras.Model | None,
) -> layers.CovarianceCalibration | None:
    """The model's last `CovarianceCalibration`; None if it has none."""
    found = [
        layer
        for layer in getattr(model, "layers", ())
        if isinstance(layer, layers.CovarianceCalibration)
    ]
    return found[-1] if found else None
