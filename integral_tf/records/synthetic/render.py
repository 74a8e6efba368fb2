"""Paints tapered tubes into a picture and a map of depths.

Limbs, heads and posts are tapered tubes. The outline of a tube in the picture
is two circles and the area between them. Its surface bulges towards the viewer,
has a texture, and is lit by one distant light.

Letters: H and W the picture's sides, h and w the sides of the part that a tube
may touch, T texels along a texture's side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

TEXELS = 32
# Brightness of a surface at right angles to the light. The light adds to it, or
# subtracts from it on the far side, at most this much, so that nothing is
# black.
_AMBIENT = 0.62
_DARKEST = -0.25
# Smallest painted width of a flat tube seen edge-on, relative to its width.
_NARROWEST = 0.2
# Smallest bulge of a tube towards the viewer, relative to its radius.
_FLATTEST = 0.5
# Smallest length in pixels of the axis of a tube that points to the viewer.
_SHORTEST = 1e-3


@dataclasses.dataclass(frozen=True)
class Tube:
    """A tapered tube, in body heights or pixels.

    Attributes:
        ends: `(2, 3)` start and end of its axis, view frame.
        axes: `(3, 3)` the limb's axes; columns are left, down and front.
        radii: `(2,)` half its width at both ends.
        texture: `(T, T, 3)` float32 RGB; rows run from start to end, columns
            around from the back by the right, the front and the left.
        depth_over_width: Its thickness from back to front divided by its width.
        cap: Length of the round caps beyond its ends; the radius if zero.
    """

    ends: np.ndarray
    axes: np.ndarray
    radii: np.ndarray
    texture: np.ndarray
    depth_over_width: float = 1.0
    cap: float = 0.0

    def placed(self, scale: float, offset: np.ndarray) -> Tube:
        """The tube in pixels.

        Args:
            scale: Pixels per body height.
            offset: `(3,)` the view frame's origin, in pixels.
        """
        return dataclasses.replace(
            self,
            ends=self.ends * scale + offset,
            radii=self.radii * scale,
            cap=self.cap * scale,
        )


class _Axis(NamedTuple):
    """A tube's axis in the picture, in pixels.

    Attributes:
        x: x of the start.
        y: y of the start.
        z: z of the start.
        length: Length in the picture.
        right: x of the unit vector along the axis in the picture.
        down: y of this vector.
        rise: Depth per pixel of length.
        radius: Radius of the tube at the start.
        taper: Increase of the radius per pixel of length.
    """

    x: float
    y: float
    z: float
    length: float
    right: float
    down: float
    rise: float
    radius: float
    taper: float


class _Section(NamedTuple):
    """The cross-section of a tube in the view of the viewer.

    Attributes:
        width: Visible half width across the axis, relative to the radius.
        bulge: Pixels by which the middle is nearer than the axis.
        rim: Angle in radians, from front to left, of the edge at `across` 1.
        nearest: Angle in radians of the point nearest to the viewer.
    """

    width: float
    bulge: float
    rim: float
    nearest: float


class _Surface(NamedTuple):
    """The point of a tube's surface at each pixel, `(h, w)`.

    Attributes:
        along: Pixels along the axis from its start, also beyond the ends.
        across: Distance from the axis relative to the visible half width: from
            -1 to 1 inside.
        over: Distance beyond an end relative to the cap; 0 between the ends.
        bulge: Bulge towards the viewer relative to the largest bulge.
        depth: z.
        coverage: Covered share of the pixel, from 0 to 1.
    """

    along: np.ndarray
    across: np.ndarray
    over: np.ndarray
    bulge: np.ndarray
    depth: np.ndarray
    coverage: np.ndarray


def empty_depths(image: np.ndarray) -> np.ndarray:
    """`(H, W)` float32 depths of an empty picture."""
    return np.full(image.shape[:2], -np.inf, np.float32)


def paint_all(
    image: np.ndarray,
    depths: np.ndarray,
    tubes: Iterable[Tube],
    light: np.ndarray,
) -> None:
    """Paints tubes, the furthest first, so that edges blend with the tubes
    behind. Arguments as in `paint`."""
    for tube in sorted(tubes, key=lambda tube: tube.ends[:, 2].sum()):
        paint(image, depths, tube, light)


def paint(
    image: np.ndarray, depths: np.ndarray, tube: Tube, light: np.ndarray
) -> None:
    """Paints the pixels of a tube that are in front of the picture.

    Args:
        image: `(H, W, 3)` float32 RGB, changed.
        depths: `(H, W)` float32 z of the picture, changed.
        tube: In pixels.
        light: `(3,)` vector to the light; its length is the light's strength.
    """
    reach = tube.radii.max() + 1
    low = tube.ends[:, :2].min(0) - reach
    high = tube.ends[:, :2].max(0) + reach
    left, top = low.clip(0).astype(int)
    right, bottom = (high + 1).clip(0, depths.shape[::-1]).astype(int)
    if left >= right or top >= bottom:
        return
    patch = np.s_[top:bottom, left:right]
    axis = _axis(tube)
    section = _section(tube, axis)
    x = np.arange(left, right, dtype=np.float32) - axis.x
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - axis.y
    surface = _surface(tube, axis, section, x, y)
    alpha = surface.coverage * (surface.depth > depths[patch])
    colour = _texture_colour(tube, axis, section, surface)
    colour *= _brightness(axis, surface, light)[..., None]
    image[patch] += alpha[..., None] * (colour - image[patch])
    np.copyto(depths[patch], surface.depth, where=alpha > 0.5)


def _axis(tube):
    # Python floats: NumPy's would turn every array of pixels into float64.
    (start_x, start_y, start_z), (end_x, end_y, end_z) = tube.ends.tolist()
    start_radius, end_radius = tube.radii.tolist()
    length = float(np.hypot(end_x - start_x, end_y - start_y))
    length = max(length, _SHORTEST)
    return _Axis(
        x=start_x,
        y=start_y,
        z=start_z,
        length=length,
        right=(end_x - start_x) / length,
        down=(end_y - start_y) / length,
        rise=(end_z - start_z) / length,
        radius=start_radius,
        taper=(end_radius - start_radius) / length,
    )


def _section(tube, axis):
    flattened = tube.axes * (1, 1, tube.depth_over_width)
    left_x, left_y, left_z = flattened[:, 0].tolist()
    front_x, front_y, front_z = flattened[:, 2].tolist()
    # Components of the limb's left and front across its axis in the picture.
    left_across = left_y * axis.right - left_x * axis.down
    front_across = front_y * axis.right - front_x * axis.down
    width = float(np.hypot(left_across, front_across))
    towards_viewer = float(np.hypot(left_z, front_z))
    return _Section(
        width=max(width, _NARROWEST),
        bulge=max(towards_viewer, _FLATTEST) * max(tube.radii.tolist()),
        rim=float(np.arctan2(left_across, front_across)),
        nearest=float(np.arctan2(left_z, front_z)),
    )


def _surface(tube, axis, section, x, y):
    """The `_Surface` at pixels `x`, `(w,)`, and `y`, `(h, 1)`, relative to the
    axis's start."""
    along = x * axis.right + y * axis.down
    across = y * axis.right - x * axis.down
    inner = along.clip(0, axis.length)
    radius = inner * axis.taper + axis.radius
    seen_radius = radius * section.width
    cap = tube.cap or radius
    over = (along - inner) / cap
    across /= seen_radius
    # Squared distance from the middle, 1 at the edge.
    outwards = across * across + over * over
    bulge = np.sqrt((1 - outwards).clip(0))
    pixels_inside = (1 - np.sqrt(outwards)) * np.minimum(seen_radius, cap)
    return _Surface(
        along=along,
        across=across,
        over=over,
        bulge=bulge,
        depth=axis.z + axis.rise * inner + section.bulge * bulge,
        coverage=(pixels_inside + 0.5).clip(0, 1),
    )


