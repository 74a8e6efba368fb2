"""The picture of one person: who, where, before what, and through which lens.

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

# What makes people more like those of photographs, each to be left out alone;
# docs/starter.md measures them. poses: acrobatics, in three dimensions; cloth:
# as most people wear it, with folds, or little of it; scenes: horizons, walls,
# windows and leaves behind; bystanders: other people behind; camera:
# perspective.
LEVERS = ("poses", "cloth", "scenes", "bystanders", "camera")

# A person with fewer joints in the picture is drawn again.
FEWEST_JOINTS = 6
# Pixels per body height.
SCALE = Between(105, 165)
BYSTANDERS_SCALE = Between(30, 110)
# Whole pixels of the picture's sides; where the body needs more, it is larger.
SMALLEST_SIDE = 160
LARGEST_SIDE = 259
# Of people, so many leave the picture, with this share of their extent, by the
# left rather than the right, or by the top rather than the bottom: legs are
# cut off more often than heads.
CUT_OFF_SHARE = 0.15
CUT_OFF = Between(0.1, 0.45)
CUT_OFF_LEFT_SHARE = 0.5
CUT_OFF_TOP_SHARE = 0.25
# With the lever, so many people are in a place and not before a pattern.
PLACES_SHARE = 0.8
# With the lever, so many people have nobody behind them.
ALONE_SHARE = 0.6
# Body heights from the camera to the middle of the joints.
CAMERA_DISTANCE = Between(1.3, 6)
# How strong the light is, over the brightness of what faces it.
LIGHT_STRENGTH = Between(0.35, 0.6)
# Of people, so many have a post before a joint, or so many pixels off it.
OCCLUDED_SHARE = 0.2
OCCLUDER_DEVIATION = 9
# Pixels by which the post is nearer than any body.
OCCLUDER_DEPTH = 1e3
# A joint is hidden if it lies further behind what is seen than a body is thick,
# in body heights.
BODY_THICKNESS = 0.12
# The lens's blur in pixels, the exposure, and that of each colour over it.
BLUR = Between(0.1, 0.8)
EXPOSURE = Between(0.6, 1.2)
COLOUR_GAIN = Between(0.88, 1.1)
# A picture's noise in steps of brightness, all as likely, is at most one of
# these whole numbers.
SMALLEST_NOISE = 2
LARGEST_NOISE = 13


class Figure(NamedTuple):
    """A body, dressed, in body heights or pixels.

    Attributes:
        joints: `(K, 3)`, view frame.
        tubes: What is drawn of it.
    """

    joints: np.ndarray
    tubes: list[render.Tube]

    def placed(self, scale: float, offset: np.ndarray) -> Figure:
        """Itself in pixels; arguments as `render.Tube.placed`'s."""
        return Figure(
            joints=self.joints * scale + offset,
            tubes=[tube.placed(scale, offset) for tube in self.tubes],
        )


class Placement(NamedTuple):
    """Where a figure is in its picture.

    Attributes:
        size: `(2,)` the picture's width and height.
        scale: Pixels per body height.
        offset: `(3,)` the view frame's origin, image frame.
        box: `(4,)` x, y, width and height of the body, image frame.
    """

    size: np.ndarray
    scale: float
    offset: np.ndarray
    box: np.ndarray


class Photograph(NamedTuple):
    """A person's picture, and what is known of it.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        joints: `(K, 2)` image frame, in the picture or not.
        visible: `(K,)` 0 outside the picture, 1 hidden, 2 seen.
        box: `(4,)` the whole body's x, y, width and height, image frame.
        body: `(H, W)` bool of the body before anything is put in front of it.
    """

    image: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    body: np.ndarray


def check_levers(levers: Collection[str]) -> None:
    """Requires names of `LEVERS`.

    Raises:
        ValueError: there is another.
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
        seed: Another draws other people.
        index: Another draws another person.
        levers: Some of `LEVERS`: what makes people more like those of
            photographs.

    Returns:
        A `schema.Person` with `skeletons.MPII`'s joints, unlabelled and zero
        outside the picture; at least six are labelled. `box` is the whole
        body's extent, in the picture or not; `head_size` the length of its head
        segment, upper neck to head top; `area` its pixels in the picture.
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
    """Draws someone, who may be outside the picture but for a foot."""
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
    """Brings what is nearer to the camera nearer to its edge, and larger.

    Args:
        rng: Draws the camera's distance.
        figure: In body heights.

    Returns:
        The figure as the camera sees it.
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
                # A NumPy number, which `render` therefore computes with in
                # float64; a Python one would round a few pixels otherwise.
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
    # The picture's edge lies half a pixel before its first centre.
    box = np.concatenate([corner + 0.5, extent])
    return Placement(size, scale, np.append(corner - low, 0), box)


def _light(rng):
    """`(3,)`, as `render.paint` takes it: mostly from above and the front."""
    light = rng.normal(size=3) * [1, 1, 0.5] + [0, -0.5, 1]
    return light * (LIGHT_STRENGTH.draw(rng) / np.linalg.norm(light))


def _behind(rng, size, light, levers):
    """`(H, W, 3)` float32 RGB of what no body hides."""
    if "scenes" in levers and rng.random() < PLACES_SHARE:
        image = background.place(rng, size)
    else:
        image = background.pattern(rng, size, light)
    if "bystanders" in levers and rng.random() >= ALONE_SHARE:
        return _with_bystanders(rng, image, light, levers)
    return image


def _with_bystanders(rng, image, light, levers):
    """A picture with other people in it, out of focus; they have no labels."""
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
    """uint8 of a picture, blurred, exposed and with noise."""
    image = cv2.GaussianBlur(image, (3, 3), BLUR.draw(rng))
    gains = EXPOSURE.draw(rng) * COLOUR_GAIN.draw(rng, 3)
    image = image * gains.astype(np.float32)
    noise = rng.integers(SMALLEST_NOISE, LARGEST_NOISE + 1)
    image += rng.integers(-noise, noise + 1, image.shape, np.int8)
    return np.uint8(image.clip(0, 255))
