"""Freezes the first stages of a backbone."""

import re

import keras

# A ResNet's stages begin at conv2, EfficientNet-Lite0's at stage1.
_STAGE = re.compile(r"(stem|pool1|conv(?P<conv>\d)|stage(?P<stage>\d))_")


def body(model: keras.Model) -> keras.Model:
    """The backbone within a `pose_model` of one stage of Figure 1.

    Raises:
        ValueError: no backbone is found in the model.
    """
    bodies = [layer for layer in model.layers if hasattr(layer, "layers")]
    if len(bodies) != 1:
        raise ValueError(
            "A backbone's stages are frozen, or trained at a rate of their "
            "own, in a network with --stages=1. "
            f"Received: {model.name!r}, with {len(bodies)} backbones"
        )
    return bodies[0]


def freeze(model: keras.Model, stages: int) -> None:
    """Freezes the weights of a backbone's first stages, and all its statistics.

    All batch normalisations of the backbone run in inference mode, with the
    running statistics of the pretrained weights.

    Args:
        model: A `pose_model` of one stage of Figure 1.
        stages: Number of stages to freeze, after the first convolution, which
            is frozen, too; 0 freezes nothing.
    """
    if not stages:
        return
    for layer in body(model).layers:
        found = _STAGE.match(layer.name)
        number = found and (
            int(found["stage"] or 0) or int(found["conv"] or 1) - 1
        )
        norm = isinstance(layer, keras.layers.BatchNormalization)
        if norm or (found and number <= stages):
            layer.trainable = False
