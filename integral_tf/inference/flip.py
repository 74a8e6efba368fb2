"""The flip test: average each person with its mirror image (Section 6.1)."""

import keras
from keras import ops

from integral_tf import coordinates
from integral_tf import layers

MERGES = ("auto", "maps", "joints")


def flipped(model, skeleton, merge="auto"):
    """Wraps a pose model so that it also looks at the mirror image.

    Neither way of averaging needs a shift: a mirrored pixel's centre is a
    pixel's centre (`coordinates`).

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
    if merge not in MERGES or (
        merge == "maps" and "heatmaps" not in model.output
    ):
        raise ValueError(
            "A flip test averages maps, where a model has them, or joints, or "
            f"auto chooses. Received: merge={merge!r}, a model with "
            f"{', '.join(model.output)}"
        )
    reads_maximum = any(isinstance(x, layers.Argmax) for x in model.layers)
    read = None
    if merge == "maps" or (merge == "auto" and reads_maximum):
        # The end of the model, from its maps on.
        read = keras.Model(
            model.output["heatmaps"],
            {name: model.output[name] for name in ("joints", "scores")},
        )
    order = skeleton.mirrored_order
    width = model.input_shape[2]

    def predict(images):
        straight = model(images, training=False)
        mirrored = model(ops.flip(images, axis=2), training=False)
        outputs = {}
        if "heatmaps" in straight:
            outputs["heatmaps"] = average(
                straight["heatmaps"], ops.flip(mirrored["heatmaps"], axis=2), 3
            )
        if read:
            return {**outputs, **read(outputs["heatmaps"])}
        return {
            **outputs,
            "joints": (straight["joints"] + unmirror(mirrored["joints"])) / 2,
            "scores": average(straight["scores"], mirrored["scores"], 1),
        }

    def average(first, second, axis):
        return (first + ops.take(second, order, axis=axis)) / 2

    def unmirror(joints):
        x = coordinates.mirror_x(joints[..., :1], width)
        points = ops.concatenate([x, joints[..., 1:]], axis=-1)
        return ops.take(points, order, axis=1)

    return predict
