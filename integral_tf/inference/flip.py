"""The flip test: average each person with its mirror image (Section 6.1)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from integral_tf import coordinates
from integral_tf import paper
from integral_tf import skeletons

MERGES = ("auto", "maps", "joints")
# The outputs that are decoded from heat maps.
READ = ("joints", "scores", "covariance")


def flipped(
    model: Any, skeleton: skeletons.Skeleton, merge: str = "auto"
) -> Callable:
    """Wraps a pose model, so that it averages over the mirror image.

    Neither way of averaging needs a shift, because the centre of a pixel falls
    on the centre of its mirrored pixel (`coordinates`). Mirrored maps with
    cells `"first"` are off by most of a cell; they are shifted by one cell, as
    Simple Baselines and MMPose do.

    Args:
        model: A `pose_model`.
        skeleton: The `skeletons.Skeleton` of its joints.
        merge: What is averaged. `"maps"` averages the heat maps and decodes
            the average; `"joints"` averages the points. `"auto"` takes maps
            for methods that read a maximum, and joints for the others. ours:
            the paper does not say.

    Returns:
        A function from crops to the model's dict of outputs.

    Raises:
        ValueError: `merge` has another value, or is `"maps"` for a model
            without heat maps.
    """
    import keras  # not for `flipped_artifact`

    from integral_tf import layers

    if merge not in MERGES or (
        merge == "maps" and "heatmaps" not in model.output
    ):
        raise ValueError(
            "A flip test averages maps, where a model has them, or joints, or "
            f"auto chooses. Received: merge={merge!r}, a model with "
            f"{', '.join(model.output)}"
        )
    # Those of SimCC read no maps.
    maxima = "heatmaps" in model.output and any(
        isinstance(x, layers.Argmax) for x in model.layers
    )
    shifts = any(getattr(x, "cells", "") == "first" for x in model.layers)
    read = None
    if merge == "maps" or (merge == "auto" and maxima):
        # The end of the model, from the heat maps on.
        read = keras.Model(
            model.output["heatmaps"],
            {name: model.output[name] for name in READ if name in model.output},
        )
    order = skeleton.mirrored_order

    def predict(images, training=False):
        straight = model(images, training=False)
        mirrored = model(keras.ops.flip(images, axis=2), training=False)
        width = model.input_shape[2]
        outputs = _averaged(keras.ops, straight, mirrored, order, width)
        if "heatmaps" in straight:
            maps = keras.ops.flip(mirrored["heatmaps"], axis=2)
            if shifts:
                maps = keras.ops.concatenate(
                    [maps[:, :, :1], maps[:, :, :-1]], 2
                )
            maps = _average(keras.ops, straight["heatmaps"], maps, order, 3)
            outputs |= {"heatmaps": maps, **(read(maps) if read else {})}
        return outputs

    return predict


def flipped_artifact(network: Any, skeleton: skeletons.Skeleton) -> Callable:
    """Wraps a backend of `inference.backends`; averages the points.

    Args:
        network: The backend, exported without the flip test.
        skeleton: The `skeletons.Skeleton` of its joints.

    Returns:
        A function from crops to a dict of `joints` and `scores`.

    Raises:
        ValueError: the network's method averages heat maps, which an artifact
            does not give.
    """
    if network.card.get("method") in paper.HEATMAP_METHODS:
        raise ValueError(
            "The flip test of H1, H2 and H3 averages heat maps, and an "
            "exported network gives points only: export it with --flip_test. "
            f"Received: a network of method {network.card['method']}"
        )

    def predict(images):
        straight, mirrored = network(images), network(images[:, :, ::-1].copy())
        order = skeleton.mirrored_order
        return _averaged(np, straight, mirrored, order, network.width)

    return predict


def _averaged(ops, straight, mirrored, order, width):
    """Averages the outputs for a crop and for its mirror image.

    Args:
        ops: `keras.ops` or NumPy, whichever made the outputs.
        straight, mirrored: Dicts of outputs.
        order: The skeleton's `mirrored_order`.
        width: Width of the crop in pixels.

    Returns:
        Dict of `joints`, `scores` and, if the model gives it, `covariance`.
    """
    points = mirrored["joints"]
    x = coordinates.mirror_x(points[..., :1], width)
    points = ops.concatenate([x, points[..., 1:]], axis=-1)
    back = {"joints": points, "scores": mirrored["scores"]}
    if "covariance" in straight:
        # Mirroring negates the covariance of x and y.
        turned = np.float32([[1, -1], [-1, 1]])
        back["covariance"] = ops.multiply(mirrored["covariance"], turned)
    return {
        name: _average(ops, straight[name], value, order, 1)
        for name, value in back.items()
    }


def _average(ops, first, second, order, axis):
    return (first + ops.take(second, order, axis=axis)) / 2
