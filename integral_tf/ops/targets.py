"""Ground-truth heat maps of Section 3."""

from integral_tf.generation import ops


def gaussians(points, height, width, sigma=1.0):
    """A Gaussian with peak 1 around each joint: H1's target, sigma = 1.

    ours: the centre is where the joint is, not the nearest pixel, so that the
    map's mean is the joint.

    Args:
        points: `(B, K, 2)` x, y in the heat-map frame.
        height, width: Size of the map.
        sigma: Standard deviation in heat-map pixels.

    Returns:
        `(B, height, width, K)` float32.
    """
    points = ops.cast(points, "float32")
    x = _bump(points[..., 0], width, sigma)[:, None, :, :]
    y = _bump(points[..., 1], height, sigma)[:, :, None, :]
    return ops.multiply(x, y)


def nearest_pixel(points, height, width):
    """The pixel of a joint, H2's one-hot target, as an index into the map.

    Args:
        points: `(B, K, 2)` x, y in the heat-map frame; one outside the map
            takes the nearest pixel of its border.
        height, width: Size of the map.

    Returns:
        `(B, K)` int32, row by row as `integral.flatten_maps` lays maps out.
    """
    points = ops.round(ops.cast(points, "float32"))
    # The size as a float, because it may be a tensor.
    x = ops.clip(points[..., 0], 0.0, ops.cast(width - 1, "float32"))
    y = ops.clip(points[..., 1], 0.0, ops.cast(height - 1, "float32"))
    return ops.cast(y, "int32") * width + ops.cast(x, "int32")


def disks(points, height, width, radius):
    """1 within a distance of each joint, 0 elsewhere: H3's target.

    Args:
        points: `(B, K, 2)` x, y in the heat-map frame.
        height, width: Size of the map.
        radius: Distance in heat-map pixels; a pixel at it belongs.

    Returns:
        `(B, height, width, K)` float32.
    """
    points = ops.cast(points, "float32")
    x = _square(points[..., 0], width)[:, None, :, :]
    y = _square(points[..., 1], height)[:, :, None, :]
    return ops.cast(ops.add(x, y) <= radius**2, "float32")


def _bump(centre, length, sigma):
    """`(B, length, K)` values of a one-dimensional Gaussian with peak 1."""
    return ops.exp(ops.multiply(_square(centre, length), -0.5 / sigma**2))


def _square(centre, length):
    """`(B, length, K)` square distances of a line's pixels."""
    grid = ops.cast(ops.arange(length), "float32")[None, :, None]
    return ops.square(ops.subtract(grid, centre[:, None, :]))
