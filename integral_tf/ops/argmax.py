"""A joint as the maximum of its heat map, Eq. (1)."""

from integral_tf.generation import ops
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
    return peaks(scores, spatial, find), ops.max(scores, axis=-1)


def peaks(scores, spatial, find=ops.argmax):
    """`argmax` of maps that are flat already.

    Args:
        scores: `(B, K, N)`.
        spatial: Spatial shape of the maps.
        find: As of `argmax`.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    index = find(scores, axis=-1)
    points = []
    for length in reversed(spatial):
        points.append(ops.cast(ops.mod(index, length), "float32"))
        index = ops.floor_divide(index, length)
    return ops.stack(points, axis=-1)


def near_peaks(scores, spatial, size, find=ops.argmax):
    """Leaves of each map a window around its maximum.

    So a second mode elsewhere in the map does not draw the joint: after the
    local refinement of SLEAP (Pereira et al., 2022).

    Args:
        scores: `(B, K, N)`.
        spatial: Spatial shape of the maps.
        size: Side of the window in heat-map pixels, odd.
        find: As of `argmax`.

    Returns:
        `(B, K, N)` scores, outside the window so low that no softmax sees them.
    """
    joints = ops.shape(scores)[1]
    maps = ops.reshape(scores, (-1, joints, *spatial))
    for apart in integral.offsets(peaks(scores, spatial, find), spatial):
        maps = ops.where(ops.abs(apart) <= size // 2, maps, -1e9)
    return ops.reshape(maps, ops.shape(scores))
