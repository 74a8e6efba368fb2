"""Checks the numbers in rows of keypoint files, many rows at a time.

Shape letters: N rows, K joints. Points and boxes are in the image frame.
"""

import numpy as np

from integral_tf import coordinates

_LARGEST = float(np.finfo(np.float32).max)
_NO_NUMBERS = "keypoints that are no numbers", ""


def keypoints(values, joints):
    """The points of rows, of which some may be invalid.

    Args:
        values: N values of `keypoints`; nothing is nobody labelled.
        joints: The number K of joints.

    Returns:
        `(N, K, 3)` x, y and 0, 1 or 2; `(N,)` bools, whether a valid row had
        other visibilities; and a dict from the place of an invalid row to the
        reason and an addition to the row's name.
    """
    size = 3 * joints
    flat, others = _arrays(
        [value or [0] * size for value in values], size, nested=True
    )
    points = flat.reshape(-1, joints, 3)
    flags = points[..., 2]
    labelled = flags > 0
    is_finite = np.isfinite(points)
    near = (np.abs(points[..., :2]) < coordinates.LARGEST_BOX).all(axis=-1)
    invalid = {
        "keypoints beyond all images": ~near,
        _NO_NUMBERS[0]: ~is_finite[..., :2].all(axis=-1),
    }
    reasons = {
        place: (reason, "")
        for reason, where in invalid.items()
        for place in np.flatnonzero((labelled & where).any(axis=1)).tolist()
    }
    wrong = f"keypoints other than {joints} times x, y and visibility"
    for place, count in others.items():
        reasons[place] = (
            _NO_NUMBERS if count is None else (wrong, f" with {count} numbers")
        )
    is_odd = ~((flags == 0) | (flags == 1) | (flags == 2)).all(axis=1)
    is_odd[list(reasons)] = False
    points = np.where(is_finite, points, 0.0)
    points[..., 2] = np.where(labelled, np.where(flags == 1, 1, 2), 0)
    return points, is_odd, reasons


def plain(points):
    """Lists of the 3 K numbers of `(N, K, 3)` points, whole ones as integers.

    These are written without a decimal point.
    """
    flat = points.reshape(len(points), 3 * points.shape[1])
    is_whole = (flat == np.rint(flat)) & (np.abs(flat) < 2**53)
    if is_whole.all():
        return flat.astype(np.int64).tolist()
    mixed = flat.astype(object)
    mixed[is_whole] = flat[is_whole].astype(np.int64)
    return mixed.tolist()


def usable_box(value):
    """`(4,)` x, y, width, height, or None if `value` is no box with an area."""
    (box,) = usable_boxes([value])
    return box if box[2] else None


def usable_boxes(values):
    """`(N, 4)` x, y, width, height; 0 where a value is no box with an area."""
    boxes, _ = _arrays(values, 4, nested=False)
    usable = (np.abs(boxes) < coordinates.LARGEST_BOX).all(axis=1)
    usable &= (boxes[:, 2:] > 0).all(axis=1)
    return np.where(usable[:, None], boxes, 0.0)


def finite(value):
    """A value as a number that is finite in float32, or None if it is not."""
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if abs(value) <= _LARGEST else None


def _arrays(values, size, *, nested):
    """Values as arrays of numbers.

    Args:
        values: N values.
        size: How many numbers each should have.
        nested: Whether these may be in lists of lists.

    Returns:
        `(N, size)` float64; and a dict from the place of a value that has
        another size, whose row is 0, to this size, or to None if the value is
        no array of numbers.
    """
    try:
        block = np.array(values, np.float64)
        if block.ndim == 2 or nested:
            block = block.reshape(len(values), -1)
            if block.shape[1] == size:
                return block, {}
    except (TypeError, ValueError, OverflowError):
        pass  # of one value; which, is found below
    block, others = np.zeros((len(values), size)), {}
    for place, value in enumerate(values):
        try:
            each = np.asarray(value, np.float64)
        except (TypeError, ValueError, OverflowError):
            others[place] = None
            continue
        if each.size == size and (each.ndim == 1 or nested):
            block[place] = each.ravel()
        else:
            others[place] = each.size
    return block, others
