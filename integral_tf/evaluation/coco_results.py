"""Predictions as COCO's keypoint results, rescored and after OKS-NMS.

Section 6.2: "OKS based keypoint NMS" and rescoring by the keypoints' scores.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import coordinates
from integral_tf import former
from integral_tf import inference
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.evaluation.predictions import Predictions

PREDICTIONS = "predictions.json"


@dataclasses.dataclass(frozen=True)
class Answers:
    """The predictions of an evaluation, as its folder has them.

    Attributes:
        label: Method and folder, for a page.
        split: The split of the records.
        people: Dict from a person's name in the records to `(K, 3)` x, y and
            score. People whom OKS-NMS dropped are not there.
    """

    label: str
    split: str
    people: dict[str, np.ndarray]


def read(folder: str | os.PathLike, joints: int) -> Answers:
    """Reads the predictions of an evaluation.

    Args:
        folder: Folder that `integral-tf evaluate` wrote.
        joints: The number of joints that a person must have.

    Raises:
        FileNotFoundError: the folder has no predictions.
        ValueError: they are damaged, of an older version, or of other joints.
    """
    folder = pathlib.Path(folder)
    named = f"Received: --predictions={str(folder)!r}"
    if not (folder / PREDICTIONS).is_file():
        raise FileNotFoundError(
            "Predictions are a folder that `integral-tf evaluate` wrote: it "
            f"has {runs.METRICS} and {PREDICTIONS}. {named}"
        )
    try:
        figures = json.loads((folder / runs.METRICS).read_text())
        rows = json.loads((folder / PREDICTIONS).read_text())
        label = f"{figures['method']} of {folder}"
        people = {
            row["source_id"]: np.array(row["keypoints"], float).reshape(-1, 3)
            for row in rows
        }
        split = figures["split"]
        if not all(np.isfinite(points).all() for points in people.values()):
            raise ValueError("a joint that is not finite")
    except (
        ArithmeticError, LookupError, OSError, RecursionError, TypeError,
        ValueError,
    ) as error:  # fmt: skip
        raise ValueError(
            "These predictions are damaged, or of an older version, which "
            f"wrote no names of people: {error!r:.200}; the same command "
            f"writes them again. {named}"
        ) from None
    counts = {len(each) for each in people.values()}
    if counts - {joints}:
        raise ValueError(
            f"The records have {joints} joints, and so must the predictions. "
            f"{named}, with {', '.join(map(str, sorted(counts)))} joints"
        )
    return Answers(label, split, people)


def pose_scores(
    predicted: Predictions, rescore: bool = True, threshold: float = 0.2
) -> np.ndarray:
    """Scores of the poses.

    Args:
        predicted: `predictions.Predictions`.
        rescore: Multiply a box's score by the mean of its joints' scores.
        threshold: Only joints with a higher score enter the mean.

    Returns:
        `(N,)` float64.
    """
    if not rescore:
        return np.asarray(predicted.box_score, np.float64)
    return inference.rescore(predicted.box_score, predicted.scores, threshold)


def kept(
    predicted: Predictions,
    scores: np.ndarray,
    skeleton: skeletons.Skeleton,
    aspect: float,
    kind: str = "hard",
    threshold: float = 0.9,
) -> np.ndarray:
    """Indices of the people that OKS-NMS keeps.

    Args:
        predicted: `predictions.Predictions`.
        scores: `(N,)`, from `pose_scores`.
        skeleton: The `skeletons.Skeleton`; without sigmas all are kept.
        aspect: Width over height of the crops, whose areas OKS takes.
        kind: `"hard"`, `"soft"` or `"none"`.
        threshold: As in `inference.oks_nms`.

    Returns:
        `(M,)` indices.
    """
    if kind == "none" or not skeleton.sigmas:
        return np.arange(len(scores))
    areas = np.fromiter(
        (
            np.prod(coordinates.region_around(box, aspect)[2:])
            for box in predicted.box
        ),
        np.float64,
        len(predicted.box),
    )
    suppress = inference.oks_nms if kind == "hard" else inference.soft_oks_nms
    chosen = suppress(
        predicted.joints,
        scores,
        areas,
        skeleton.sigmas,
        threshold,
        predicted.image_id,
    )
    # Soft NMS selects by the lowered scores, and the original scores are
    # written, as in HRNet.
    return chosen if kind == "hard" else chosen[0]


class Results(collections.abc.Sequence):
    """Predictions as COCO's keypoint results, in the image frame.

    A row is made each time that it is read, and takes no memory: a dict of
    `image_id`, `category_id`, `keypoints` and `score`, and of `source_id`, the
    person's name in the records. A person's category is that of its record if
    the truth has it, else the first category of the truth, else 1.

    Args:
        predicted: `predictions.Predictions`.
        truth: Ground truth in COCO's form, or None.
        scores: `(N,)`; by default `pose_scores`.
        chosen: Indices of the people to keep, in this order; None keeps all.
    """

    def __init__(
        self,
        predicted: Predictions,
        truth: dict | None = None,
        scores: np.ndarray | None = None,
        chosen: Sequence[int] | np.ndarray | None = None,
    ) -> None:
        self._predicted = predicted
        self._scores = pose_scores(predicted) if scores is None else scores
        self._known = (
            [row["id"] for row in truth["categories"]] if truth else [1]
        )
        everyone = range(len(predicted.joints))
        self._chosen = everyone if chosen is None else chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._row(i) for i in self._chosen[place]]
        return self._row(self._chosen[place])

    def _row(self, i):
        people = self._predicted
        category = int(people.category[i])
        points = np.concatenate(
            [people.joints[i], people.scores[i, :, None]], axis=1
        )
        return {
            "image_id": int(people.image_id[i]),
            "category_id": category
            if category in self._known
            else self._known[0],
            "keypoints": points.astype(float).round(3).ravel().tolist(),
            "score": round(float(self._scores[i]), 5),
            "source_id": people.source_id[i].decode(errors="replace"),
        }


__getattr__ = former.names(__name__)
