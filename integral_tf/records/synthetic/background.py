"""Backgrounds of people: a place, or a pattern with posts.

Pictures are `(H, W, 3)` float32 RGB from 0 to 255. Lengths are in pixels,
points are `(x, y)`. Functions `_add_...` change the given array.
"""

from __future__ import annotations

import cv2
import numpy as np

from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import chance
from integral_tf.records.synthetic import cloth
from integral_tf.records.synthetic import render

Between = chance.Between

# A post's half length and its radii at both ends, in body heights.
POST_HALF_LENGTH = Between(0.08, 0.3)
POST_RADIUS = Between(0.02, 0.07)
# Pixels per body height of the posts behind people.
POSTS_SCALE = 130
# Cells per side of a pattern's layers of noise, and the noises' deviations.
PATTERN_CELLS = (3, 8, 20, 60)
PATTERN_NOISE = Between(3, 28)
# Top of the ground as a share of the picture's height; above 1 there is none.
HORIZON = Between(0.2, 1.1)
# Brightness of a place at its left and right edge.
SIDE_LIGHT = Between(0.75, 1.2)
# Cells per side of the layers of noise on ground and walls.
MATTER_CELLS = (2, 4, 8, 16, 32, 64)
# Share of grounds and walls that consist of courses, such as bricks.
COURSES_SHARE = 0.3
# Share of these with upright joints, too, drawn for each line.
UPRIGHTS_SHARE = 0.7


def post(
    rng: np.random.Generator, centre: np.ndarray, scale: float
) -> render.Tube:
    """A tube in pixels that belongs to nobody: a post or a board.

    Args:
        rng: Draws its size, direction and texture.
        centre: `(3,)` its middle, view frame, in pixels.
        scale: Pixels per body height.
    """
    around = rng.uniform(0, 360)
    aside = rng.uniform(0, 360)
    axes = body.rotation(around=around, aside=aside)
    cap = float(rng.integers(2))
    half = scale * POST_HALF_LENGTH.draw(rng) * axes[:, 1]
    return render.Tube(
        ends=np.stack([centre - half, centre + half]),
        axes=axes,
        radii=scale * POST_RADIUS.draw(rng, 2),
        texture=cloth.any_cloth(rng),
        cap=cap,
    )


