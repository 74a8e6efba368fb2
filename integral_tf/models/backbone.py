"""The convolutional network f of Section 3, to conv5's features."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import keras

from integral_tf.models import efficientnet_lite0
from integral_tf.models import resnet18
from integral_tf.signatures import Path

_APPLICATIONS = {
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
    name: str,
    size: Sequence[int],
    weights: Path | None = None,
    width_multiplier: float = 1.0,
    bottleneck_stride: str = "1x1",
) -> keras.Model:
    """Builds a backbone on centred images.

    Args:
        name: `"resnet18"`, `"resnet50"`, `"resnet101"`, `"resnet152"` or
            `"efficientnet_lite0"`.
        size: `(height, width)` of the images. They must be centred by the
            preprocessing of the weights.
        weights: None, `"imagenet"`, or the path of a `.weights.h5` file of
            this backbone without its classifier.
        width_multiplier: Multiplies resnet18's channels.
        bottleneck_stride: Which convolution of a stage's first bottleneck block
            has the stride. `"1x1"`: the first, as Keras's ImageNet weights
            were trained. `"3x3"`: the second, which gives the paper's counts
            of operations. `"pytorch"`: the second, padded by a pixel on every
            side, as in PyTorch's ResNets; Keras pads at the end only. The
            weights have the same shapes in all three. Not for ResNet-18, whose
            first convolution is 3 x 3.

    Returns:
        A `keras.Model` from images to conv5's features, 1/32 of their size.

    Raises:
        ValueError: an unknown name, or an option that this backbone lacks.
        FileNotFoundError: there is no such weights file.
    """
    weights = weights or None
    if name == "resnet18":
        if weights == "imagenet":
            raise ValueError(
                "Keras publishes no ImageNet weights for ResNet-18; give a "
                ".weights.h5 file, or take resnet50. "
                "Received: backbone='resnet18', weights='imagenet'"
            )
        model = resnet18.resnet18((*size, 3), width_multiplier)
    elif name == "efficientnet_lite0":
        if weights == "imagenet" or width_multiplier != 1.0:
            raise ValueError(
                "efficientnet_lite0 has one width, and its ImageNet weights "
                "are a file that experiments/import_lite0.py writes: give its "
                f"path. Received: weights={weights!r}, "
                f"width_multiplier={width_multiplier}"
            )
        model = efficientnet_lite0.efficientnet_lite0((*size, 3))
    elif name in _APPLICATIONS:
        if bottleneck_stride not in ("1x1", "3x3", "pytorch"):
            raise ValueError(
                "`bottleneck_stride` names the convolution that has the "
                "stride: '1x1', '3x3', or 'pytorch', the 3x3 as PyTorch pads. "
                f"Received: bottleneck_stride={bottleneck_stride!r}"
            )
        if width_multiplier != 1.0:
            raise ValueError(
                "Only resnet18 comes in other widths. "
                f"Received: backbone={name!r}, "
                f"width_multiplier={width_multiplier}"
            )
        model = _APPLICATIONS[name](
            include_top=False,
            input_shape=(*size, 3),
            weights="imagenet" if weights == "imagenet" else None,
        )
        if bottleneck_stride != "1x1":
            model = _with_strides_on_3x3(model, bottleneck_stride == "pytorch")
    else:
        raise ValueError(
            "`backbone` is one of efficientnet_lite0, resnet18, "
            f"{', '.join(_APPLICATIONS)}. Received: backbone={name!r}"
        )
    if weights not in (None, "imagenet"):
        _load(model, weights)
    return model


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


def _load(model, weights):
    path = pathlib.Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            "`weights` is None, 'imagenet' or a .weights.h5 file. "
            f"Received: weights={str(weights)!r}"
        )
    try:
        model.load_weights(path)
    except (ValueError, OSError) as error:
        # Keras's own message prints every variable of another shape.
        raise ValueError(
            f"`weights` must hold {model.name} of this width, without its "
            "classifier, as `save_weights` writes it. "
            f"Received: weights={str(weights)!r}"
        ) from error
