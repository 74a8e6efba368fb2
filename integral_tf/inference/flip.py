"""The flip test: average each person with its mirror image (Section 6.1)."""

from keras import ops

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
    width = model.input_shape[2]

    def predict(images):
        straight = model(images, training=False)
        mirrored = model(ops.flip(images, axis=2), training=False)
        outputs = {
            "joints": (straight["joints"] + unmirror(mirrored["joints"])) / 2,
            "scores": average(straight["scores"], mirrored["scores"], 1),
        }
        if "heatmaps" in straight:
            maps = average(
                straight["heatmaps"], ops.flip(mirrored["heatmaps"], axis=2), 3
            )
            outputs["heatmaps"] = maps
            if any(layer.name == "argmax" for layer in model.layers):
                points = model.get_layer("argmax")(maps)
                outputs["joints"] = points["joints"]
                outputs["scores"] = points["confidence"]
        return outputs

    def average(first, second, axis):
        return (first + ops.take(second, order, axis=axis)) / 2

    def unmirror(joints):
        x = coordinates.mirror_x(joints[..., :1], width)
        points = ops.concatenate([x, joints[..., 1:]], axis=-1)
        return ops.take(points, order, axis=1)

    return predict
