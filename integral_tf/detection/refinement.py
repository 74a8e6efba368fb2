"""A person's box, from the sure joints of a first prediction.

Without boxes, a whole photograph counts as one person's box. If the person
fills only a part of it, the network sees each joint at too small a scale. The
box around the sure joints of the first prediction gives a second prediction at
a larger scale.
"""

import numpy as np

from integral_tf import coordinates

# ours: score from which a joint is sure. A trained model's score is the
# probability that the joint is within half a head of the truth.
SURE = 0.3
# ours: the margin that records have around labelled joints.
_BODY_MARGIN = 1.25
# ours: fewer sure joints do not show where the body is.
_FEWEST = 3


def sure_box(joints: np.ndarray, scores: np.ndarray) -> np.ndarray | None:
    """The box around a pose's sure joints.

    Args:
        joints: `(K, 2)` x, y in image pixels.
        scores: `(K,)` in [0, 1].

    Returns:
        `(4,)` x, y, width, height in image pixels, 1.25 times the extent of
        the sure joints; None if fewer than 3 joints are sure.

    Example: three sure joints from 10 to 49, and an unsure joint.

    >>> joints = np.array([[10, 10], [49, 10], [10, 49], [900, 900]])
    >>> sure_box(joints, np.array([0.9, 0.8, 0.7, 0.1])).tolist()
    [5.625, 5.625, 48.75, 48.75]
    """
    sure = np.asarray(scores) >= SURE
    if sure.sum() < _FEWEST:
        return None
    return coordinates.box_around(np.asarray(joints)[sure], _BODY_MARGIN)


def in_pixels(box: np.ndarray) -> np.ndarray:
    """A box `(4,)` in whole image pixels.

    ours: first joints of two runtimes differ by a thousandth of a pixel. The
    second crops would differ in grey levels, and then an unsure joint by a
    pixel.

    >>> in_pixels(np.array([5.625, 5.4, 48.75, 48.5])).tolist()
    [6.0, 5.0, 49.0, 49.0]
    """
    return np.floor(box + 0.5)