def pattern(
    rng: np.random.Generator, size: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """A picture of blended colours, shapes and posts.

    Args:
        rng: Draws the picture.
        size: `(2,)` width and height, integers.
        light: `(3,)`, as in `render.paint`.
    """
    corners = np.float32([cloth.any_colour(rng) for _ in range(4)])
    image = cv2.resize(corners.reshape(2, 2, 3), size)
    for cells in rng.choice(PATTERN_CELLS, 2):
        noise = rng.normal(0, PATTERN_NOISE.draw(rng), (cells, cells, 3))
        # Grey, coloured, or between the two.
        red = noise[..., :1]
        noise[..., 1:] += rng.random() * (red - noise[..., 1:])
        image += cv2.resize(noise.astype(np.float32), size)
    for _ in range(rng.integers(0, 8)):
        _add_polygon(rng, image, size)
    depths = render.empty_depths(image)
    for _ in range(rng.integers(0, 6)):
        centre = np.append(rng.uniform((0, 0), size), 0)
        render.paint(image, depths, post(rng, centre, POSTS_SCALE), light)
    blur = 0.2 + rng.gamma(0.7, 1.0)
    return cv2.GaussianBlur(image, (7, 7), blur)


def _add_polygon(rng, image, size):
    """Adds a filled polygon to a picture, or the outline of a polygon."""
    corners = rng.integers(-45, 45, (rng.integers(3, 6), 2), np.int32)
    corners += rng.integers(0, size, dtype=np.int32)
    colour = cloth.any_colour(rng)
    filled_or_thickness = rng.choice([-1, 3])
    cv2.drawContours(image, [corners], 0, colour, filled_or_thickness)


def place(rng: np.random.Generator, size: np.ndarray) -> np.ndarray:
    """A picture of sky or wall, ground, and things.

    Args:
        rng: Draws the picture.
        size: `(2,)` width and height, integers.
    """
    width, height = size.tolist()
    image = np.empty((height, width, 3), np.float32)
    image[:] = _matter(rng)
    horizon = int(height * HORIZON.draw(rng))
    _add_texture(rng, image[:horizon])
    if horizon < height:
        image[horizon:] = _matter(rng)
        _add_texture(rng, image[horizon:])
    things = (_add_window, _add_beam, _add_disc, _add_bush)
    for _ in range(rng.integers(0, 7)):
        add = things[rng.integers(len(things))]
        colour = tuple(_matter(rng).tolist())
        x = int(rng.uniform(-0.1, 1) * width)
        y = int(rng.uniform(-0.1, 1) * height)
        add(rng, image, x, y, colour)
    left = SIDE_LIGHT.draw(rng)
    right = SIDE_LIGHT.draw(rng)
    brightness = np.linspace(left, right, width, dtype=np.float32)
    image *= brightness[None, :, None]
    blur = 0.3 + rng.gamma(1.0, 1.2)
    return cv2.GaussianBlur(image, (9, 9), blur)


def _matter(rng):
    """`(3,)` float32 RGB of a material: mostly dull, warm or cold."""
    value = rng.uniform(20, 235)
    warmth = rng.normal(0, 0.12)
    tint = warmth * np.float32([1, 0.1, -1])
    tint += rng.normal(0, 0.05, 3).astype(np.float32)
    if rng.random() < 0.2:
        tint *= 3
    return (value * (1 + tint)).clip(0, 255).astype(np.float32)


def _add_texture(rng, image):
    """Adds noise as of leaves, stone or cloud, or courses, to a picture."""
    height, width = image.shape[:2]
    if height < 2 or width < 2:
        return
    strength = rng.gamma(1.5, 9)
    # The larger, the smoother: small cells have less weight.
    fall = rng.uniform(0.3, 1.1)
    for cells in MATTER_CELLS:
        deviation = strength / (cells / 2) ** (fall - 0.3)
        noise = rng.normal(0, deviation, (cells, cells, 1))
        noise = noise + rng.normal(0, strength / 8, (1, 1, 3))
        image += cv2.resize(noise.astype(np.float32), (width, height))
    if rng.random() < COURSES_SHARE:
        _add_courses(rng, image)


def _add_courses(rng, image):
    """Adds horizontal lines, as of boards, or a grid, as of bricks.

    Lines are darker or lighter than the picture.
    """
    height, width = image.shape[:2]
    step = int(rng.integers(6, 40))
    brighter = rng.uniform(-60, 30)
    thickness = int(rng.integers(1, 4))
    first = int(rng.integers(step))
    for line in range(first, max(height, width), step):
        image[line : line + thickness] += brighter
        if rng.random() < UPRIGHTS_SHARE:
            image[:, line : line + thickness] += brighter


def _add_window(rng, image, x, y, colour):
    """Adds a rectangle with its own texture to a picture."""
    height, width = image.shape[:2]
    right = x + int(rng.uniform(0.05, 0.4) * width)
    bottom = y + int(rng.uniform(0.05, 0.4) * height)
    pane = image[max(y, 0) : bottom, max(x, 0) : right]
    if pane.size:
        pane[:] = colour
        _add_texture(rng, pane)


def _add_beam(rng, image, x, y, colour):
    """Adds a line from edge to edge to a picture: a post, a beam, a rail."""
    angle = np.radians(rng.choice([0, 90, rng.uniform(0, 180)]))
    reach = 400 * np.array([np.cos(angle), np.sin(angle)])
    start = (int(x - reach[0]), int(y - reach[1]))
    end = (int(x + reach[0]), int(y + reach[1]))
    thickness = int(rng.integers(2, 16))
    cv2.line(image, start, end, colour, thickness)


def _add_disc(rng, image, x, y, colour):
    """Adds a disc to a picture."""
    radius = int(rng.integers(4, 40))
    cv2.circle(image, (x, y), radius, colour, -1)


def _add_bush(rng, image, x, y, colour):
    """Adds a heap of lighter and darker leaves to a picture."""
    for _ in range(int(rng.integers(10, 60))):
        centre = (rng.normal(0, 18, 2) + (x, y)).astype(int).tolist()
        shade = rng.uniform(0.5, 1.3)
        leaf = tuple(shade * share for share in colour)
        radius = int(rng.integers(1, 6))
        cv2.circle(image, centre, radius, leaf, -1)
