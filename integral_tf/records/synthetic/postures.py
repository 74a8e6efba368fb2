"""Postures: the angles of legs, spine and arms, and their frequencies.

All angles are in degrees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from integral_tf.records.synthetic import chance

Between = chance.Between


class LegPosture(NamedTuple):
    """A posture of legs and spine.

    Attributes:
        share: Share of the people without acrobatics who have this posture.
        aside: Angle of the thigh away from the other: 0 hangs, 90 is level.
        forwards: Angle of the thigh to the front: 0 hangs, 90 is level.
        knee: Angle of the knee: 0 is straight, else the shin points back.
        lean: Angle of the spine to the front.
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
    """A posture of an arm; each arm has its own.

    Attributes:
        share: Share of the arms without acrobatics that have this posture.
        aside: Angle of the upper arm away from the body: 0 hangs, 90 is level.
        forwards: Angle of the upper arm to the front: 0 hangs, 90 is level.
        elbow: Angle of the elbow: 0 is straight, else the forearm points to the
            front.
        inwards: Rotation of the forearm about the upper arm to the other side.
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
# With acrobatics, the share of legs, and of arms, in an acrobatic posture.
ACROBATIC_SHARE = 0.5


def any_legs(rng: np.random.Generator, acrobatics: bool) -> LegPosture:
    """Draws a posture of legs and spine; acrobatic only with `acrobatics`."""
    return _any(rng, LEG_POSTURES, ACROBATIC_LEGS, acrobatics)


def any_arm(rng: np.random.Generator, acrobatics: bool) -> ArmPosture:
    """Draws a posture of an arm; acrobatic only with `acrobatics`."""
    return _any(rng, ARM_POSTURES, ACROBATIC_ARM, acrobatics)


def _any(rng, usual, acrobatic, acrobatics):
    wild = ACROBATIC_SHARE if acrobatics else 0.0
    shares = [posture.share * (1 - wild) for posture in usual]
    chosen = rng.choice(len(usual) + 1, p=[*shares, wild])
    return (*usual, acrobatic)[chosen]
