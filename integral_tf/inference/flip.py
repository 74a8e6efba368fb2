"""The flip test: average each person with its mirror image (Section 6.1)."""

import numpy as np

from integral_tf import coordinates
from integral_tf import paper

MERGES = ("auto", "maps", "joints")
# What is read from a network's maps.
READ = ("joints", "scores", "covariance")


def flipped(model, skeleton, merge="auto"):
    """Wraps a pose model so that it also looks at the mirror image.

    Neither way of averaging needs a shift: a mirrored pixel's centre is a
    pixel's centre (`coordinates`). Maps whose cells are `"first"` lie most of
    a cell off when mirrored, and are shifted by one, as their authors do.

    Args:
        model: A `pose_model`.
        skeleton: The `skeletons.Skeleton` of its joints.
        merge: What is averaged. `"maps"`: the heat maps, which are then read
            once; `"joints"`: the points. `"auto"` takes maps for methods that
            read a maximum, joints for others. ours: the paper does not say.

    Returns:
        A function from crops to the model's dict of outputs.

    Raises:
        ValueError: another `merge`, or maps of a model that has none.
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
    maxima = [x for x in model.layers if isinstance(x, layers.Argmax)]
    shifts = any(getattr(x, "cells", "") == "first" for x in model.layers)
    read = None
    if merge == "maps" or (merge == "auto" and maxima):
        # The end of the model, from its maps on.
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


def flipped_artifact(network, skeleton):
    """Wraps one of `inference.backends` in the same way.

    Args:
        network: The backend, exported without the flip test.
        skeleton: The `skeletons.Skeleton` of its joints.

    Raises:
        ValueError: its method averages heat maps, which an artifact has not.
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
    """What is read of a person and of its mirror image, averaged.

    Args:
        ops: `keras.ops`, or NumPy, as the outputs are of one or the other.
        straight, mirrored: Dicts of outputs.
        order: The skeleton's `mirrored_order`.
        width: Of the crop, in pixels.
    """
    points = mirrored["joints"]
    x = coordinates.mirror_x(points[..., :1], width)
    points = ops.concatenate([x, points[..., 1:]], axis=-1)
    back = {"joints": points, "scores": mirrored["scores"]}
    if "covariance" in straight:
        # In a mirror x and y vary together the other way round.
        turned = np.float32([[1, -1], [-1, 1]])
        back["covariance"] = ops.multiply(mirrored["covariance"], turned)
    return {
        name: _average(ops, straight[name], value, order, 1)
        for name, value in back.items()
    }


def _average(ops, first, second, order, axis):
    return (first + ops.take(second, order, axis=axis)) / 2
