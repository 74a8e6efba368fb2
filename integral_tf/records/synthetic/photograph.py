"""The picture of one person: figure, placement, background and camera.

Letters: K joints, H and W the picture's sides. In pixels, x and y of the view
frame are the image frame.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import NamedTuple

import cv2
import numpy as np

from integral_tf import skeletons
from integral_tf.records import schema
from integral_tf.records.synthetic import background
from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import chance
from integral_tf.records.synthetic import cloth
from integral_tf.records.synthetic import render

Between = chance.Between

# Options that make people more like those of photographs; docs/starter.md has
# the effect of each. poses: acrobatics, in three dimensions. cloth: everyday
# clothes with folds, or few clothes. scenes: horizons, walls, windows and
# leaves behind. bystanders: other people behind. camera: perspective.
LEVERS = ("poses", "cloth", "scenes", "bystanders", "camera")

# A person with fewer joints in the picture is replaced by another draw.
FEWEST_JOINTS = 6
# Pixels per body height.
SCALE = Between(105, 165)
BYSTANDERS_SCALE = Between(30, 110)
# Sides of the picture in pixels; a picture with a larger body is larger.
SMALLEST_SIDE = 160
LARGEST_SIDE = 259
# Share of people who are cut off by the picture's edge; the share of their
# extent that is cut off; and the shares cut off at the left rather than the
# right, and at the top rather than the bottom: legs are cut off more often than
# heads.
CUT_OFF_SHARE = 0.15
CUT_OFF = Between(0.1, 0.45)
CUT_OFF_LEFT_SHARE = 0.5
CUT_OFF_TOP_SHARE = 0.25
# With the lever, the share of people in front of a place, not of a pattern.
PLACES_SHARE = 0.8
# With the lever, the share of people with nobody behind them.
ALONE_SHARE = 0.6
# Body heights from the camera to the middle of the joints.
CAMERA_DISTANCE = Between(1.3, 6)
# Strength of the light: the brightness that it adds to a surface facing it.
LIGHT_STRENGTH = Between(0.35, 0.6)
# Share of people with a post in front of a joint, or this many pixels beside
# it.
OCCLUDED_SHARE = 0.2
OCCLUDER_DEVIATION = 9
# Depth of the post in pixels, nearer than any body.
OCCLUDER_DEPTH = 1e3
# A joint is hidden if it is further behind the visible surface than a body is
# thick, in body heights.
BODY_THICKNESS = 0.12
# The lens's blur in pixels, the exposure, and each colour's factor on it.
BLUR = Between(0.1, 0.8)
EXPOSURE = Between(0.6, 1.2)
COLOUR_GAIN = Between(0.88, 1.1)
# A picture's noise is uniform; its maximum in steps of brightness is an integer
# in this range.
SMALLEST_NOISE = 2
LARGEST_NOISE = 13


class Figure(NamedTuple):
    """A body, dressed, in body heights or pixels.

    Attributes:
        joints: `(K, 3)`, view frame.
        tubes: The tubes to draw.
    """

    joints: np.ndarray
    tubes: list[render.Tube]

    def placed(self, scale: float, offset: np.ndarray) -> Figure:
        """The figure in pixels; arguments as in `render.Tube.placed`."""
        return Figure(
            joints=self.joints * scale + offset,
            tubes=[tube.placed(scale, offset) for tube in self.tubes],
        )


class Placement(NamedTuple):
    """The placement of a figure in its picture.

    Attributes:
        size: `(2,)` width and height of the picture.
        scale: Pixels per body height.
        offset: `(3,)` origin of the view frame, in the image frame.
        box: `(4,)` x, y, width and height of the body, image frame.
    """

    size: np.ndarray
    scale: float
    offset: np.ndarray
    box: np.ndarray


class Photograph(NamedTuple):
    """A person's picture and its labels.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        joints: `(K, 2)` in the image frame, also outside the picture.
        visible: `(K,)` 0 outside the picture, 1 hidden, 2 seen.
        box: `(4,)` x, y, width and height of the entire body, image frame.
        body: `(H, W)` bool mask of the body, without an occluder.
    """

    image: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    body: np.ndarray


def check_levers(levers: Collection[str]) -> None:
    """Requires names of `LEVERS`.

    Raises:
        ValueError: a name is unknown.
    """
    unknown = [name for name in levers if name not in LEVERS]
    if unknown:
        raise ValueError(
            f"`levers` are some of {', '.join(LEVERS)}. "
            f"Received: levers={tuple(levers)!r}"
        )


def person(
    seed: int, index: int, *, levers: Collection[str] = ()
) -> schema.Person:
    """Draws person number `index` of collection `seed`, always the same.

    Args:
        seed: Seed of the collection.
        index: Number of the person in the collection.
        levers: Names from `LEVERS`, which make people more like those of
            photographs.

    Returns:
        A `schema.Person` with `skeletons.MPII`'s joints, unlabelled and zero
        outside the picture; at least six are labelled. `box` is the extent of
        the entire body, also outside the picture; `head_size` the length of the
        head segment, upper neck to head top; `area` the number of the body's
        pixels in the picture.
    """
    check_levers(levers)
    rng = np.random.default_rng([seed, index])
    taken = take(rng, levers)
    while np.count_nonzero(taken.visible) < FEWEST_JOINTS:
        taken = take(rng, levers)
    neck, top = taken.joints[skeletons.MPII.indices(skeletons.MPII.head)]
    return schema.Person(
        image=taken.image,
        image_id=index,
        source_id=f"{index:08d}",
        joints=np.where(taken.visible[:, None], taken.joints, 0.0),
        visible=taken.visible,
        box=taken.box,
        head_size=float(np.linalg.norm(top - neck)),
        area=float(np.sum(taken.body)),
    )


def take(rng: np.random.Generator, levers: Collection[str] = ()) -> Photograph:
    """Draws a person, who may be almost entirely outside the picture."""
    figure = _figure(rng, levers)
    place = _place(rng, figure)
    figure = figure.placed(place.scale, place.offset)
    light = _light(rng)
    image = _behind(rng, place.size, light, levers)
    depths = render.empty_depths(image)
    render.paint_all(image, depths, figure.tubes, light)
    body_pixels = depths > -np.inf
    if rng.random() < OCCLUDED_SHARE:
        joint = figure.joints[rng.integers(len(figure.joints)), :2]
        middle = joint + rng.normal(0, OCCLUDER_DEVIATION, 2)
        centre = np.append(middle, OCCLUDER_DEPTH)
        post = background.post(rng, centre, place.scale)
        render.paint(image, depths, post, light)
    return Photograph(
        image=_exposed(rng, image),
        joints=figure.joints[:, :2],
        visible=_visible(figure.joints, depths, place.scale),
        box=place.box,
        body=body_pixels,
    )


def perspective(rng: np.random.Generator, figure: Figure) -> Figure:
    """Applies a perspective: parts near the camera become larger.

    Args:
        rng: Draws the camera's distance.
        figure: In body heights.

    Returns:
        The figure after the perspective, in body heights.
    """
    distance = CAMERA_DISTANCE.draw(rng)
    middle = figure.joints.mean(0)

    def enlarged(points):
        behind = (points[:, 2:] - middle[2]).clip(-2, 1)
        gain = distance / (distance - behind)
        across = middle[:2] + (points[:, :2] - middle[:2]) * gain
        return np.concatenate([across, points[:, 2:]], 1), gain[:, 0]

    tubes = []
    for tube in figure.tubes:
        ends, gain = enlarged(tube.ends)
        tubes.append(
            dataclasses.replace(
                tube,
                ends=ends,
                radii=tube.radii * gain,
                # A NumPy number, with which `render` computes in float64. A
                # Python number would change the rounding of a few pixels.
                cap=tube.cap * gain.mean(),
            )
        )
    joints, _ = enlarged(figure.joints)
    return Figure(joints, tubes)


def _figure(rng, levers):
    """A `Figure`, in body heights."""
    pose = body.pose(rng, body.any_heading(rng), acrobatics="poses" in levers)
    tubes = cloth.dressed(rng, pose, everyday="cloth" in levers)
    joints = np.stack([pose.points[name] for name in skeletons.MPII.joints])
    figure = Figure(joints, tubes)
    return perspective(rng, figure) if "camera" in levers else figure


def _place(rng, figure):
    """The `Placement` of a figure that is in body heights."""
    scale = SCALE.draw(rng)
    tubes = figure.tubes
    ends = np.concatenate([tube.ends[:, :2] for tube in tubes]) * scale
    radii = np.concatenate([tube.radii for tube in tubes])[:, None] * scale
    low = (ends - radii).min(0)
    extent = (ends + radii).max(0) - low
    size = rng.integers(SMALLEST_SIDE, LARGEST_SIDE + 1, 2)
    size = np.maximum(size, (extent + 5).astype(int))
    corner = rng.uniform(2, size - extent - 1)
    if rng.random() < CUT_OFF_SHARE:
        axis = rng.integers(2)
        outside = CUT_OFF.draw(rng) * extent
        first_share = (CUT_OFF_LEFT_SHARE, CUT_OFF_TOP_SHARE)[axis]
        first = rng.random() < first_share
        moved = -outside if first else size + outside - extent
        corner[axis] = moved[axis]
    # The picture's edge is half a pixel before the first pixel's centre.
    box = np.concatenate([corner + 0.5, extent])
    return Placement(size, scale, np.append(corner - low, 0), box)


def _light(rng):
    """`(3,)`, as in `render.paint`: light mostly from above and the front."""
    light = rng.normal(size=3) * [1, 1, 0.5] + [0, -0.5, 1]
    return light * (LIGHT_STRENGTH.draw(rng) / np.linalg.norm(light))


def _behind(rng, size, light, levers):
    """`(H, W, 3)` float32 RGB of the background."""
    if "scenes" in levers and rng.random() < PLACES_SHARE:
        image = background.place(rng, size)
    else:
        image = background.pattern(rng, size, light)
    if "bystanders" in levers and rng.random() >= ALONE_SHARE:
        return _with_bystanders(rng, image, light, levers)
    return image


def _with_bystanders(rng, image, light, levers):
    """Adds other people to a picture, out of focus; they have no labels."""
    size = np.array(image.shape[1::-1])
    for _ in range(rng.integers(1, 4)):
        figure = _figure(rng, levers)
        scale = BYSTANDERS_SCALE.draw(rng)
        offset = np.append(rng.uniform((0, 0), size), 0)
        tubes = figure.placed(scale, offset).tubes
        render.paint_all(image, render.empty_depths(image), tubes, light)
    blur = 0.2 + rng.gamma(0.7, 1.0)
    return cv2.GaussianBlur(image, (5, 5), blur)


def _visible(joints, depths, scale):
    """`(K,)` 0 outside the picture, 1 hidden, 2 seen; arguments in pixels."""
    height, width = depths.shape
    size = np.array([width, height])
    pixel = np.rint(joints[:, :2]).astype(int)
    column, row = pixel.clip(0, size - 1).T
    hidden = depths[row, column] - joints[:, 2] > BODY_THICKNESS * scale
    inside = ((pixel >= 0) & (pixel < size)).all(-1)
    return np.where(inside, np.where(hidden, 1, 2), 0)


def _exposed(rng, image):
    """Blurs and exposes a picture, and adds noise; returns uint8."""
    image = cv2.GaussianBlur(image, (3, 3), BLUR.draw(rng))
    gains = EXPOSURE.draw(rng) * COLOUR_GAIN.draw(rng, 3)
    image = image * gains.astype(np.float32)
    noise = rng.integers(SMALLEST_NOISE, LARGEST_NOISE + 1)
    image += rng.integers(-noise, noise + 1, image.shape, np.int8)
    return np.uint8(image.clip(0, 255))
