"""Converts the outputs of detectors to boxes of people with scores."""

import warnings
from typing import Any

import numpy as np

from integral_tf import coordinates

_WANTED = (
    "A detector answers (N, 4) boxes x, y, width, height in image pixels, or "
    "(N, 5) with a score, or supervision.Detections. "
)
# Detectors with 91 classes use COCO's own numbers, in which a person is 1;
# those with 80 classes count from 0.
_CLASSES_OF_COCO = 91


def person_of(classes: int | None) -> int:
    """Usual number of the class of people, by the number of classes.

    Args:
        classes: How many classes the detector has; None if unknown.

    >>> person_of(91), person_of(80), person_of(None)
    (1, 0, 0)
    """
    return int(classes == _CLASSES_OF_COCO)


def people(answer: Any, person: int | None = None) -> np.ndarray:
    """Converts a detector's output to boxes of people.

    Args:
        answer: `(N, 4)` x, y, width, height in image pixels, or `(N, 5)` with
            a score; or an object with `xyxy`, and maybe `confidence`,
            `class_id` and `data["class_name"]`, as `supervision.Detections`.
        person: The `class_id` of people; None takes the class named "person".

    Returns:
        `(M, 5)` float64 x, y, width, height in image pixels, and score, which
        is 1 where the detector gives none. Boxes without a positive size, and
        boxes with a number that is not finite, are left out with a warning.

    Raises:
        ValueError: `answer` has another form, or has classes without names
            while `person` is None.
    """
    if hasattr(answer, "xyxy"):
        answer = _detections(answer, person)
    try:
        rows = np.asarray(answer)
    except (TypeError, ValueError) as error:  # ragged, or on a GPU
        raise ValueError(f"{_WANTED}Received: {error}") from error
    if not rows.size:
        return np.zeros((0, 5))
    if (
        rows.ndim != 2
        or rows.shape[1] not in (4, 5)
        or rows.dtype.kind not in ("iuf")
    ):
        raise ValueError(
            f"{_WANTED}Received: shape={rows.shape}, dtype={rows.dtype}"
        )
    rows = rows.astype(np.float64)
    if rows.shape[1] == 4:
        rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    finite = (np.abs(rows) < coordinates.LARGEST_BOX).all(axis=1)
    kept = finite & (rows[:, 2:4] > 0).all(axis=1)
    if not kept.all():
        first = rows[~kept][0, :4].tolist()
        warnings.warn(
            "A detector's boxes are x, y, width, height; left out: "
            f"{(~kept).sum()} without a size, or too large, such as {first}",
            stacklevel=2,
        )
    return rows[kept]


def from_corners(corners: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Converts corners to boxes with scores.

    Args:
        corners: `(N, 4)` left, top, right, bottom edges.
        scores: `(N,)`.

    Returns:
        `(N, 5)` x, y, width, height and score.
    """
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([low, high - low, scores[:, None]], axis=1)


def _detections(found, person):
    """The `(N, 5)` boxes of people in a `supervision.Detections`."""
    corners = np.asarray(found.xyxy, np.float64).reshape(-1, 4)
    scores = getattr(found, "confidence", None)
    scores = np.ones(len(corners)) if scores is None else np.asarray(scores)
    classes = getattr(found, "class_id", None)
    names = (getattr(found, "data", None) or {}).get("class_name")
    if classes is not None and person is not None:
        taken = np.asarray(classes) == person
    elif names is not None:
        taken = np.asarray(names) == "person"
    elif classes is None or not len(corners):
        taken = np.ones(len(corners), bool)
    else:
        raise ValueError(
            "These detections have classes without names, so give the number "
            "of the class of people: detection.get(detector, person=0). "
            f"Received: class_id={np.unique(classes)}"
        )
    return from_corners(corners, scores)[taken]
