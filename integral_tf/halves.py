"""Upper and lower body in joint names: finds the halves of a skeleton.

A name is split into words as in `sides`. Each name has a word of one half and
none of the other: `left_wrist`, `RAnkle`, `head_top`. Published lists of the
upper body, HRNet's of MPII and COCO, have the same joints: the hips and the
pelvis are of the lower body.
"""

from __future__ import annotations

import re

from integral_tf import sides
from integral_tf.skeletons import Skeleton

_UPPER = (
    "arm|chest|chin|clavicle|ear|elbow|eye|eyebrow|face|finger|forearm|"
    "forefinger|forehead|hand|head|jaw|lip|mouth|neck|nose|palm|shoulder|spine|"
    "sternum|thorax|throat|thumb|wrist"
)
_LOWER = "ankle|feet|foot|heel|hip|knee|leg|pelvis|shin|thigh|toe"
# Of one half's words; a side may be part of the word, as in lefthip.
_UPPER_WORD, _LOWER_WORD = (
    re.compile(f"(?:left|right)?(?:{words})s?(?:left|right)?")
    for words in (_UPPER, _LOWER)
)


def upper(skeleton: Skeleton) -> list[int]:
    """Positions of the joints of the upper body; the others are the lower's.

    >>> from integral_tf import skeletons
    >>> upper(skeletons.COCO)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

    Raises:
        ValueError: a joint's name says neither half, or both; or one of the
            halves has no joint.
    """
    sentence = (
        "`half_body` wants a skeleton with an upper and a lower body, and "
        "names that say the half of every joint, such as elbow and knee. "
        f"Received: {skeleton.name!r} with"
    )
    found = [_is_upper(name) for name in skeleton.joints]
    for name, is_upper in zip(skeleton.joints, found):
        if is_upper is None:
            raise ValueError(f"{sentence} the joint {name!r}")
    if all(found) or not any(found):
        half = "lower" if all(found) else "upper"
        raise ValueError(f"{sentence} no joint of the {half} body")
    return [place for place, is_upper in enumerate(found) if is_upper]


def _is_upper(name):
    """Whether a joint is of the upper body; None if its name does not say."""
    words = sides.words(name)
    is_upper, is_lower = (
        any(pattern.fullmatch(word) for word in words)
        for pattern in (_UPPER_WORD, _LOWER_WORD)
    )
    return is_upper if is_upper != is_lower else None
