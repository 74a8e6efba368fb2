"""The convolutional network f of Section 3: ResNets, to conv5's features."""

import pathlib

import keras

from integral_tf.models import resnet18

_APPLICATIONS = {
    "resnet50": keras.applications.ResNet50,
    "resnet101": keras.applications.ResNet101,
}


def build(name, size, weights=None, width=1.0):
    """Builds a backbone on centred images.

    Args:
        name: `"resnet18"`, `"resnet50"` or `"resnet101"`.
        size: `(height, width)` of the images, which are BGR with ImageNet's
            mean subtracted.
        weights: None, `"imagenet"`, or the path of a `.weights.h5` file of
            this backbone without its classifier.
        width: Multiplies resnet18's channels.

    Returns:
        A `keras.Model` from images to conv5's features, 1/32 of their size.

    Raises:
        ValueError: unknown name, or an option that this backbone lacks.
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
        model = resnet18.resnet18((*size, 3), width)
    elif name in _APPLICATIONS:
        if width != 1.0:
            raise ValueError(
                "Only resnet18 comes in other widths. "
                f"Received: backbone={name!r}, width={width}"
            )
        model = _APPLICATIONS[name](
            include_top=False,
            input_shape=(*size, 3),
            weights="imagenet" if weights == "imagenet" else None,
        )
    else:
        raise ValueError(
            "`backbone` is one of resnet18, "
            f"{', '.join(_APPLICATIONS)}. Received: backbone={name!r}"
        )
    if weights not in (None, "imagenet"):
        _load(model, weights)
    return model


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
        # Keras's own message prints every variable that does not fit.
        raise ValueError(
            f"`weights` must hold {model.name} of this width, without its "
            "classifier, as `save_weights` writes it. "
            f"Received: weights={str(weights)!r}"
        ) from error
