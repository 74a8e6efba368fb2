"""A user's own network as a backbone: a Keras model, or a `.keras` file."""

import math
import os
import pathlib

import keras

from integral_tf.models import flat
from integral_tf.models import loading

# The backbone's name in a pose model.
NAME = "backbone"


def read(path: str | os.PathLike) -> keras.Model:
    """Reads a `.keras` file in Keras's safe mode, which runs no code of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or has layers of unknown classes.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            "`backbone` is a name, or the path of a .keras file, which a run "
            "needs until it has finished. "
            f"Received: backbone={str(path)!r}, which is no file"
        )
    return loading.opened(path)


def body(network: keras.Model, size: tuple[int, int]) -> keras.Model:
    """Copies a network up to its last feature map, with its weights.

    This is the smallest one that is at least 1/32 of the image: of the
    network's outputs, or, of a classifier, before its pooling.

    Args:
        network: A functional or sequential Keras model from one batch of RGB
            images; not changed.
        size: `(height, width)` of the images.

    Raises:
        ValueError: the network is none of these, or has no such map, or is
            bound to images of another size.
    """
    graph = getattr(network, "_functional", None) or network
    if not hasattr(graph, "_nodes_by_depth"):
        raise _refused(network, "it is written as a class")
    shapes = [tuple(each.shape) for each in graph.inputs]
    if len(shapes) != 1 or shapes[0][3:] != (3,):
        raise _refused(network, f"its inputs are {shapes}")
    maps = [m for m in keras.tree.flatten(graph.output) if _is_map(m)]
    if not maps:  # a classifier
        found = [op.output for op in graph.operations if not _begins(op)]
        maps = [m for m in found if _is_map(m)][-1:]
    if not maps:
        raise _refused(network, "none of its layers gives a map")
    try:
        copied = flat.copy(keras.Model(graph.inputs[0], maps), size, NAME)
    except Exception as error:  # layers raise what they like
        reason = str(error).strip().partition("\n")[0][:300]
        raise _refused(
            network, f"for {size[0]} x {size[1]}: {reason}"
        ) from error
    last = min(
        (m for m in copied.outputs if 32 * m.shape[1] >= size[0]),
        key=lambda m: math.prod(m.shape[1:3]),
        default=None,
    )
    if last is None:
        shapes = [tuple(each.shape) for each in copied.outputs]
        raise _refused(network, f"its maps are {shapes}, below 1/32")
    return keras.Model(copied.input, last, name=NAME)


def _begins(operation):
    return isinstance(operation, keras.layers.InputLayer)


def _is_map(value):
    """Whether a tensor is a map of more than one pixel, channels last."""
    shape = getattr(value, "shape", ())
    return len(shape) == 4 and shape[1:3] != (1, 1)


def _refused(network, why):
    return ValueError(
        "`backbone` may be a functional or sequential Keras model from RGB "
        "images (batch, height, width, 3) to features of at least 1/32 of "
        f"their size. Received: {network.name!r}: {why}"
    )
