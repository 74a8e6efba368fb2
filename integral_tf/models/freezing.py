"""Freezes the first stages of a backbone."""

import math
import re

import keras

# A ResNet's stages begin at conv2, EfficientNet-Lite0's at stage1.
_STAGE = re.compile(r"(stem|pool1|conv(?P<conv>\d)|stage(?P<stage>\d))_")
_NAMED = re.compile(r"resnet\d+|efficientnet_lite0")


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
    running statistics of the pretrained weights. Stage s of a backbone other
    than a ResNet or EfficientNet-Lite0 is the layers whose features are
    1 / 2**(s + 1) of the image: 1/4 in the first, 1/32 in the fourth.

    Args:
        model: A `pose_model` of one stage of Figure 1.
        stages: Number of stages to freeze, after the first convolution, which
            is frozen, too; 0 freezes nothing.
    """
    if not stages:
        return
    network = body(model)
    named = _NAMED.fullmatch(network.name)
    numbers = _by_names(network) if named else _by_sizes(network)
    for layer in network.layers:
        norm = isinstance(layer, keras.layers.BatchNormalization)
        if norm or numbers.get(layer.name, stages + 1) <= stages:
            layer.trainable = False


def _by_names(network):
    """Dict from layers' names to the stages in them."""
    found = {each.name: _STAGE.match(each.name) for each in network.layers}
    return {
        name: int(match["stage"] or 0) or int(match["conv"] or 1) - 1
        for name, match in found.items()
        if match
    }


def _by_sizes(network):
    """Dict from layers' names to the stages that their features belong to."""
    height, numbers, at = network.input_shape[1], {}, {}
    nodes = network._nodes_by_depth
    for node in (n for depth in sorted(nodes)[::-1] for n in nodes[depth]):
        for tensor in node.output_tensors:
            shape = tensor.shape
            if len(shape) == 4 and shape[1:3] != (1, 1):
                number = round(math.log2(height / shape[1])) - 1
            else:  # pooled, to weigh the channels of its stage
                before = [at[id(each)] for each in node.input_tensors]
                number = max(before, default=0)
            at[id(tensor)] = numbers[node.operation.name] = max(number, 0)
    return numbers
