"""A body in three dimensions: its bones and their rotations.

The *view frame* has x to the right, y down and z towards the viewer, in body
heights. A limb's *axes* are its left, down and front. They are x, y and z if
the limb hangs and the body faces the viewer. Left is the body's own left. All
angles are in degrees.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from integral_tf.records.synthetic import chance
from integral_tf.records.synthetic import postures

Around = chance.Around
Between = chance.Between

# Each side's prefix of joint names, and the sign of its direction along left.
SIDES = {"left_": 1, "right_": -1}


class Bone(NamedTuple):
    """A bone that the body has on both sides.

    Attributes:
        start: The joint at its start, without its side.
        end: The joint at its end, without its side; "hand" and "toes" are
            joints here.
        length: In body heights.
    """

    start: str
    end: str
    length: float


# In this order: a bone's start is a joint of the trunk, or an earlier bone's
# end.
BONES = (
    Bone("thorax", "shoulder", 0.105),
    Bone("shoulder", "elbow", 0.165),
    Bone("elbow", "wrist", 0.145),
    Bone("wrist", "hand", 0.06),
    Bone("pelvis", "hip", 0.055),
    Bone("hip", "knee", 0.24),
    Bone("knee", "ankle", 0.235),
    Bone("ankle", "toes", 0.095),
)
# Factor on a bone's length, the same on both sides.
STRETCH = Around(1, 0.07)
STRETCH_LIMITS = Between(0.85, 1.15)
# Lengths in body heights: pelvis to thorax, thorax to upper neck, upper neck to
# head top.
BACK_LENGTH = Around(0.29, 0.02)
NECK_LENGTH = Around(0.05, 0.003)
SKULL_LENGTH = Around(0.165, 0.009)

# Direction of the body: 0 faces the viewer, 180 faces away.
HEADINGS = (0, 0, 0, 180, 180)
HEADING_DEVIATION = 35
# Lean of the pelvis to the front, and its largest lean aside.
TILT = Around(0, 6)
ACROBATIC_TILT = Around(0, 35)
LARGEST_TILT_ASIDE = 30
# The spine relative to the pelvis; its lean is part of the legs' posture.
SPINE_TWIST = Around(0, 12)
SPINE_ASIDE = Around(0, 9)
# The head relative to the spine. It is lifted by this share of the spine's
# lean, because people who bend over look ahead.
LOOKING_AHEAD = 0.8
NOD = Around(-4, 9)
HEAD_TWIST = Around(0, 22)
HEAD_ASIDE = Around(0, 9)
# Shoulders and hips, relative to hanging: nearly level.
GIRDLE_ASIDE = Around(86, 4)
# Forward angle of a walker's leg and of the arm on the other side.
STRIDE = Between(10, 40)
HAND_BEND = Around(0, 20)
# Rotation of the thigh about its axis, which turns the knee outwards.
KNEE_OUTWARDS = Around(8, 10)
FOOT_BEND = Around(70, 12)


@dataclasses.dataclass(frozen=True)
class Pose:
    """The positions of a body's joints and the axes of its limbs.

    Attributes:
        points: Dict of `(3,)` points, view frame, by joint; the pelvis is 0.
        axes: Dict of `(3, 3)` axes, by the joint at the limb's end, and of the
            pelvis; columns are left, down and front.
    """

    points: dict[str, np.ndarray]
    axes: dict[str, np.ndarray]

    def start_of(self, bone: Bone, side: str) -> np.ndarray:
        """The start of a bone of this side; the trunk has no sides."""
        on_trunk = bone.start in self.points
        return self.points[bone.start if on_trunk else side + bone.start]


def rotation(
    *, forwards: float = 0.0, around: float = 0.0, aside: float = 0.0
) -> np.ndarray:
    """A rotation about the three axes, in this order.

    Args:
        forwards: Degrees that turn what is down to the front.
        around: Degrees that turn what is in front to the left.
        aside: Degrees that turn what is down to the left.

    Returns:
        `(3, 3)`, to multiply axes by from the right.
    """
    angles = np.radians((forwards, around, aside))
    cos_forwards, cos_around, cos_aside = np.cos(angles)
    sin_forwards, sin_around, sin_aside = np.sin(angles)
    turn_forwards = np.array([
        (1, 0, 0),
        (0, cos_forwards, -sin_forwards),
        (0, sin_forwards, cos_forwards),
    ])  # fmt: skip
    turn_around = np.array([
        (cos_around, 0, sin_around),
        (0, 1, 0),
        (-sin_around, 0, cos_around),
    ])  # fmt: skip
    turn_aside = np.array([
        (cos_aside, sin_aside, 0),
        (-sin_aside, cos_aside, 0),
        (0, 0, 1),
    ])  # fmt: skip
    return turn_aside @ (turn_around @ turn_forwards)


def any_heading(rng: np.random.Generator) -> float:
    """A direction: to the viewer (0), the viewer's right (90), away (180)."""
    return rng.normal(rng.choice(HEADINGS), HEADING_DEVIATION)


