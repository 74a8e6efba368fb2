"""ResNet-18 with the layer names of keras.applications, which lacks it.

He et al., "Deep Residual Learning for Image Recognition", Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

# That of keras.applications' ResNets.
EPSILON = 1.001e-5


def resnet18(
    input_shape: Sequence[int], width_multiplier: float = 1.0
) -> keras.Model:
    """Builds ResNet-18 without its classifier.

    Args:
        input_shape: `(height, width, 3)` of the images.
        width_multiplier: Multiplies the channels (64, 128, 256, 512).

    Returns:
        A `keras.Model` to conv5's features, 1/32 of the input's size. The last
        layers of its stages are `conv2_block2_out` to `conv5_block2_out`.
    """
    channels = [round(width_multiplier * c) for c in (64, 128, 256, 512)]
    images = keras.Input(input_shape)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = layers.Conv2D(channels[0], 7, strides=2, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, filters in enumerate(channels, start=2):
        x = _block(x, filters, 1 if stage == 2 else 2, f"conv{stage}_block1")
        x = _block(x, filters, 1, f"conv{stage}_block2")
    return keras.Model(images, x, name="resnet18")


def _block(x, filters, stride, name):
    """Two 3 x 3 convolutions beside a shortcut."""
    shortcut = x
    if stride != 1 or x.shape[-1] != filters:
        step = stride
        if stride == 2 and x.shape[-1] == 8:
            # With an odd number of images oneDNN's gradient of a strided 1 x 1
            # convolution of 8 channels writes past its memory.
            shortcut = layers.MaxPooling2D(1, stride, name=f"{name}_0_pool")(x)
            step = 1
        shortcut = layers.Conv2D(
            filters, 1, strides=step, name=f"{name}_0_conv"
        )(shortcut)
        shortcut = _norm(shortcut, f"{name}_0_bn")
    x = layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x)
    x = layers.Conv2D(filters, 3, strides=stride, name=f"{name}_1_conv")(x)
    x = _norm(x, f"{name}_1_bn")
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _norm(x, f"{name}_2_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _norm(x, name):
    return layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
