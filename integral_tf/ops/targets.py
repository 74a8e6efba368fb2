"""Ground-truth heat maps of Section 3, in the order of `layout.flatten_maps`.

Shape letters: B batch, K joints, N pixels of a map, D spatial dimensions. Maps
may have any D, as in `integral`; points are (x, y, z).
"""

from __future__ import annotations

from integral_tf.keras_version import ops
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Shape
from integral_tf.signatures import Steps
from integral_tf.signatures import Tensor


def gaussians(points: Tensor, spatial: Shape, sigma: float = 1.0) -> Tensor:
    """A Gaussian with peak 1 around each joint: H1's target, sigma = 1.

    ours: the centre is the joint itself, not its nearest pixel, so that the
    map's mean is the joint.

    Args:
        points: `(B, K, D)` x, y in the heat-map frame.
        spatial: Spatial shape of the map, e.g. `(H, W)`, with product N.
        sigma: Standard deviation in heat-map pixels.

    Returns:
        `(B, K, N)` float32.
    """
    square = square_distances(points, spatial)
    return ops.exp(ops.multiply(square, -0.5 / sigma**2))


def nearest_pixel(points: Tensor, spatial: Shape) -> Tensor:
    """The pixel nearest to each joint, as an index: H2's one-hot target.

    Args:
        points: `(B, K, D)` x, y in the heat-map frame. A point outside the map
            gets the nearest pixel of the map's border.
        spatial: Spatial shape of the map.

    Returns:
        `(B, K)` int32 indices into the map, flattened row by row.
    """
    points = ops.round(ops.cast(points, "float32"))
    index = 0
    for i, length in enumerate(spatial):
        # `length` may be a tensor.
        last = ops.cast(length - 1, "float32")
        at = points[..., len(spatial) - 1 - i]
        # NaN becomes pixel 0, so that every index is valid.
        at = ops.minimum(ops.where(at > 0, at, 0.0), last)
        index = index * length + ops.cast(at, "int32")
    return index


def disks(
    points: Tensor, spatial: Shape, radius: float, stride: Steps = 1.0
) -> Tensor:
    """1 within a distance of each joint, 0 elsewhere: H3's target.

    Args:
        points: `(B, K, D)` x, y in the heat-map frame.
        spatial: Spatial shape of the map.
        radius: Distance in crop pixels; a pixel at exactly this distance is 1.
        stride: Crop pixels that one heat-map pixel spans; one number, or D of
            them, x first.

    Returns:
        `(B, K, N)` float32.
    """
    square = square_distances(points, spatial, stride)
    return ops.cast(square <= radius**2, "float32")


def square_distances(
    points: Tensor, spatial: Shape, stride: Steps = 1.0
) -> Tensor:
    """Square distance of every pixel from each joint.

    Args:
        points: `(B, K, D)` x, y in the heat-map frame.
        spatial: Spatial shape of the map.
        stride: Crop pixels that one heat-map pixel spans; one number, or D of
            them, x first.

    Returns:
        `(B, K, N)` float32 in square crop pixels.
    """
    points = ops.cast(points, "float32")
    steps = stride if isinstance(stride, tuple) else [stride] * len(spatial)
    # Not `ops.add`: in a batch of one joint, Keras 3.15 takes one of these for
    # a bias, and gives a wrong shape.
    square = sum(
        ops.square(offset * step)
        for offset, step in zip(integral.offsets(points, spatial), steps)
    )
    joints = ops.shape(points)[1]
    return ops.reshape(square, (-1, joints, layout.product(spatial)))
