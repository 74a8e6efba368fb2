"""A Keras model as one of `backends`, on any backend of Keras."""

import numpy as np

from integral_tf import keras_version
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.inference import flip
from integral_tf.keras_version import keras
from integral_tf.models import reading


class Keras:
    """A Keras model; its outputs may include covariances and heat maps.

    Args:
        model: A `pose_model`, or a model with the same outputs.
        skeleton: A `skeletons.Skeleton` to apply the flip test; else None.
    """

    def __init__(
        self, model: keras.Model, skeleton: skeletons.Skeleton | None = None
    ) -> None:
        self.model = model
        self.height, self.width = model.input_shape[1:3]
        self.joints = model.output["joints"].shape[1]
        self.has_maps = "heatmaps" in model.output
        self.calibration = reading.covariance_layer(model)
        cells = {getattr(layer, "cells", "middle") for layer in model.layers}
        self.card = {"network": {"cells": "first"}} if "first" in cells else {}
        predict = with_covariance(model)
        if skeleton:
            predict = flip.flipped(predict, skeleton)
        if keras_version.BACKEND == "tensorflow":
            import tensorflow as tf

            predict = tf.function(predict, reduce_retracing=True)
        self.predict = predict

    def __call__(
        self, crops: np.ndarray, heatmaps: bool = False
    ) -> dict[str, np.ndarray]:
        outputs = self.predict(crops)
        # Maps are large: copied from a GPU only if asked for.
        wanted = (*flip.READ, *["heatmaps"] * heatmaps)
        return {
            name: keras.ops.convert_to_numpy(outputs[name])
            for name in wanted
            if name in outputs
        }


def with_covariance(model: keras.Model) -> keras.Model:
    """The model with an output `covariance`, if it has an integral."""
    integrals = reading.integrals_of(model)
    if not integrals or "heatmaps" not in model.output:
        return model
    if "covariance" in model.output:
        return model
    config = integrals[-1].get_config()
    config |= {
        "beta": integrals[-1].beta,
        "learn_beta": False,
        "covariance": True,
        "packed": False,
        "name": "covariance_of_heatmaps",
    }
    read = layers.IntegralRegression.from_config(config)
    spread = read(model.output["heatmaps"])["covariance"]
    return keras.Model(model.input, {**model.output, "covariance": spread})
