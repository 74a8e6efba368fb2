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


def reread(model: keras.Model, by: str, sigma: float) -> keras.Model:
    """The model with joints that are read from the same maps in another way.

    Scores stay as they are.

    Args:
        model: A pose model.
        by: `"argmax"`, the maximum (Eq. 1); `"shift"`, the maximum and a
            quarter of a pixel; `"dark"`, the maximum of a Gaussian
            (`ops.dark`); `"integral"`, the expectation (Eq. 8). Empty keeps
            the model.
        sigma: Standard deviation of the Gaussians that the maps were trained
            on, in heat-map pixels.

    Raises:
        ValueError: the model has no maps, or maps that have no expectation.
    """
    readers = [
        layer
        for layer in model.layers
        if isinstance(layer, (layers.Argmax, layers.IntegralRegression))
    ]
    if not by:
        return model
    if not readers or "heatmaps" not in model.output:
        raise ValueError(
            "A network without heat maps, as of R1 and SimCC, has no maps to "
            f"read in another way. Received: --read_by={by}, and the outputs "
            f"{', '.join(model.output)}"
        )
    own, maps = readers[-1], model.output["heatmaps"]
    integrates = isinstance(own, layers.IntegralRegression)
    if by == "integral" and integrates:
        return model
    activation = "softmax" if integrates else own.activation
    if by != "integral":
        if integrates:
            maps = keras.ops.multiply(maps, own.beta)
        read = layers.Argmax(
            own.stride,
            activation,
            cells=own.cells,
            refinement={"argmax": "none"}.get(by, by),
            sigma=sigma,
            name=f"read_by_{by}",
        )
        return _with_joints(model, read(maps)["joints"])
    if activation != "softmax":
        raise ValueError(
            "The maps of H1 and H3 are integrated with a beta that is chosen "
            "first: train --method=I1 --init_from=RUN --epochs=0 makes such a "
            f"run of this one. Received: --read_by={by}"
        )
    read = layers.IntegralRegression(
        own.stride, cells=own.cells, name=f"read_by_{by}"
    )
    return _with_joints(model, read(maps))


def _with_joints(model, joints):
    return keras.Model(model.input, {**model.output, "joints": joints})


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
