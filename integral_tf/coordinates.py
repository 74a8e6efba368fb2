"""The package's coordinate convention; only this file converts between frames.

A point is `(x, y)`: x runs along columns, y along rows. A pixel's *centre* has
integer coordinates, so a map of width W spans x in [-0.5, W - 0.5].

    heat-map frame   pixels of H_k               (32 x 32 in the paper)
    crop frame       pixels of the network input (256 x 256)
    window frame     pixels of a record's picture of one person
    image frame      pixels of the original photograph

A box is COCO's `(x, y, width, height)`. Its x and y are the left and top
*edge*, counted from the picture's edge: the box of the full picture is `(0, 0,
width, height)`. A box's edge x is the coordinate x - 0.5 of a point.

Affine maps are `(2, 3)` matrices that take `(x, y, 1)` to a point.

A `size` is (height, width), as arrays have it; an `extent` is (width, height),
as points have it. A stride is one number, or one for each axis: (x, y) in
functions of points, (height, width) in layers and losses. ours: `steps`
converts the latter to the former.

The functions are plain arithmetic and work on any array type. Functions that
build matrices return NumPy float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from integral_tf import conventions
from integral_tf import former
from integral_tf.signatures import ArrayLike
from integral_tf.signatures import Numbers
from integral_tf.signatures import Steps
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor

# ours: the paper gives no margin between the person's box and the crop.
BOX_MARGIN = 1.25
# Limit in pixels of a box's numbers: larger than any picture, and small enough
# that sums of them are exact.
LARGEST_BOX = 1e5
# Section 6.1's largest scale, and the cosine and sine of its largest rotation,
# rounded up.
_ZOOM, _COS, _SIN = 1.25, 0.87, 0.5


def steps(stride: Steps, dimensions: int) -> Steps:
    """A stride in the order of a point, x first.

    Args:
        stride: One number, or a tuple in the order of the maps' axes.
        dimensions: Number of the maps' spatial axes.

    Returns:
        The number, or the tuple in reverse order.

    Raises:
        ValueError: the tuple's length is not `dimensions`.

    Example:

    >>> steps((16, 8), 2), steps(4, 2)
    ((8, 16), 4)
    """
    if not isinstance(stride, tuple):
        return stride
    if len(stride) != dimensions:
        raise ValueError(
            "`stride` is one number, or has one for each axis of the maps: "
            "(height, width) or (depth, height, width). "
            f"Received: stride={stride}, maps with {dimensions} axes of space"
        )
    return stride[::-1]


def heatmap_to_crop(
    points: Tensor, stride: Steps | Tensor, cells: str = "middle"
) -> Tensor:
    """Maps heat-map points to the crop; one cell spans `stride` crop pixels.

    With `cells="middle"` the half-pixel terms align cell *centres*: cell 0 at
    stride 8 covers crop pixels 0..7, whose centre is 3.5. With
    `cells="first"`, as Simple Baselines and MMPose train, it is at 0.
    """
    if cells == "first":
        return points * _vector(stride, points)
    return heatmap_to_range(points, stride, -0.5)


def heatmap_to_range(
    points: Tensor, step: Steps | Tensor, low: float
) -> Tensor:
    """Maps heat-map points to a range: the map's first edge is at `low`."""
    return (points + 0.5) * _vector(step, points) + low


def crop_to_heatmap(
    points: Tensor, stride: Steps | Tensor, cells: str = "middle"
) -> Tensor:
    """Inverse of `heatmap_to_crop`."""
    if cells == "first":
        return points / _vector(stride, points)
    return (points + 0.5) / _vector(stride, points) - 0.5


@former.arguments(size="extent")
def crop_to_unit(points: Tensor, extent: Tensor) -> Tensor:
    """Maps crop points to [0, 1] across a crop of this (width, height)."""
    return (points + 0.5) / extent


@former.arguments(size="extent")
def unit_to_crop(points: Tensor, extent: Tensor) -> Tensor:
    """Inverse of `crop_to_unit`."""
    return points * extent - 0.5


