"""Postures: the angles that legs, spine and arms take, and how often.

All angles are degrees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from integral_tf.records.synthetic import chance

Between = chance.Between


class LegPosture(NamedTuple):
    """What legs and spine do.

    Attributes:
        share: Of the people who are no acrobats, so many do it.
        aside: Thigh, away from the other: 0 hangs, 90 is level.
        forwards: Thigh, to the front: 0 hangs, 90 is level.
        knee: 0 is straight; the shin goes back.
        lean: The spine's, to the front.
    """

    share: float
    aside: Between
    forwards: Between
    knee: Between
    lean: Between


STANDING_LEGS = LegPosture(
    share=0.35,
    aside=Between(0, 14),
    forwards=Between(-8, 12),
    knee=Between(0, 15),
    lean=Between(-8, 18),
)
# Forwards by the stride.
WALKING_LEGS = LegPosture(
    share=0.3,
    aside=Between(0, 8),
    forwards=Between(0, 0),
    knee=Between(5, 40),
    lean=Between(-8, 18),
)
SITTING_LEGS = LegPosture(
    share=0.13,
    aside=Between(0, 25),
    forwards=Between(65, 100),
    knee=Between(55, 100),
    lean=Between(-5, 20),
)
CROUCHING_LEGS = LegPosture(
    share=0.1,
    aside=Between(5, 35),
    forwards=Between(50, 115),
    knee=Between(80, 135),
    lean=Between(10, 50),
)
ANY_LEGS = LegPosture(
    share=0.12,
    aside=Between(5, 50),
    forwards=Between(-15, 80),
    knee=Between(0, 90),
    lean=Between(-10, 35),
)
ACROBATIC_LEGS = LegPosture(
    share=0.0,
    aside=Between(-10, 90),
    forwards=Between(-60, 130),
    knee=Between(0, 150),
    lean=Between(-50, 80),
)
LEG_POSTURES = (
    STANDING_LEGS,
    WALKING_LEGS,
    SITTING_LEGS,
    CROUCHING_LEGS,
    ANY_LEGS,
)


class ArmPosture(NamedTuple):
    """What an arm does; the other may do something else.

    Attributes:
        share: Of the arms of people who are no acrobats, so many do it.
        aside: Upper arm, away from the body: 0 hangs, 90 is level.
        forwards: Upper arm, to the front: 0 hangs, 90 is level.
        elbow: 0 is straight; the forearm goes to the front.
        inwards: The forearm's front, about the upper arm, to the other side.
    """

    share: float
    aside: Between
    forwards: Between
    elbow: Between
    inwards: Between


HANGING_ARM = ArmPosture(
    share=0.25,
    aside=Between(3, 25),
    forwards=Between(-20, 25),
    elbow=Between(0, 40),
    inwards=Between(0, 60),
)
# Forwards by the stride.
WALKING_ARM = ArmPosture(
    share=0.15,
    aside=Between(3, 15),
    forwards=Between(0, 0),
    elbow=Between(10, 80),
    inwards=Between(0, 40),
)
ARM_IN_FRONT = ArmPosture(
    share=0.18,
    aside=Between(0, 30),
    forwards=Between(25, 105),
    elbow=Between(5, 110),
    inwards=Between(0, 50),
)
RAISED_ARM = ArmPosture(
    share=0.22,
    aside=Between(75, 170),
    forwards=Between(-10, 25),
    elbow=Between(0, 110),
    inwards=Between(-100, 20),
)
HAND_ON_HIP = ArmPosture(
    share=0.1,
    aside=Between(35, 55),
    forwards=Between(-30, -5),
    elbow=Between(75, 105),
    inwards=Between(60, 80),
)
ANY_ARM = ArmPosture(
    share=0.1,
    aside=Between(0, 110),
    forwards=Between(-30, 100),
    elbow=Between(0, 130),
    inwards=Between(-40, 90),
)
ACROBATIC_ARM = ArmPosture(
    share=0.0,
    aside=Between(0, 180),
    forwards=Between(-60, 180),
    elbow=Between(0, 130),
    inwards=Between(-90, 90),
)
ARM_POSTURES = (
    HANGING_ARM,
    WALKING_ARM,
    ARM_IN_FRONT,
    RAISED_ARM,
    HAND_ON_HIP,
    ANY_ARM,
)
# Where acrobatics are asked for, so many legs, and so many arms, do them.
ACROBATIC_SHARE = 0.5


def any_legs(rng: np.random.Generator, acrobatics: bool) -> LegPosture:
    """A posture of legs and spine; acrobats' only with `acrobatics`."""
    return _any(rng, LEG_POSTURES, ACROBATIC_LEGS, acrobatics)


def any_arm(rng: np.random.Generator, acrobatics: bool) -> ArmPosture:
    """A posture of an arm; acrobats' only with `acrobatics`."""
    return _any(rng, ARM_POSTURES, ACROBATIC_ARM, acrobatics)


def _any(rng, usual, acrobatic, acrobatics):
    wild = ACROBATIC_SHARE if acrobatics else 0.0
    shares = [posture.share * (1 - wild) for posture in usual]
    chosen = rng.choice(len(usual) + 1, p=[*shares, wild])
    return (*usual, acrobatic)[chosen]
