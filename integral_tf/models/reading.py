"""How a model reads its maps: its integrals, their beta, what scores mean."""

from __future__ import annotations

import keras
import numpy as np

from integral_tf import layers
from integral_tf.signatures import ArrayLike


def integrals_of(model: keras.Model) -> list[layers.IntegralRegression]:
    """The model's `IntegralRegression` layers, the last stage's last."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.IntegralRegression)
    ]


def set_beta(model: keras.Model, beta: float) -> None:
    """Gives every integral of a model this factor before the softmax."""
    for layer in integrals_of(model):
        layer.beta = beta


def scored(model: keras.Model, confidence: ArrayLike) -> np.ndarray:
    """`(M,)` confidences through the model's own calibration."""
    for layer in score_layers(model):
        confidence = layer(confidence)
    return np.asarray(keras.ops.convert_to_numpy(confidence))


def score_layers(model: keras.Model) -> list[layers.ScoreCalibration]:
    """The model's `ScoreCalibration`; R1 has none."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.ScoreCalibration)
    ]