@former.arguments(size="extent")
def to_convention(
    points: Tensor, name: str, extent: Numbers, stride: Stride
) -> Tensor:
    """Converts crop points to another library's coordinates.

    Args:
        points: `(..., 2)` x, y in the crop frame, of NumPy, TensorFlow or JAX.
        name: Name of a row of the table in docs/conventions.md, such as
            `"mmpose"`.
        extent: `(width, height)` of the crop, `stride` times the heat map's.
        stride: Crop pixels spanned by one heat-map pixel, or `(x, y)`.

    Returns:
        `(..., 2)` x, y: the values that the library would decode from the heat
        map from which `IntegralRegression(stride)` decodes `points`.

    Raises:
        ValueError: no convention has this name, or `extent` is no multiple of
            `stride`.

    Example:

    >>> point = np.array([27.5, 19.5])  # heat-map pixel (3, 2) at stride 8
    >>> to_convention(point, "mmpose", (64, 32), 8).tolist()
    [24.0, 16.0]
    >>> to_convention(point, "dsntnn", (64, 32), 8).tolist()
    [-0.125, 0.25]
    """
    first, step = _convention(name, extent, stride, points)
    return crop_to_heatmap(points, stride) * step + first


@former.arguments(size="extent")
def from_convention(
    points: Tensor, name: str, extent: Numbers, stride: Stride
) -> Tensor:
    """Inverse of `to_convention`: another library's points in our crop frame.

    Example:

    >>> from_convention(np.array([24.0, 16.0]), "mmpose", (64, 32), 8).tolist()
    [27.5, 19.5]
    """
    first, step = _convention(name, extent, stride, points)
    return heatmap_to_crop((points - first) / step, stride)


def _vector(numbers, points=None):
    """A tuple, one number per coordinate, as an array; a number as it is."""
    if not isinstance(numbers, (tuple, list, np.ndarray)):
        return numbers
    # A float64 array would turn another library's points into float64.
    other = hasattr(points, "dtype") and not isinstance(points, np.ndarray)
    single = other and "64" not in str(points.dtype)
    return np.asarray(numbers, np.float32 if single else np.float64)


def _convention(name, extent, stride, points):
    """The library's coordinate of heat-map pixel 0, and its step per pixel."""
    if name not in conventions.OF_LIBRARIES:
        raise ValueError(
            f"`name` is one of {', '.join(conventions.OF_LIBRARIES)}. "
            f"Received: name={name!r}"
        )
    cells = _vector(extent) / _vector(stride)
    if (cells % 1).any():
        raise ValueError(
            "`extent` is the crop's (width, height), a multiple of `stride`. "
            f"Received: extent={extent}, stride={stride}"
        )
    return [
        _vector(each, points)
        for each in conventions.OF_LIBRARIES[name](cells, _vector(stride))
    ]


def mirror_x(x: Tensor, width: Tensor) -> Tensor:
    """The column of `x` after its picture of this width is mirrored."""
    return width - 1 - x


def crop_side(
    box_width: Tensor,
    box_height: Tensor,
    aspect: float,
    maximum: Callable,
    margin: float = BOX_MARGIN,
) -> Tensor:
    """Height of the crop around a box.

    The crop is the smallest one of the network's aspect that holds the box,
    enlarged by `margin`.

    Args:
        box_width: Width of the person's box.
        box_height: Height of the person's box.
        aspect: Width of the network's input divided by its height.
        maximum: The elementwise maximum of the caller's array library.
        margin: Factor that enlarges the box.

    Returns:
        The height, in the unit of the box.
    """
    return maximum(box_height, box_width / aspect) * margin


def region_to_pixels(box: ArrayLike, width: float, height: float) -> np.ndarray:
    """The affine map from a `width` x `height` picture of a box to its frame.

    Args:
        box: `(x, y, w, h)`; its edges are the picture's edges.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        `(2, 3)` float64 matrix, picture -> frame of the box.
    """
    x, y, w, h = np.asarray(box, np.float64)
    sx, tx = side_to_pixels(x, w, width)
    sy, ty = side_to_pixels(y, h, height)
    return np.array([[sx, 0, tx], [0, sy, ty]])


def side_to_pixels(
    edge: Tensor, length: Tensor, pixels: float
) -> tuple[Tensor, Tensor]:
    """Factor and offset of one axis of `region_to_pixels`, on any array type.

    Args:
        edge: First edge of the box along the axis.
        length: Length of the box along the axis.
        pixels: Number of the picture's pixels along the axis.
    """
    factor = length / pixels
    # Edges coincide, and the centre of pixel 0 is half a pixel from the edge.
    return factor, edge + 0.5 * factor - 0.5


def region_around(
    box: ArrayLike, aspect: float = 1.0, margin: float = BOX_MARGIN
) -> np.ndarray:
    """The box of the crop around a person's box, with the network's aspect.

    Args:
        box: `(x, y, w, h)` of the person.
        aspect: Width of the network's input divided by its height.
        margin: Factor that enlarges the box.

    Returns:
        `(4,)` float64 box with the same centre.
    """
    sides = np.asarray(box, np.float64)
    return np.array(crop_region(*sides, aspect, np.maximum, margin=margin))


