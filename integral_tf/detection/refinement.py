"""The box of a person from the sure joints of a first answer.

A photograph without boxes is taken for one person. Where that person fills a
part of it only, the network sees too little of each joint; the box of the
joints that it is sure of gives a second and closer look.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from integral_tf import coordinates

# ours: the score from which a joint is sure. A trained model's scores are
# chances of being within half a head.
SURE = 0.3
# ours: as records make a box around labelled joints.
_BODY_MARGIN = 1.25
# ours: fewer say too little of where a body is.
_FEWEST = 3


def sure_box(joints: np.ndarray, scores: np.ndarray) -> np.ndarray | None:
    """The box of a pose's sure joints, or None where too few are sure.

    Args:
        joints: `(K, 2)` x, y in image pixels.
        scores: `(K,)` in [0, 1].

    Returns:
        `(4,)` x, y, width, height in image pixels, 1.25 times their extent.

    Example: joints from 10 to 49, and one that is not sure.

    >>> joints = np.array([[10, 10], [49, 10], [10, 49], [900, 900]])
    >>> sure_box(joints, np.array([0.9, 0.8, 0.7, 0.1])).tolist()
    [5.625, 5.625, 48.75, 48.75]
    """
    sure = np.asarray(scores) >= SURE
    if sure.sum() < _FEWEST:
        return None
    return coordinates.box_around(np.asarray(joints)[sure], _BODY_MARGIN)


def refined(
    estimate: Callable[[np.ndarray, list], list], image: np.ndarray
) -> Any:
    """The pose of the one person of an image, looked at twice.

    Args:
        estimate: A function from an image and a list of boxes to their poses.
        image: `(H, W, 3)` uint8 RGB.

    Returns:
        The pose in the box of the first answer's sure joints; or the first
        answer, where there is no such box, or the second is less sure.
    """
    height, width = image.shape[:2]
    (first,) = estimate(image, [np.array([0.0, 0.0, width, height])])
    box = sure_box(first.joints, first.scores)
    if box is None:
        return first
    (second,) = estimate(image, [box])
    return max(first, second, key=lambda pose: pose.score)
