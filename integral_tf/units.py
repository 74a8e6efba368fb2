"""The length that divides a person's errors, and the thresholds of figures.

A head (PCKh), or where no head is annotated a tenth of the box's longer side
(PCK). Records and evaluations may name another unit: `box`, the geometric mean
of the box's sides, or the distance of two joints, `left_eye,right_eye`, as
figures of faces have it.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from integral_tf.signatures import ArrayLike
from integral_tf.skeletons import Skeleton

# ours: of a named unit. An error above a tenth is a failure in WFLW's figures.
_ALPHAS = (0.1, 0.05)
_STEPS = 50


@dataclasses.dataclass(frozen=True)
class Unit:
    """A length of each person, and the thresholds at which joints are right.

    Attributes:
        metric: "PCKh" for heads, "PCK" for other lengths.
        words: Name of the lengths, in the plural.
        alphas: Thresholds of the figures. AUC has distances up to the largest.
    """

    metric: str
    words: str
    alphas: tuple[float, ...] = (0.5, 0.1)

    @property
    def right(self) -> float:
        """The largest distance at which a joint is right."""
        return max(self.alphas)

    @property
    def digits(self) -> int:
        """Decimals of a printed error: more where the thresholds are small."""
        return 2 if self.right >= HEAD.right else 3

    @property
    def thresholds(self) -> np.ndarray:
        """`(51,)` distances of the curve, from 0 to `right`."""
        return np.arange(_STEPS + 1) / _STEPS * self.right

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures: "@0.5", "@0.1" and "AUC"."""
        return (*(f"@{alpha:g}" for alpha in self.alphas), "AUC")


HEAD = Unit("PCKh", "heads")
TENTH = Unit("PCK", "tenths of the box")
BOX = Unit("PCK", "box sizes", _ALPHAS)


def named(text: str, skeleton: Skeleton) -> Unit:
    """The unit that `--normalise_by` names.

    Args:
        text: "box", or the names of two joints with a comma between.
        skeleton: The `skeletons.Skeleton` of the joints.

    Raises:
        ValueError: the text is none of these.
    """
    if text == "box":
        return BOX
    names = tuple(name.strip() for name in text.split(","))
    if len(set(names)) != 2 or not set(names) <= set(skeleton.joints):
        raise ValueError(
            "Errors are divided by the distance of two joints, named with a "
            "comma between, or by `box`, the geometric mean of the box's "
            f"sides; the joints are {', '.join(skeleton.joints)}. "
            f"Received: --normalise_by={text}"
        )
    return Unit("PCK", f"{'-'.join(names)} distances", _ALPHAS)


def lengths(
    text: str,
    skeleton: Skeleton,
    joints: ArrayLike,
    visible: ArrayLike,
    boxes: ArrayLike,
) -> np.ndarray:
    """The length of each person, by which errors are divided.

    Args:
        text: "box" or two joints, as for `named`.
        skeleton: The `skeletons.Skeleton` of the K joints.
        joints: `(N, K, 2)` true points.
        visible: `(N, K)` above 0 where labelled.
        boxes: `(N, 4)` x, y, width, height in the same frame.

    Returns:
        `(N,)`; 0 for a person in whom one of the two joints is not labelled,
        or in whom both are in the same place: such a person is in no figure.
    """
    named(text, skeleton)
    if text == "box":
        return np.sqrt(np.prod(np.asarray(boxes, np.float64)[:, 2:], axis=1))
    ends = skeleton.indices(name.strip() for name in text.split(","))
    first, second = np.moveaxis(np.asarray(joints, np.float64)[:, ends], 1, 0)
    labelled = (np.asarray(visible)[:, ends] > 0).all(axis=1)
    return np.where(labelled, np.hypot(*(first - second).T), 0.0)


def alphas(text: str) -> tuple[float, ...]:
    """The thresholds that `--alpha` names, the largest first.

    Raises:
        ValueError: the text is no list of different numbers above 0.
    """
    try:
        found = sorted((float(part) for part in text.split(",")), reverse=True)
    except ValueError:
        found = []
    distinct = len(set(found)) == len(found)
    if not found or not distinct or not all(0 < a < 100 for a in found):
        raise ValueError(
            "--alpha is thresholds above 0, in the length that divides the "
            f"errors: 0.1 or 0.05,0.1. Received: --alpha={text}"
        )
    return tuple(found)
