"""Affine crops on the device: the maps, and the bilinear sampling.

Shape letters: B batch, H x W the source picture, h x w the crop, K joints.
"""

from __future__ import annotations

from integral_tf import coordinates
from integral_tf.keras_version import ops
from integral_tf.signatures import Tensor


def crop_affine(
    boxes: Tensor,
    height: int,
    width: int,
    *,
    angle: Tensor,
    zoom: Tensor,
    mirrored: Tensor,
    margin: float,
) -> Tensor:
    """Affine maps from crop pixels to pixels of the pictures.

    Args:
        boxes: `(B, 4)` x, y, width, height of the person in the picture.
        height: Height of the crop in pixels.
        width: Width of the crop in pixels.
        angle: `(B,)` radians; positive turns the person clockwise.
        zoom: `(B,)` size of the person relative to the unaugmented crop.
        mirrored: `(B,)` 1.0 where the crop is mirrored, else 0.0.
        margin: Enlargement of the box, `coordinates.BOX_MARGIN`.

    Returns:
        `(B, 2, 3)`, crop -> picture.
    """
    x, y, box_width, box_height = ops.unstack(boxes, 4, axis=-1)
    side = coordinates.crop_side(
        box_width, box_height, width / height, ops.maximum, margin
    )
    step = side / height / zoom  # picture pixels per crop pixel
    # A person turned clockwise is in a crop turned counter-clockwise.
    cos, sin = ops.cos(-angle) * step, ops.sin(-angle) * step
    sign = 1.0 - 2.0 * mirrored
    rows = [[cos * sign, -sin], [sin * sign, cos]]
    # The crop's centre shows the box's centre.
    cx, cy = coordinates.centre(width), coordinates.centre(height)
    middle = (
        coordinates.box_centre(x, box_width),
        coordinates.box_centre(y, box_height),
    )
    return ops.stack(
        [
            ops.stack([a, b, m - a * cx - b * cy], axis=-1)
            for (a, b), m in zip(rows, middle)
        ],
        axis=-2,
    )


def invert(affine: Tensor) -> Tensor:
    """Inverse of `(B, 2, 3)` affine maps."""
    a, b, tx = ops.unstack(affine[:, 0], 3, axis=-1)
    c, d, ty = ops.unstack(affine[:, 1], 3, axis=-1)
    scale = 1.0 / (a * d - b * c)
    first = [d * scale, -b * scale, (b * ty - d * tx) * scale]
    second = [-c * scale, a * scale, (c * tx - a * ty) * scale]
    return ops.stack([ops.stack(first, -1), ops.stack(second, -1)], axis=-2)


def area_factor(affine: Tensor) -> Tensor:
    """What `(B, 2, 3)` affine maps multiply areas by, `(B,)`."""
    return ops.abs(
        affine[:, 0, 0] * affine[:, 1, 1] - affine[:, 0, 1] * affine[:, 1, 0]
    )


def transform(affine: Tensor, points: Tensor) -> Tensor:
    """Applies `(B, 2, 3)` affine maps to `(B, K, 2)` points."""
    # Not a matrix product: TF32 would round the coordinates.
    x, y = points[..., 0, None], points[..., 1, None]
    columns = [affine[:, None, :, i] for i in range(3)]
    return x * columns[0] + y * columns[1] + columns[2]


def bilinear(
    pictures: Tensor, affine: Tensor, height: int, width: int
) -> Tensor:
    """Samples pictures at the pixels of their crops; black outside.

    Args:
        pictures: `(B, H, W, C)`, uint8 or float.
        affine: `(B, 2, 3)`, crop -> picture.
        height: Height of the crop in pixels.
        width: Width of the crop in pixels.

    Returns:
        `(B, height, width, C)` float32.
    """
    batch, rows, columns, channels = ops.shape(pictures)
    u, v = ops.meshgrid(
        ops.cast(ops.arange(width), "float32"),
        ops.cast(ops.arange(height), "float32"),
    )
    grid = ops.stack([ops.reshape(u, (-1,)), ops.reshape(v, (-1,))], axis=-1)
    source = transform(affine, grid[None])  # (B, h * w, 2)
    x, y = source[..., 0], source[..., 1]
    left, top = ops.floor(x), ops.floor(y)
    flat = ops.reshape(pictures, (-1, channels))
    first = ops.cast(ops.arange(batch), "int32")[:, None] * (rows * columns)
    # The size may be a tensor.
    last_row = ops.cast(rows - 1, "float32")
    last_column = ops.cast(columns - 1, "float32")
    crop = 0.0
    for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            i = ops.clip(row, 0, last_row)
            j = ops.clip(column, 0, last_column)
            inside = ops.cast((i == row) & (j == column), "float32")
            weight = across * down * inside
            i, j = ops.cast(i, "int32"), ops.cast(j, "int32")
            pixel = ops.take(flat, first + i * columns + j, axis=0)
            crop = crop + ops.cast(pixel, "float32") * weight[..., None]
    return ops.reshape(crop, (-1, height, width, channels))
