"""Tubes, and how one is painted into a picture and a map of depths.

Everything drawn is a tapered tube: limbs, heads, posts. Its outline in the
picture is two circles and what lies between them; its surface bulges towards
the viewer, carries a texture, and is lit by one light from far away.

Letters: H and W the picture's sides, h and w those of the part of it that a
tube may touch, T texels along a texture's side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

TEXELS = 32
# Brightness of a surface that no light reaches. The light adds to it, or takes
# away where it is behind; at most so much, so that nothing is black.
_AMBIENT = 0.62
_DARKEST = -0.25
# A flat tube seen on its edge is painted at least so wide, over its width.
_NARROWEST = 0.2
# How far a tube bulges to the viewer at least, over its radius.
_FLATTEST = 0.5
# Pixels that a tube's axis has at least, if it points to the viewer.
_SHORTEST = 1e-3


@dataclasses.dataclass(frozen=True)
class Tube:
    """A tapered tube, in body heights or pixels.

    Attributes:
        ends: `(2, 3)` where its axis starts and ends, view frame.
        axes: `(3, 3)` the limb's axes; columns are left, down and front.
        radii: `(2,)` half its width at either end.
        texture: `(T, T, 3)` float32 RGB; rows run from start to end, columns
            around from the back by the right, the front and the left.
        depth_over_width: Its thickness from back to front over its width.
        cap: How far it is rounded off beyond its ends; its radius if zero.
    """

    ends: np.ndarray
    axes: np.ndarray
    radii: np.ndarray
    texture: np.ndarray
    depth_over_width: float = 1.0
    cap: float = 0.0

    def placed(self, scale: float, offset: np.ndarray) -> Tube:
        """Itself in pixels.

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
    """A tube's axis as the picture shows it, in pixels, from its start.

    Attributes:
        x, y, z: The start.
        length: Across the picture.
        right, down: Its direction across the picture, of length one.
        rise: Depth per pixel of length.
        radius: The tube's, at the start.
        taper: What the radius gains per pixel of length.
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
    """A tube cut across, as the viewer sees it.

    Attributes:
        width: What is seen of a radius across the axis, over the radius.
        bulge: Pixels by which the middle is nearer than the axis.
        rim: Radians around, from front to left, of the edge at `across` 1.
        nearest: Radians around of what is nearest to the viewer.
    """

    width: float
    bulge: float
    rim: float
    nearest: float


class _Surface(NamedTuple):
    """What of a tube's surface each pixel would show, `(h, w)`.

    Attributes:
        along: Pixels along the axis from its start; outside it, too.
        across: Over what is seen of the radius: from -1 to 1 inside.
        over: How far beyond the end, over the cap; zero between the ends.
        bulge: How far towards the viewer, over the most.
        depth: z.
        coverage: How much of the pixel it covers, from 0 to 1.
    """

    along: np.ndarray
    across: np.ndarray
    over: np.ndarray
    bulge: np.ndarray
    depth: np.ndarray
    coverage: np.ndarray


def empty_depths(image: np.ndarray) -> np.ndarray:
    """`(H, W)` float32 depths of a picture in which nothing is drawn."""
    return np.full(image.shape[:2], -np.inf, np.float32)


def paint_all(
    image: np.ndarray,
    depths: np.ndarray,
    tubes: Iterable[Tube],
    light: np.ndarray,
) -> None:
    """Paints tubes, the furthest first, so that edges blend with what they
    hide. Arguments as `paint`'s."""
    for tube in sorted(tubes, key=lambda tube: tube.ends[:, 2].sum()):
        paint(image, depths, tube, light)


def paint(
    image: np.ndarray, depths: np.ndarray, tube: Tube, light: np.ndarray
) -> None:
    """Paints a tube where nothing drawn lies in front of it.

    Args:
        image: `(H, W, 3)` float32 RGB, changed.
        depths: `(H, W)` float32 z of what is drawn, changed.
        tube: In pixels.
        light: `(3,)` points to the light and is as long as it is strong.
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
    # Python's floats: NumPy's would make every array of pixels a float64 one.
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
    # How far the limb's left and front lie across its axis in the picture.
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
    """The `_Surface` at pixels `x`, `(w,)`, and `y`, `(h, 1)`, from the axis's
    start."""
    along = x * axis.right + y * axis.down
    across = y * axis.right - x * axis.down
    inner = along.clip(0, axis.length)
    radius = inner * axis.taper + axis.radius
    seen_radius = radius * section.width
    cap = tube.cap or radius
    over = (along - inner) / cap
    across /= seen_radius
    # Of the way from the middle to the edge, squared.
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
    """`(h, w, 3)` of the texels that are seen."""
    start_radius, end_radius = tube.radii.tolist()
    before = tube.cap or start_radius
    after = tube.cap or end_radius
    texels_per_pixel = TEXELS / (axis.length + before + after)
    row = (surface.along + before) * texels_per_pixel
    # Of the two points of the section seen at `across`, the nearer.
    nearer = float(np.sign(np.sin(section.nearest - section.rim)))
    from_rim = np.arccos(surface.across.clip(-1, 1))
    column = from_rim * (nearer * TEXELS / (2 * np.pi))
    column += TEXELS / 2 + section.rim * TEXELS / (2 * np.pi)
    row = row.clip(0, TEXELS - 1).astype(int)
    column = column.astype(int) % TEXELS
    return tube.texture[row, column]


def _brightness(axis, surface, light):
    """`(h, w)`, as the surface is turned to the light."""
    light_x, light_y, light_z = light.tolist()
    light_across = light_y * axis.right - light_x * axis.down
    light_along = light_x * axis.right + light_y * axis.down
    lit = (
        surface.across * light_across
        + surface.over * light_along
        + surface.bulge * light_z
    )
    return lit.clip(_DARKEST) + _AMBIENT
