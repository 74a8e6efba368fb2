"""The one coordinate convention; only this file converts between frames.

A point is `(x, y)`: x runs along columns, y along rows. A pixel's *centre* has
integer coordinates, so a map of width W spans x in [-0.5, W - 0.5].

    heat-map frame   pixels of H_k               (32 x 32 in the paper)
    crop frame       pixels of the network input (256 x 256)
    window frame     pixels of the record's picture of one person
    image frame      pixels of the original photograph

A box is `(x, y, width, height)` as COCO has it: left and top *edge*, counted
from the picture's edge, so that a whole picture is `(0, 0, width, height)` and
the edge x is where points have x - 0.5.
Affine maps are `(2, 3)` matrices that take `(x, y, 1)` to a point.

A `size` is (height, width), as arrays have it; an `extent` is (width, height),
as points have it.
A stride is one number, or one for each axis. Where arguments are points, it has
their order, (x, y). The layers and the losses take it in the
order of the maps' axes, (height, width), ours: `steps` is between the two.

Every function here is arithmetic on whatever array type it is given, or, where
it builds matrices, NumPy float64.
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
# Nobody's box reaches as far, in pixels; the sum of such numbers stays exact.
LARGEST_BOX = 1e5
# Section 6.1's largest scale, and the cosine and sine of its largest rotation,
# rounded up.
_ZOOM, _COS, _SIN = 1.25, 0.87, 0.5


def steps(stride: Steps, dimensions: int) -> Steps:
    """A stride in the order of a point, x first.

    Args:
        stride: In the order of the maps' axes, or one number.
        dimensions: How many axes of space the maps have.

    Returns:
        The number, or a tuple of one for each coordinate.

    Raises:
        ValueError: not as many as there are axes.

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

    The half-pixel terms keep cell *centres* aligned: cell 0 at stride 8 covers
    crop pixels 0..7, whose centre is 3.5, not 0. Of `"first"` cells it is 0:
    so Simple Baselines and MMPose train.
    """
    if cells == "first":
        return points * _vector(stride, points)
    return heatmap_to_range(points, stride, -0.5)


def heatmap_to_range(
    points: Tensor, step: Steps | Tensor, low: float
) -> Tensor:
    """Maps heat-map points to where a map begins at `low`, in such steps."""
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
    """Says crop points as another library would for the same heat map.

    Args:
        points: `(..., 2)` x, y in the crop frame, of NumPy, TensorFlow or JAX.
        name: A row of the table in docs/conventions.md, as `"mmpose"`.
        extent: `(width, height)` of the crop, `stride` times the heat map's.
        stride: Crop pixels spanned by one heat-map pixel, or `(x, y)`.

    Returns:
        `(..., 2)` x, y: what that library reads out of a map of which
        `IntegralRegression(stride)` reads `points`.

    Raises:
        ValueError: no convention has this name, or `extent` is not that of a
            whole number of heat-map pixels.

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
    """Inverse of `to_convention`: their `(..., 2)` points in our crop frame.

    Example:

    >>> from_convention(np.array([24.0, 16.0]), "mmpose", (64, 32), 8).tolist()
    [27.5, 19.5]
    """
    first, step = _convention(name, extent, stride, points)
    return heatmap_to_crop((points - first) / step, stride)


def _vector(numbers, points=None):
    """A number for each coordinate as an array, and one number as it is."""
    if not isinstance(numbers, (tuple, list, np.ndarray)):
        return numbers
    # Float64 would make float64 of another library's points.
    other = hasattr(points, "dtype") and not isinstance(points, np.ndarray)
    single = other and "64" not in str(points.dtype)
    return np.asarray(numbers, np.float32 if single else np.float64)


def _convention(name, extent, stride, points):
    """Their name of heat-map pixel 0 and their step, `()` or `(2,)` each."""
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
    """Where column `x` of a picture this wide lands when it is mirrored."""
    return width - 1 - x


def crop_side(
    box_width: Tensor,
    box_height: Tensor,
    aspect: float,
    maximum: Callable,
    margin: float = BOX_MARGIN,
) -> Tensor:
    """Height of the crop around a box.

    The crop has the network's aspect (width / height) and is the smallest one
    that holds the box, times `margin`.

    Args:
        box_width: Of the person's box.
        box_height: Of the person's box.
        aspect: Width of the network's input over its height.
        maximum: The elementwise maximum of the caller's array library.
        margin: Enlargement of the box.
    """
    return maximum(box_height, box_width / aspect) * margin