def pose(
    rng: np.random.Generator, heading: float, *, acrobatics: bool = False
) -> Pose:
    """Poses a body.

    Args:
        rng: Draws the lengths and the angles.
        heading: Direction of the body: to the viewer (0), to the viewer's right
            (90) or away (180).
        acrobatics: Whether half of the legs and arms have acrobatic postures.
    """
    legs = postures.any_legs(rng, acrobatics)
    posed = _trunk(rng, heading, legs)
    pelvis = posed.axes["pelvis"]
    spine = posed.axes["thorax"]
    stride = rng.choice([-1, 1]) * STRIDE.draw(rng)
    stretch = STRETCH.draw(rng, len(BONES))
    stretch = stretch.clip(STRETCH_LIMITS.low, STRETCH_LIMITS.high)
    for side, sign in SIDES.items():
        axes = _arm(rng, spine, sign, stride, acrobatics)
        axes |= _leg(rng, pelvis, sign, stride, legs)
        level = rotation(aside=sign * GIRDLE_ASIDE.draw(rng))
        axes["shoulder"] = spine @ level
        axes["hip"] = pelvis @ level
        for bone, stretched in zip(BONES, stretch):
            start = posed.start_of(bone, side)
            down = axes[bone.end][:, 1]
            end = start + stretched * bone.length * down
            posed.points[side + bone.end] = end
            posed.axes[side + bone.end] = axes[bone.end]
    return posed


def _trunk(rng, heading, legs):
    """The `Pose` of pelvis, spine and head."""
    lean = legs.lean.draw(rng)
    tilt = ACROBATIC_TILT if legs is postures.ACROBATIC_LEGS else TILT
    pelvis = rotation(
        forwards=tilt.draw(rng),
        around=heading,
        aside=rng.triangular(-LARGEST_TILT_ASIDE, 0, LARGEST_TILT_ASIDE),
    )
    spine = pelvis @ rotation(
        forwards=-lean,
        around=SPINE_TWIST.draw(rng),
        aside=SPINE_ASIDE.draw(rng),
    )
    head = spine @ rotation(
        forwards=LOOKING_AHEAD * lean + NOD.draw(rng),
        around=HEAD_TWIST.draw(rng),
        aside=HEAD_ASIDE.draw(rng),
    )
    thorax = -BACK_LENGTH.draw(rng) * spine[:, 1]
    upper_neck = thorax - NECK_LENGTH.draw(rng) * head[:, 1]
    head_top = upper_neck - SKULL_LENGTH.draw(rng) * head[:, 1]
    return Pose(
        points={
            "pelvis": np.zeros(3),
            "thorax": thorax,
            "upper_neck": upper_neck,
            "head_top": head_top,
        },
        axes={"pelvis": pelvis, "thorax": spine, "head_top": head},
    )


def _arm(rng, spine, sign, stride, acrobatics):
    """Dict of an arm's `(3, 3)` axes of limbs, by the joint at their end."""
    posture = postures.any_arm(rng, acrobatics)
    aside = posture.aside.draw(rng)
    forwards = posture.forwards.draw(rng)
    elbow = posture.elbow.draw(rng)
    inwards = posture.inwards.draw(rng)
    if posture is postures.WALKING_ARM:
        forwards += sign * stride
    upper = spine @ rotation(forwards=forwards, aside=sign * aside)
    turned = upper @ rotation(around=-sign * inwards)
    lower = turned @ rotation(forwards=elbow)
    hand = lower @ rotation(forwards=HAND_BEND.draw(rng))
    return {"elbow": upper, "wrist": lower, "hand": hand}


def _leg(rng, pelvis, sign, stride, posture):
    """Dict of a leg's `(3, 3)` axes of limbs, by the joint at their end."""
    aside = posture.aside.draw(rng)
    forwards = posture.forwards.draw(rng)
    knee = posture.knee.draw(rng)
    # Not used; drawn so that later random numbers do not change.
    posture.lean.draw(rng)
    if posture is postures.WALKING_LEGS:
        forwards -= sign * stride
    hanging = pelvis @ rotation(forwards=forwards, aside=sign * aside)
    thigh = hanging @ rotation(around=sign * KNEE_OUTWARDS.draw(rng))
    shin = thigh @ rotation(forwards=-knee)
    foot = shin @ rotation(forwards=FOOT_BEND.draw(rng))
    return {"knee": thigh, "ankle": shin, "toes": foot}
