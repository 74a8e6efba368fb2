"""The networks of keras.applications as backbones.

Their preprocessing, which some of them begin with, is cut off: it is that of
the pose model (`layers.ImageNetNormalization`).
"""

import inspect

import keras

from integral_tf.models import flat

_PREPROCESSING = (keras.layers.Rescaling, keras.layers.Normalization)
# ours: the most of batch normalisation's momentum; Keras's default. Its
# MobileNetV2, MobileNetV3 and NASNets have 0.999 and more.
_MOMENTUM = 0.99


def whole(
    name: str,
    size: tuple[int, int],
    imagenet: bool,
    width_multiplier: float,
) -> keras.Model:
    """Builds a network as Keras does, without its classifier.

    Args:
        name: A name of keras.applications.
        size: `(height, width)` of the images.
        imagenet: Whether it gets Keras's ImageNet weights, which are downloaded
            where they are not in Keras's cache.
        width_multiplier: Multiplies a MobileNet's channels.

    Raises:
        ValueError: the network has one width, or Keras refuses this size or
            width.
    """
    make = getattr(keras.applications, name)
    options = {}
    if "include_preprocessing" in inspect.signature(make).parameters:
        options["include_preprocessing"] = False
    if "alpha" in inspect.signature(make).parameters:
        options["alpha"] = width_multiplier
    elif width_multiplier != 1.0:
        raise one_width(name, width_multiplier)
    try:
        return make(
            include_top=False,
            input_shape=(*size, 3),
            weights="imagenet" if imagenet else None,
            **options,
        )
    except ValueError as error:
        raise ValueError(
            f"Keras does not build {name} for images of {size[0]} x {size[1]}"
            f", width_multiplier={width_multiplier}: {error}"
        ) from error


def body(network: keras.Model, size: tuple[int, int], name: str) -> keras.Model:
    """Copies a network of `whole` without its preprocessing.

    Batch normalisation whose averages follow a training too slowly gets a
    momentum of 0.99.

    Args:
        network: The network.
        size: `(height, width)` of the images.
        name: Its name; the copy has it in small letters.
    """
    first = [
        layer.output
        for layer in network.layers
        if isinstance(layer, _PREPROCESSING)
    ]
    start = first[-1] if first else network.input
    part = keras.Model(start, network.output)
    copy = flat.copy(part, size, name.lower())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, _MOMENTUM)
    return copy


def one_width(name: str, width_multiplier: float) -> ValueError:
    """The error of another width of a network that has only one."""
    return ValueError(
        "Only resnet18 and the MobileNets come in other widths than "
        "`width_multiplier=1`, which a preset may have changed. "
        f"Received: backbone={name!r}, width_multiplier={width_multiplier}"
    )
