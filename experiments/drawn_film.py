"""Draws films of people who move along splines, with their exact joints.

The limbs of a body turn along splines through random postures, a second apart.
The body moves along a spline through the picture. Two people cross from side
to side in opposite directions; others stand where both pass by.

Shape letters: T frames, P people, K joints of `skeletons.MPII`.
"""

import dataclasses

import cv2
import numpy as np
from scipy import interpolate
from scipy.spatial import transform

from integral_tf import skeletons
from integral_tf.records.synthetic import background
from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import cloth
from integral_tf.records.synthetic import render

WIDTH, HEIGHT, RATE = 480, 240, 25
# Pixels per body height.
SCALE = 115, 145
# Degrees by which a body turns between postures.
TURN = 20
# Seconds from one posture to the next.
PACE = 1.0
# Pixels by which a path leaves the straight line.
SWAY = 14
NOISE = 6
# Depth in pixels between people.
APART = 300.0


@dataclasses.dataclass
class Film:
    """A film and its truth.

    Attributes:
        images: List of T `(HEIGHT, WIDTH, 3)` uint8 RGB frames.
        seconds: `(T,)` times.
        joints: `(T, P, K, 2)` in image pixels.
        boxes: `(T, P, 4)` x, y, width, height around the joints, by 1.2.
        seen: `(T, P)` share of a body's pixels that nobody else hides, and that
            are in the picture.
        heights: `(P,)` pixels per body height.
    """

    images: list
    seconds: np.ndarray
    joints: np.ndarray
    boxes: np.ndarray
    seen: np.ndarray
    heights: np.ndarray


class Actor:
    """A person of a film; the first one is the furthest away.

    Args:
        seed: Seed of the film.
        number: Number of the person, from 0. The first goes to the right, the
            second to the left; others stay near the left or the right.
        duration: Seconds of the film.
        pace: Seconds from one posture to the next.
    """

    def __init__(self, seed, number, duration, pace):
        rng = np.random.default_rng([seed, number])
        self.looks = [seed, number, 1]
        self.height = rng.uniform(*SCALE)
        keys = np.arange(0, duration + 2 * pace, pace)
        heading = body.any_heading(rng)
        poses = [body.pose(rng, heading + TURN * rng.normal()) for _ in keys]
        self.first = poses[0]
        self.turns = {
            name: transform.RotationSpline(
                keys,
                transform.Rotation.from_matrix(
                    [pose.axes[name] for pose in poses]
                ),
            )
            for name in self.first.axes
        }
        start, end = ((0.1, 0.9), (0.9, 0.1), (0.3, 0.3), (0.7, 0.7))[number]
        x = np.interp(keys, [0, duration], [start, end])
        path = np.stack(
            [
                WIDTH * x + SWAY * rng.normal(size=len(keys)),
                HEIGHT * 0.5 + 0.3 * SWAY * rng.normal(size=len(keys)),
                np.full(len(keys), number * APART),
            ],
            axis=-1,
        )
        self.path = interpolate.CubicSpline(keys, path)

    def posed(self, seconds):
        """The `body.Pose` at a time, in body heights; bones keep lengths."""
        axes = {
            name: turn(seconds).as_matrix() for name, turn in self.turns.items()
        }
        first = self.first.points
        points = {"pelvis": np.zeros(3)}
        trunk = (
            ("pelvis", "thorax", "thorax"),
            ("thorax", "upper_neck", "head_top"),
            ("upper_neck", "head_top", "head_top"),
        )
        for start, end, turned in trunk:
            length = np.linalg.norm(first[end] - first[start])
            points[end] = points[start] - length * axes[turned][:, 1]
        pose = body.Pose(points, axes)
        for side in body.SIDES:
            for bone in body.BONES:
                start = pose.start_of(bone, side)
                reach = first[side + bone.end] - self.first.start_of(bone, side)
                length = np.linalg.norm(reach)
                turned = axes[side + bone.end]
                points[side + bone.end] = start + length * turned[:, 1]
        return pose

    def placed(self, seconds):
        """`(K, 2)` joints and the tubes at a time, in pixels."""
        pose = self.posed(seconds)
        offset = self.path(seconds)
        rng = np.random.default_rng(self.looks)
        tubes = cloth.dressed(rng, pose, everyday=True)
        names = skeletons.MPII.joints
        joints = np.stack([pose.points[name] for name in names])
        return (
            (joints * self.height + offset)[:, :2],
            [tube.placed(self.height, offset) for tube in tubes],
        )


def draw(seed, *, people=3, duration=6.0, pace=PACE):
    """Draws the `Film` of a seed; the same seed gives the same film."""
    rng = np.random.default_rng([seed, 1000])
    size = np.array([WIDTH, HEIGHT])
    light = rng.normal(size=3) * [1, 1, 0.5] + [0, -0.5, 1]
    light *= 0.5 / np.linalg.norm(light)
    behind = background.place(rng, size)
    actors = [Actor(seed, number, duration, pace) for number in range(people)]
    seconds = np.arange(round(duration * RATE)) / RATE
    images, joints, seen = [], [], []
    for time in seconds:
        image, masks, points = behind.copy(), [], []
        for actor in actors:
            placed, tubes = actor.placed(time)
            depths = render.empty_depths(image)
            render.paint_all(image, depths, tubes, light)
            masks.append(depths > -np.inf)
            points.append(placed)
        images.append(_exposed(rng, image))
        joints.append(points)
        seen.append(_seen(masks))
    joints = np.array(joints)
    low, high = joints.min(axis=2), joints.max(axis=2)
    sides = 1.2 * (high - low)
    boxes = np.concatenate([(low + high + 1 - sides) / 2, sides], axis=-1)
    heights = np.array([actor.height for actor in actors])
    return Film(images, seconds, joints, boxes, np.array(seen), heights)


def _seen(masks):
    """The share of each mask that no later mask hides."""
    hidden, shares = np.zeros_like(masks[0]), []
    for mask in masks[::-1]:
        shares.append((mask & ~hidden).sum() / max(mask.sum(), 1))
        hidden |= mask
    return shares[::-1]


def _exposed(rng, image):
    image = cv2.GaussianBlur(image, (3, 3), 0.5) * np.float32(0.9)
    image += rng.integers(-NOISE, NOISE + 1, image.shape, np.int8)
    return np.uint8(image.clip(0, 255))


def detected(film, seed, *, jitter=0.03, missed=0.05, hidden=0.3):
    """Boxes as a detector finds them: moved, resized, and sometimes missed.

    Args:
        film: The `Film`.
        seed: Seed of the errors.
        jitter: Standard deviation of each side, relative to the box.
        missed: Share of the boxes that are missing.
        hidden: A person of whom less is seen is never found.

    Returns:
        List of T `(N, 4)` boxes.
    """
    rng = np.random.default_rng([seed, 1001])
    noise = rng.normal(0, jitter, (*film.boxes.shape[:2], 2, 2))
    found = rng.random(film.seen.shape) >= missed
    found &= film.seen >= hidden
    low, sides = film.boxes[..., :2], film.boxes[..., 2:]
    ends = np.stack([low, low + sides], axis=-2) + noise * sides[..., None, :]
    boxes = np.concatenate([ends[..., 0, :], ends[..., 1, :]], axis=-1)
    boxes[..., 2:] -= boxes[..., :2]
    return [each[there] for each, there in zip(boxes, found)]