def region_to_pixels(box: ArrayLike, width: float, height: float) -> np.ndarray:
    """Affine from the pixels of a `width` x `height` picture of `box` to the
    frame that the box is in.

    Args:
        box: `(x, y, w, h)`; its edges become the picture's edges.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        `(2, 3)` float64 matrix, picture -> box's frame.
    """
    x, y, w, h = np.asarray(box, np.float64)
    sx, tx = side_to_pixels(x, w, width)
    sy, ty = side_to_pixels(y, h, height)
    return np.array([[sx, 0, tx], [0, sy, ty]])


def side_to_pixels(
    edge: Tensor, length: Tensor, pixels: float
) -> tuple[Tensor, Tensor]:
    """Factor and offset of one axis of `region_to_pixels`, on any arrays.

    Args:
        edge: Where a box begins.
        length: The box's side.
        pixels: Pixels of the picture along that side.
    """
    factor = length / pixels
    # Edges, not centres, coincide: the centre of pixel 0 is half a pixel in.
    return factor, edge + 0.5 * factor - 0.5


def region_around(
    box: ArrayLike, aspect: float = 1.0, margin: float = BOX_MARGIN
) -> np.ndarray:
    """The box of the crop around a person's box, with the network's aspect.

    Args:
        box: `(x, y, w, h)` of the person.
        aspect: Width over height of the network's input.
        margin: Enlargement.

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
    """`region_around` side by side, on the arrays that `maximum` takes."""
    height = crop_side(w, h, aspect, maximum, margin)
    width = height * aspect
    return x + w / 2 - width / 2, y + h / 2 - height / 2, width, height


def window_margin(aspect: float = 1.0) -> float:
    """A window's side over its crop's height.

    The window is square and holds every crop that Section 6.1's augmentation
    draws: 25 % larger, and a rectangle turned by 30 degrees.
    """
    return _ZOOM * (_COS * max(aspect, 1.0) + _SIN * min(aspect, 1.0))


def window_around(box: ArrayLike, aspect: float = 1.0) -> np.ndarray:
    """The square box of a person's window, for crops of this aspect."""
    x, y, w, h = np.asarray(box, np.float64)
    side = crop_side(w, h, aspect, np.maximum) * window_margin(aspect)
    return np.array([x + w / 2 - side / 2, y + h / 2 - side / 2, side, side])


def apply(matrix: ArrayLike, points: ArrayLike) -> np.ndarray:
    """Maps `(..., K, 2)` points by a `(..., 2, 3)` affine matrix."""
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
    """A box of the image, in the picture that shows `region` of that image.

    Args:
        box: `(x, y, w, h)` in the image.
        region: `(x, y, w, h)` in the image that the picture shows.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        `(4,)` float64 box in the picture.
    """
    box, region = np.asarray(box, np.float64), np.asarray(region, np.float64)
    scale = np.array([width, height]) / region[2:]
    return np.concatenate([(box[:2] - region[:2]) * scale, box[2:] * scale])


def box_around(points: ArrayLike, margin: float) -> np.ndarray:
    """The box around `(N, 2)` points, `margin` times their extent."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    # A single point, or a row of them, still has the pixel it stands on.
    size = np.maximum((high - low) * margin, 1.0)
    return np.concatenate([(low + high) / 2 + 0.5 - size / 2, size])


def centre(length: Tensor) -> Tensor:
    """The middle of a picture's side, as a point's coordinate."""
    return (length - 1) / 2


def box_centre(edge: Tensor, length: Tensor) -> Tensor:
    """The middle of a box's side, as a point's coordinate."""
    return edge + length / 2 - 0.5


def edges(length: Tensor) -> tuple[float, Tensor]:
    """Where a picture's side begins and ends, as points' coordinates."""
    return -0.5, length - 0.5


@former.arguments(size="extent")
def inside(points: Tensor, extent: Tensor) -> Tensor:
    """Which coordinates of points lie within a picture's edges; NaN does not.

    Args:
        points: `(..., 2)` x, y, on any array type.
        extent: `(width, height)`, an array of the same library.

    Returns:
        `(..., 2)` bool; a point is in the picture where both are.
    """
    low, high = edges(extent)
    return (points >= low) & (points <= high)


def unscale(points: Tensor, to_image: Tensor) -> Tensor:
    """Image points `(K, 2)` in the window that `to_image` (2, 3) places.

    A window is never turned, so this is the inverse of `apply` without a
    matrix inverse, on whatever array type it is given.
    """
    return (points - to_image[:, 2]) / to_image[0, 0]


def unscale_box(box: Tensor, to_image: Tensor) -> tuple[Tensor, Tensor]:
    """An image box `(4,)` in the window: its corner `(2,)` and size `(2,)`."""
    corner = unscale(box[:2] - 0.5, to_image) + 0.5
    return corner, box[2:] / to_image[0, 0]