def _texture_colour(tube, axis, section, surface):
    """`(h, w, 3)` colours of the visible texels."""
    start_radius, end_radius = tube.radii.tolist()
    before = tube.cap or start_radius
    after = tube.cap or end_radius
    texels_per_pixel = TEXELS / (axis.length + before + after)
    row = (surface.along + before) * texels_per_pixel
    # Two points of the section are at `across`; this takes the nearer.
    nearer = float(np.sign(np.sin(section.nearest - section.rim)))
    from_rim = np.arccos(surface.across.clip(-1, 1))
    column = from_rim * (nearer * TEXELS / (2 * np.pi))
    column += TEXELS / 2 + section.rim * TEXELS / (2 * np.pi)
    row = row.clip(0, TEXELS - 1).astype(int)
    column = column.astype(int) % TEXELS
    return tube.texture[row, column]


def _brightness(axis, surface, light):
    """`(h, w)` brightness, by the surface's angle to the light."""
    light_x, light_y, light_z = light.tolist()
    light_across = light_y * axis.right - light_x * axis.down
    light_along = light_x * axis.right + light_y * axis.down
    lit = (
        surface.across * light_across
        + surface.over * light_along
        + surface.bulge * light_z
    )
    return lit.clip(_DARKEST) + _AMBIENT
