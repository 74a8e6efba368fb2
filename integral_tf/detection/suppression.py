"""Non-maximum suppression: of boxes of one person, keep the surest."""

import numpy as np


def suppress(
    corners: np.ndarray, scores: np.ndarray, most: float = 0.45
) -> np.ndarray:
    """Greedy non-maximum suppression of boxes.

    Args:
        corners: `(N, 4)` left, top, right, bottom edges.
        scores: `(N,)`.
        most: Largest intersection over union with a surer kept box; a box
            beyond it is dropped. The default is that of YOLOX's own
            demonstration.

    Returns:
        `(M,)` indices of the kept boxes, the surest first.

    Example: the second box is the first, moved by a tenth of its width.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [10, 0, 20, 10]])
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7])).tolist()
    [1, 2]
    """
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        first, others = order[0], order[1:]
        kept.append(first)
        order = others[overlaps(corners[first], corners[others]) <= most]
    return np.array(kept, int)


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes with boxes.

    Args:
        first: `(..., 4)` left, top, right, bottom edges.
        second: `(..., 4)`, broadcast against `first`.

    Returns:
        `(...)` from 0 to 1.
    """
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = [
        np.prod(each[..., 2:] - each[..., :2], axis=-1)
        for each in (first, second)
    ]
    return shared / (areas[0] + areas[1] - shared)
