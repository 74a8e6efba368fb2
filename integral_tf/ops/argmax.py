"""A joint as the maximum of its heat map, Eq. (1)."""

from keras import ops

from integral_tf.ops import integral


def argmax(heatmaps, data_format="channels_last", find=ops.argmax):
    """Reads each joint at the pixel with the largest score. Eq. (1).

    No shift by a quarter of a pixel is added; the paper mentions none.

    Args:
        heatmaps: `(B, H, W, K)` scores; any number of spatial dimensions.
        data_format: Where the joints' axis is.
        find: The array library's own argmax, of `(scores, axis)`.

    Returns:
        `(B, K, D)` float32 points `(x, y)` in the heat-map frame, and
        `(B, K)` float32 scores at them.
    """
    scores, spatial = integral.flatten_maps(heatmaps, data_format)
    index = find(scores, axis=-1)
    points = []
    for length in reversed(spatial):
        points.append(ops.cast(ops.mod(index, length), "float32"))
        index = ops.floor_divide(index, length)
    return ops.stack(points, axis=-1), ops.max(scores, axis=-1)
