"""EfficientNet-Lite0: B0's stages without squeeze-and-excitation, with ReLU6.

The seventh stage, which widens the features for a classifier, is left out. The
ImageNet weights are small enough for a wheel. Their licence, Apache-2.0, allows
redistribution.
"""

import keras
import numpy as np
from keras import layers

EPSILON = 1e-3
# Each stage's blocks, side of the kernel, stride, expansion and channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
)


def efficientnet_lite0(input_shape: tuple[int, int, int]) -> keras.Model:
    """Builds EfficientNet-Lite0 to its sixth stage.

    Args:
        input_shape: `(height, width, 3)` of the images.

    Returns:
        A `keras.Model` to 192 features, 1/32 of the input's size. Layers of
        stage s are called `stage{s}_block{b}_...`, s from 1 to 6, the first
        convolution `stem_conv`.
    """
    images = keras.Input(input_shape)
    x = layers.Conv2D(
        32, 3, strides=2, padding="same", use_bias=False, name="stem_conv"
    )(images)
    x = _norm(x, "stem")
    x = layers.ReLU(6, name="stem_relu")(x)
    for number, (blocks, side, stride, expansion, channels) in enumerate(
        STAGES, start=1
    ):
        for block in range(1, blocks + 1):
            x = _block(
                x,
                side,
                stride if block == 1 else 1,
                expansion,
                channels,
                f"stage{number}_block{block}",
            )
    return keras.Model(images, x, name="efficientnet_lite0")


def _block(x, side, stride, expansion, channels, name):
    """An inverted bottleneck with a depthwise convolution in the middle."""
    before = x
    if expansion != 1:
        wide = expansion * x.shape[-1]
        x = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(x)
        x = _norm(x, f"{name}_expand")
        x = layers.ReLU(6, name=f"{name}_expand_relu")(x)
    x = layers.DepthwiseConv2D(
        side,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _norm(x, f"{name}_depthwise")
    x = layers.ReLU(6, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(x)
    x = _norm(x, f"{name}_project")
    if x.shape != before.shape:
        return x
    return layers.Add(name=f"{name}_out")([before, x])


def _norm(x, name):
    return layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)


def assign(
    model: keras.Model, tensors: dict[str, np.ndarray], source: object
) -> None:
    """Assigns the weights of a PyTorch EfficientNet-Lite0.

    Args:
        model: A model of `efficientnet_lite0`.
        tensors: Arrays by name, as `efficientnet_lite_pytorch` names them:
            `_conv_stem.weight`, `_blocks.0._bn1.running_mean` and so on.
        source: Name of their file in an error.

    Raises:
        ValueError: a tensor is missing, or has another shape.
    """
    for layer in model.layers:
        values = [
            tensors.get(name) for name in _names(layer.name, layer.weights)
        ]
        values = [_turned(layer, value) for value in values]
        shapes = [tuple(each.shape) for each in layer.weights]
        if [getattr(value, "shape", None) for value in values] != shapes:
            raise ValueError(
                "The tensors are an EfficientNet-Lite0's of "
                f"efficientnet_lite_pytorch. Received: {str(source)!r}, "
                f"without those of {layer.name}, {shapes}"
            )
        layer.set_weights(values)


def _names(name, weights):
    """The names of a layer's weights in the PyTorch file."""
    if not weights:
        return []
    norm = name.endswith("_bn")
    if name.startswith("stem"):
        path = "_bn0" if norm else "_conv_stem"
    else:
        stage, block, part = name.removesuffix("_bn").split("_")
        place = sum(each[0] for each in STAGES[: int(stage[-1]) - 1])
        place += int(block.removeprefix("block")) - 1
        numbers = {"expand": 0, "depthwise": 1, "project": 2}
        inner = f"_bn{numbers[part]}" if norm else f"_{part}_conv"
        path = f"_blocks.{place}.{inner}"
    parts = ("weight", "bias", "running_mean", "running_var")
    return [f"{path}.{part}" for part in (parts if norm else parts[:1])]


def _turned(layer, value):
    """Transposes (out, in, height, width) kernels to Keras's order of axes."""
    if getattr(value, "ndim", 0) != 4:
        return value
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    return value.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
