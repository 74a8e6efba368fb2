"""The flip test: average each person with its mirror image (Section 6.1)."""

import numpy as np
from keras import ops

from integral_tf import config
from integral_tf import coordinates


def flipped(model, skeleton):
    """Wraps a pose model so that it also looks at the mirror image.

    H1's heat maps are averaged and read once; points are averaged where the
    method returns points. Neither needs a shift: a mirrored pixel's centre is
    a pixel's centre (`coordinates`).

    Args:
        model: A `pose_model`.
        skeleton: The `skeletons.Skeleton` of its joints.

    Returns:
        A function from crops to the model's dict of outputs.
    """
    order = skeleton.mirrored_order

    def predict(images, training=False):
        straight = model(images, training=False)
        mirrored = model(ops.flip(images, axis=2), training=False)
        outputs = _averaged(straight, mirrored, order, model.input_shape[2])
        if "heatmaps" in straight:
            maps = ops.flip(mirrored["heatmaps"], axis=2)
            maps = _average(straight["heatmaps"], maps, order, 3)
            outputs["heatmaps"] = maps
            if any(layer.name == "argmax" for layer in model.layers):
                points = model.get_layer("argmax")(maps)
                outputs["joints"] = points["joints"]
                outputs["scores"] = points["confidence"]
        return outputs

    return predict


def flipped_artifact(network, skeleton):
    """Wraps one of `inference.backends` in the same way.

    Args:
        network: The backend. One that was exported with the flip test inside
            is returned as it is.
        skeleton: The `skeletons.Skeleton` of its joints.

    Raises:
        ValueError: its method averages heat maps, which an artifact has not.
    """
    if network.card.get("flip_test"):
        return network
    if network.card.get("method") in config.HEATMAP_METHODS:
        raise ValueError(
            "The flip test of H1, H2 and H3 averages heat maps, and an "
            "exported network gives points only: export it with --flip_test. "
            f"Received: a network of method {network.card['method']}"
        )

    def predict(images):
        straight, mirrored = network(images), network(images[:, :, ::-1].copy())
        outputs = _averaged(
            straight, mirrored, skeleton.mirrored_order, network.width
        )
        return {name: np.asarray(value) for name, value in outputs.items()}

    return predict


def _averaged(straight, mirrored, order, width):
    """Joints and scores of a person and of its mirror image, averaged."""
    points = mirrored["joints"]
    x = coordinates.mirror_x(points[..., :1], width)
    points = ops.concatenate([x, points[..., 1:]], axis=-1)
    return {
        "joints": _average(straight["joints"], points, order, 1),
        "scores": _average(straight["scores"], mirrored["scores"], order, 1),
    }


def _average(first, second, order, axis):
    return (first + ops.take(second, order, axis=axis)) / 2
