"""A number for each joint, as a flag's text names them: `left_wrist=2`.

A name is a joint's; or a joint's without its side, `wrist`, for both sides; or
that of one of the skeleton's groups, `Face`.
"""

from __future__ import annotations

import math

from integral_tf import sides
from integral_tf.skeletons import DEFAULT_SIGMA
from integral_tf.skeletons import Skeleton


def weights(text: str, skeleton: Skeleton) -> tuple[float, ...] | None:
    """The weight of each joint in losses and metrics.

    Args:
        text: `--joint_weights`: names and numbers, `left_wrist=2,nose=0`.
            Joints without a number weigh 1.
        skeleton: The `skeletons.Skeleton`.

    Returns:
        K weights; None if `text` is empty.

    Raises:
        ValueError: the text has another form, an unknown name or a negative
            number, or all weights are 0.
    """
    flag = "joint_weights"
    if not text.strip():
        return None
    found = _numbers(flag, text, skeleton)
    made = tuple(found.get(joint, 1.0) for joint in skeleton.joints)
    if min(made) < 0 or not any(made):
        raise ValueError(
            "A joint's weight is a number from 0, and one joint at least "
            f"weighs more than 0. Received: --{flag}={text}"
        )
    return made


def sigmas(text: str, skeleton: Skeleton) -> tuple[float, ...]:
    """OKS standard deviation of each joint.

    Args:
        text: `--sigmas`: names and numbers, `left_wrist=0.03`, or one number
            for all joints. Joints without a number keep the skeleton's, or if
            it has none, `skeletons.DEFAULT_SIGMA`.
        skeleton: The `skeletons.Skeleton`.

    Returns:
        K standard deviations; the skeleton's own if `text` is empty.

    Raises:
        ValueError: the text has another form, an unknown name or a number that
            is not above 0.
    """
    flag = "sigmas"
    if not text.strip():
        return skeleton.sigmas
    own = usual_sigmas(skeleton)
    if "=" in text:
        found = _numbers(flag, text, skeleton)
    else:
        found = dict.fromkeys(skeleton.joints, _number(flag, text, text))
    made = tuple(found.get(j, s) for j, s in zip(skeleton.joints, own))
    if min(made) <= 0:
        raise ValueError(
            "The standard deviation of a joint is above 0: a share of the "
            "square root of the person's area, such as COCO's 0.026 for a "
            f"nose. Received: --{flag}={text}"
        )
    return made


def usual_sigmas(skeleton: Skeleton) -> tuple[float, ...]:
    """The skeleton's standard deviations, or `skeletons.DEFAULT_SIGMA`s."""
    return skeleton.sigmas or (DEFAULT_SIGMA,) * len(skeleton)


def named(numbers: tuple[float, ...], skeleton: Skeleton) -> dict[str, float]:
    """Dict from a joint's name to its number."""
    return dict(zip(skeleton.joints, numbers))


def described(numbers: tuple[float, ...], skeleton: Skeleton) -> str:
    """The numbers in words; the most frequent one is that of the others.

    >>> from integral_tf import skeletons
    >>> described(weights("wrist=2", skeletons.LSP), skeletons.LSP)
    'right_wrist 2, left_wrist 2, others 1'
    """
    usual = max(numbers, key=numbers.count)
    said = [
        f"{joint} {number:g}"
        for joint, number in named(numbers, skeleton).items()
        if number != usual
    ]
    return ", ".join([*said, f"others {usual:g}" if said else f"all {usual:g}"])


def _numbers(flag, text, skeleton):
    """Dict from a joint to its number, for the joints that `text` names."""
    joints = _joints(skeleton)
    found = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in joints:
            raise ValueError(
                f"--{flag} names joints and their numbers, such as "
                f"{skeleton.joints[0]}=2: of {', '.join(joints)}. "
                f"Received: {part.strip()!r} in --{flag}={text}"
            )
        number = _number(flag, value, text)
        for joint in joints[name]:
            if joint in found:
                raise ValueError(
                    "A joint has one number. Received: two for "
                    f"{joint} in --{flag}={text}"
                )
            found[joint] = number
    return found


def _number(flag, value, text):
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not abs(number) < 1e30:
        raise ValueError(
            f"--{flag} has finite numbers. "
            f"Received: {value.strip()!r} in --{flag}={text}"
        )
    return number


def _joints(skeleton):
    """Dict from each name that may be given to the joints that it names."""
    names = {joint: (joint,) for joint in skeleton.joints}
    for pair in skeleton.sides:
        names.setdefault(sides.without(pair[0]), pair)
    for name, joints in skeleton.groups:
        names.setdefault(name, joints)
    return names