def crop_region(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    h: Tensor,
    aspect: float,
    maximum: Callable,
    *,
    margin: float = BOX_MARGIN,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`region_around` of arrays of x, y, width and height, of any library."""
    height = crop_side(w, h, aspect, maximum, margin)
    width = height * aspect
    return x + w / 2 - width / 2, y + h / 2 - height / 2, width, height


def window_margin(aspect: float = 1.0) -> float:
    """A window's side divided by the height of its crop.

    The window is square. It holds every crop of Section 6.1's augmentation, the
    largest of which is 25 % larger and turned by 30 degrees.
    """
    return _ZOOM * (_COS * max(aspect, 1.0) + _SIN * min(aspect, 1.0))


def window_around(box: ArrayLike, aspect: float = 1.0) -> np.ndarray:
    """The square box of a person's window; `aspect` is that of the crops."""
    x, y, w, h = np.asarray(box, np.float64)
    side = crop_side(w, h, aspect, np.maximum) * window_margin(aspect)
    return np.array([x + w / 2 - side / 2, y + h / 2 - side / 2, side, side])


def apply(matrix: ArrayLike, points: ArrayLike) -> np.ndarray:
    """Applies a `(..., 2, 3)` affine matrix to `(..., K, 2)` points."""
    matrix, points = np.asarray(matrix), np.asarray(points)
    linear = np.swapaxes(matrix[..., :2], -1, -2)
    return points @ linear + matrix[..., None, :, 2]


def invert(matrix: ArrayLike) -> np.ndarray:
    """Inverse of a `(..., 2, 3)` affine matrix, in float64."""
    matrix = np.asarray(matrix, np.float64)
    linear = np.linalg.inv(matrix[..., :2])
    offset = -linear @ matrix[..., 2:]
    return np.concatenate([linear, offset], axis=-1)


def box_to_region(
    box: ArrayLike, region: ArrayLike, width: float, height: float
) -> np.ndarray:
    """Converts a box of an image to the picture of a region of the image.

    Args:
        box: `(x, y, w, h)` in the image.
        region: `(x, y, w, h)` in the image; the picture shows this region.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        `(4,)` float64 box in the picture.
    """
    box, region = np.asarray(box, np.float64), np.asarray(region, np.float64)
    scale = np.array([width, height]) / region[2:]
    return np.concatenate([(box[:2] - region[:2]) * scale, box[2:] * scale])


def box_around(points: ArrayLike, margin: float) -> np.ndarray:
    """The box around `(N, 2)` points, enlarged by `margin`."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    # The box of a single point, or of points in a line, is one pixel wide.
    size = np.maximum((high - low) * margin, 1.0)
    return np.concatenate([(low + high) / 2 + 0.5 - size / 2, size])


def centre(length: Tensor) -> Tensor:
    """The point coordinate of the middle of a picture's side."""
    return (length - 1) / 2


def box_centre(edge: Tensor, length: Tensor) -> Tensor:
    """The point coordinate of the middle of a box's side."""
    return edge + length / 2 - 0.5


def edges(length: Tensor) -> tuple[float, Tensor]:
    """The point coordinates of the two edges of a picture's side."""
    return -0.5, length - 0.5


@former.arguments(size="extent")
def inside(points: Tensor, extent: Tensor) -> Tensor:
    """Whether coordinates of points lie within a picture's edges; NaN does not.

    Args:
        points: `(..., 2)` x, y, of any array type.
        extent: `(width, height)` of the picture, an array of the same library.

    Returns:
        `(..., 2)` bool. A point is in the picture if both are true.
    """
    low, high = edges(extent)
    return (points >= low) & (points <= high)


def unscale(points: Tensor, to_image: Tensor) -> Tensor:
    """Converts image points `(K, 2)` to the frame of a window.

    A window is never turned, so the inverse of `apply` needs no matrix inverse.
    Works on any array type.

    Args:
        points: `(K, 2)` x, y in the image frame.
        to_image: `(2, 3)` affine map, window -> image.

    Returns:
        `(K, 2)` x, y in the window frame.
    """
    return (points - to_image[:, 2]) / to_image[0, 0]


def unscale_box(box: Tensor, to_image: Tensor) -> tuple[Tensor, Tensor]:
    """Converts an image box `(4,)` to a window: corner `(2,)`, size `(2,)`."""
    corner = unscale(box[:2] - 0.5, to_image) + 0.5
    return corner, box[2:] / to_image[0, 0]
