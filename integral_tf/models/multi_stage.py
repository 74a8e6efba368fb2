"""The multi-stage heat-map network of Figure 1: MS-H and MS-I.

conv1 to conv3 run once. Every stage has its own conv4, conv5 and head. The
input of a later stage is conv3's features and the previous stage's maps.
"""

from __future__ import annotations

import keras
import numpy as np

from integral_tf import former
from integral_tf import layers
from integral_tf.models import backbone as backbones
from integral_tf.signatures import Tensor


def build(
    body: keras.Model,
    centred: Tensor,
    joints: int,
    *,
    upsamplings: int,
    channels: int,
    stages: int,
    pretrained: bool = False,
) -> list[Tensor]:
    """Builds the maps of every stage.

    Args:
        body: The backbone, from `backbone.build`; its conv4 and conv5 become
            the first stage's.
        centred: `(batch, height, width, 3)` symbolic, centred images.
        joints: Number K of joints.
        upsamplings: Upsamplings of each stage's `layers.HeatmapHead`.
        channels: Channels of each stage's `layers.HeatmapHead`.
        stages: Number of stages.
        pretrained: Whether later stages start from the weights of `body`, too.

    Returns:
        List of `(batch, h, w, K)` symbolic stacks of maps, stage by stage.
    """
    conv3 = body.get_layer(backbones.CONV3[body.name]).output
    shared = keras.Model(body.input, conv3, name="conv1_to_conv3")
    first = keras.Model(conv3, body.output, name="stage1_conv4_conv5")
    features = shared(centred)
    maps, inputs = [], features
    for stage in range(1, stages + 1):
        late = first
        if stage > 1:
            previous = _at_conv3(maps[-1], upsamplings, stage)
            inputs = keras.layers.Concatenate(name=f"stage{stage}_input")(
                [features, previous]
            )
            late = _later_stage(first, inputs, stage, pretrained)
        head = layers.HeatmapHead(
            joints, upsamplings, channels, name=f"stage{stage}_heatmap_head"
        )
        maps.append(head(late(inputs)))
    return maps


def _at_conv3(maps, upsamplings, stage):
    """Resizes maps to the size of conv3's features, 1/8 of the input.

    ours: the paper uses 2 upsamplings, with which no resizing is needed.
    """
    name = f"stage{stage}_maps"
    if upsamplings > 2:
        return keras.layers.AveragePooling2D(2 ** (upsamplings - 2), name=name)(
            maps
        )
    if upsamplings < 2:
        return keras.layers.UpSampling2D(
            2 ** (2 - upsamplings), interpolation="bilinear", name=name
        )(maps)
    return maps


def _later_stage(first, features, stage, pretrained):
    """The conv4 and conv5 of a later stage, on `features`."""
    inputs = keras.Input(features.shape[1:])
    clone = keras.models.clone_model(first, input_tensors=inputs)
    late = keras.Model(
        clone.input, clone.output, name=f"stage{stage}_conv4_conv5"
    )
    if pretrained:
        late.set_weights(
            [
                _with_channels(ours, theirs.shape)
                for ours, theirs in zip(first.get_weights(), late.weights)
            ]
        )
    return late


def _with_channels(weight, shape):
    """Pads a weight with 0 for further input channels, those of the maps.

    Each stage therefore starts equal to the first.
    """
    widened = np.zeros(shape, weight.dtype)
    widened[tuple(slice(length) for length in weight.shape)] = weight
    return widened


__getattr__ = former.names(__name__)
