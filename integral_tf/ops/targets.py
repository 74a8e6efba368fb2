"""Ground-truth heat maps of Section 3."""

from keras import ops


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


def _bump(centre, length, sigma):
    """`(B, length, K)` values of a one-dimensional Gaussian with peak 1."""
    grid = ops.cast(ops.arange(length), "float32")[None, :, None]
    square = ops.square(ops.subtract(grid, centre[:, None, :]))
    return ops.exp(ops.multiply(square, -0.5 / sigma**2))
