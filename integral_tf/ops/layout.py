"""Heat maps' order of axes in memory: which of them are spatial.

Shape letters: B batch, H height, W width, K joints, N pixels of a map. Maps may
have any number of spatial dimensions: (W,), (H, W) or (depth, H, W).
"""

from __future__ import annotations

import math

from integral_tf import keras_version
from integral_tf.keras_version import ops
from integral_tf.signatures import Axes
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor


def arranged(
    heatmaps: Tensor, data_format: str = "channels_last"
) -> tuple[Tensor, Axes]:
    """Heat maps in float32, and which of their axes are spatial.

    Args:
        heatmaps: `(B, H, W, K)`, or `(B, K, H, W)` for `channels_first`; any
            number of spatial dimensions.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        The maps, and the indices of the spatial axes: `(1, 2)` for `(B, H, W,
        K)` or `(2, 3)` for `(B, K, H, W)`. On torch always the latter.

    Raises:
        ValueError: another `data_format`, or no spatial dimension.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "`data_format` says where the joints are: channels_last for "
            "(batch, height, width, joints) or channels_first for (batch, "
            f"joints, height, width). Received: data_format={data_format!r}"
        )
    shape = ops.shape(heatmaps)
    if len(shape) < 3:
        raise ValueError(
            "Heat maps are (batch, height, width, joints), or have another "
            f"number of spatial axes. Received: shape={tuple(shape)}"
        )
    # float16 steps by 1/32 pixel near x = 63: coordinates need float32.
    heatmaps = ops.cast(heatmaps, "float32")
    last = tuple(range(2, len(shape)))
    if data_format == "channels_first":
        return heatmaps, last
    if keras_version.BACKEND == "torch":
        # Torch's kernels are fast on contiguous pixels, also in the gradient.
        order = (0, len(shape) - 1, *range(1, len(shape) - 1))
        return ops.transpose(heatmaps, order).contiguous(), last
    return heatmaps, tuple(range(1, len(shape) - 1))


def flatten_maps(
    heatmaps: Tensor, data_format: str = "channels_last"
) -> tuple[Tensor, Shape]:
    """Lays each joint's map out along the last, contiguous axis, in float32.

    Args:
        heatmaps: `(B, H, W, K)`, or `(B, K, H, W)` for `channels_first`; any
            number of spatial dimensions.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(B, K, N)` float32 and the spatial shape, e.g. `(H, W)`.

    Raises:
        ValueError: another `data_format`, or no spatial dimension.
    """
    maps, axes = arranged(heatmaps, data_format)
    spatial = spatial_shape(maps, axes)
    maps = flat(maps, axes)
    # A softmax along a contiguous axis is several times faster.
    return (ops.transpose(maps, (0, 2, 1)) if axes[0] == 1 else maps), spatial


def spatial_shape(maps: Tensor, axes: Axes) -> Shape:
    """The maps' spatial shape, e.g. `(H, W)`."""
    shape = ops.shape(maps)
    return tuple(shape[axis] for axis in axes)


def flat(maps: Tensor, axes: Axes) -> Tensor:
    """Flattens the spatial axes into `axes[0]`: `(B, N, K)` or `(B, K, N)`."""
    shape = ops.shape(maps)
    pixels = product(spatial_shape(maps, axes))
    return ops.reshape(
        maps, (-1, *shape[1 : axes[0]], pixels, *shape[axes[-1] + 1 :])
    )


def product(lengths: Shape) -> int | Tensor:
    """The number of pixels of a map of this spatial shape."""
    if all(isinstance(length, int) for length in lengths):
        return math.prod(lengths)
    total = 1
    for length in lengths:
        total = total * length
    return total
