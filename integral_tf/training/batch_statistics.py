"""Batch normalisation in one operation for a training step.

Keras computes a batch's mean, variance and result one after another.
TensorFlow's `fused_batch_norm` reads the maps fewer times. It is given to the
layers of one model, so that the files of the model are as Keras writes them.
"""

from __future__ import annotations

import types
from typing import Any

import keras
import tensorflow as tf


def fuse(model: keras.Model) -> None:
    """Lets a model's batch normalisation train in one operation.

    Left as they are: layers of other data than float32 maps `(B, H, W, C)`,
    and those that take the statistics of all devices together.

    Args:
        model: The pose model.
    """
    for layer in model._flatten_layers():
        if _fits(layer):
            layer.call = types.MethodType(_call, layer)


def _fits(layer):
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.axis in (-1, 3)
        and layer.input_spec.ndim == 4
        and layer.compute_dtype == "float32"
        and layer.scale
        and layer.center
        and not layer.synchronized
    )


def _call(
    layer: keras.layers.BatchNormalization,
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    """The `call` of a layer; in inference, and if it is frozen, Keras's."""
    if mask is not None or not (training and layer.trainable):
        return type(layer).call(layer, inputs, training=training, mask=mask)
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs,
        layer.gamma.value,
        layer.beta.value,
        epsilon=layer.epsilon,
        is_training=True,
    )
    # This variance is divided by one less than the number of pixels.
    count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
    variance *= (count - 1) / count
    stays = layer.momentum
    for average, now in (
        (layer.moving_mean, mean),
        (layer.moving_variance, variance),
    ):
        average.assign(average * stays + now * (1 - stays))
    return outputs
