"""COCO's annotations and keypoint results, read a part at a time.

A *group* is one image and one category. A detection can match people of its own
group only, so that the joints of a few groups are in memory at a time. The
formats are those of https://cocodataset.org/#format-data and
https://cocodataset.org/#format-results.

Shape letters: P people, D detections, K joints. All points are in the image
frame.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import numbers
import os
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf.records import json_rows
from integral_tf.signatures import Path

MAX_DETECTIONS = 20  # of a group
_BLOCK = 4096  # rows that are objects at a time


@dataclasses.dataclass(frozen=True)
class People:
    """The truth, sorted by group; within a group in the file's order.

    Attributes:
        row: `(P,)` places in the annotations.
        group: `(P,)` group numbers from 0.
        category: `(P,)` category numbers from 0.
        area: `(P,)` of the annotations, in square pixels.
        crowd: `(P,)` bools: many people, annotated as one.
        ignored: `(P,)` bools: crowds, and people without labelled joints.
    """

    row: np.ndarray
    group: np.ndarray
    category: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    ignored: np.ndarray


@dataclasses.dataclass(frozen=True)
class Detections:
    """The `MAX_DETECTIONS` best poses of each group, sorted by score.

    Attributes:
        row: `(D,)` places in the results.
        group: `(D,)` group numbers from 0.
        category: `(D,)` category numbers from 0.
        area: `(D,)` of `bbox`, if the first result has one, else of the box
            around the joints.
        rank: `(D,)` rank within the group by score, from 0.
    """

    row: np.ndarray
    group: np.ndarray
    category: np.ndarray
    area: np.ndarray
    rank: np.ndarray


@dataclasses.dataclass(frozen=True)
class Scene:
    """Annotations and results that belong together.

    Attributes:
        people: `People`.
        found: `Detections`.
        categories: Number of categories. Group g is of the image
            `g // categories` and of the category `g % categories`.
        annotations: Rows of the truth.
        results: Rows of the results.
        joints: The number K of joints.
        boxed: Whether results have boxes.
    """

    people: People
    found: Detections
    categories: int
    annotations: Sequence[dict[str, Any]]
    results: Sequence[dict[str, Any]]
    joints: int
    boxed: bool

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Divides the groups of a few images at a time, in their order.

        Yields:
            Slice of the people, and the places of the detections, sorted by
            group and then by score.
        """
        people, found = self.people.group, self.found.group
        by_group = np.argsort(found, kind="stable")
        everyone = np.sort(np.concatenate([people, found]))
        images = np.unique(everyone[::_BLOCK] // self.categories)
        firsts = [*(images * self.categories), np.iinfo(np.int64).max]
        people = np.searchsorted(people, firsts)
        found = np.searchsorted(found, firsts, sorter=by_group)
        for i in range(len(images)):
            yield (
                slice(people[i], people[i + 1]),
                by_group[found[i] : found[i + 1]],
            )

    def truth(self, people: slice) -> tuple[np.ndarray, np.ndarray]:
        """`(N, K, 3)` keypoints and `(N, 4)` boxes of a slice of `people`."""
        rows = [self.annotations[i] for i in self.people.row[people]]
        boxes = np.array([_get(row, "bbox") for row in rows], np.float64)
        return keypoints(rows, self.joints), boxes.reshape(-1, 4)

    def poses(self, found: np.ndarray) -> np.ndarray:
        """`(N, K, 3)` keypoints of places in `found`."""
        rows = [self.results[i] for i in self.found.row[found]]
        return keypoints(rows, self.joints)


def read(
    truth: dict[str, Any] | Path,
    results: Sequence[dict[str, Any]] | Path,
    joints: int,
    counted: np.ndarray | None = None,
) -> Scene:
    """Reads annotations and results, and checks that they belong together.

    Args:
        truth: COCO's person_keypoints JSON, loaded, or its path.
        results: COCO's keypoint results, loaded, or their path.
        joints: The number K of joints.
        counted: `(K,)` bools, joints that count: a person of whom none is
            labelled is ignored. None for all.

    Raises:
        ValueError: `truth` or `results` is not in COCO's format, or `results`
            has no image or category of `truth`.
    """
    truth = _loaded(truth, "truth")
    results = _loaded(results, "results")
    _check_parts(truth, results)
    images = _numbered(truth["images"])
    categories = _numbered(truth["categories"])
    # As in pycocotools, the first result decides whether all have boxes.
    first = results[0] if len(results) else {}
    boxed = isinstance(first, dict) and bool(first.get("bbox"))
    return Scene(
        _people(truth["annotations"], images, categories, joints, counted),
        _detections(results, images, categories, joints, boxed),
        len(categories),
        truth["annotations"],
        results,
        joints,
        boxed,
    )


def _people(rows, images, categories, joints, counted):
    def numbers(rows, points):
        labelled = points[..., 2] > 0
        pairs = zip(rows, labelled.sum(axis=1).tolist())
        count = [int(row.get("num_keypoints", n)) for row, n in pairs]
        crowd = np.array([bool(row.get("iscrowd")) for row in rows], bool)
        ignored = crowd | (np.array(count, int) == 0)
        if counted is not None:
            ignored |= ~(labelled & counted).any(axis=1)
        return [_get(row, "area") for row in rows], crowd, ignored

    (row, image, category, area, crowd, ignored), _ = _columns(
        rows, images, categories, joints, numbers, (float, bool, bool)
    )
    group = image * len(categories) + category
    order = np.argsort(group, kind="stable")
    columns = (row, group, category, area, crowd, ignored)
    return People(*(column[order] for column in columns))


def _detections(rows, images, categories, joints, boxed):
    def numbers(rows, points):
        score = [_get(row, "score") for row in rows]
        if boxed:
            sides = [_get(row, "bbox")[2:] for row in rows]
            return score, np.reshape(sides, (-1, 2)).astype(float).prod(axis=1)
        return score, np.ptp(points[..., :2], axis=1).prod(axis=1)

    (row, image, category, score, area), named = _columns(
        rows, images, categories, joints, numbers, (float, float)
    )
    _check_ids(*named, categories)
    if not np.isfinite(score).all():
        raise ValueError(
            "Each result needs a finite `score`, to be sorted by. Received: "
            f"{np.count_nonzero(~np.isfinite(score))} without"
        )
    # Results of equal scores are sorted by image id, then stay in their order:
    # both sorts are stable.
    order = np.lexsort((image, -score))
    group = (image * len(categories) + category)[order]
    by_group = np.argsort(group, kind="stable")
    first = np.searchsorted(group[by_group], group[by_group])
    rank = np.empty(len(order), int)
    rank[by_group] = np.arange(len(order)) - first
    order, kept = order[rank < MAX_DETECTIONS], rank < MAX_DETECTIONS
    return Detections(
        row=row[order],
        group=group[kept],
        category=category[order],
        area=area[order],
        rank=rank[kept],
    )


def _columns(rows, images, categories, joints, numbers, kinds):
    """The rows of known images and categories, as columns.

    Args:
        rows: Annotations or results, of which a block is read at a time.
        images, categories: Dicts from an id to a number.
        joints: The number K of joints.
        numbers: Function from N rows and their `(N, K, 3)` keypoints to
            further columns `(N,)`.
        kinds: The dtypes of these.

    Returns:
        Columns `(N,)`: the places of the rows, the numbers of their images, the
        numbers of their categories, and the further ones. And what the rows
        name: `(images,)` bools, a set of other images, a set of categories.
    """
    columns = [np.empty(len(rows), kind) for kind in (int, int, int, *kinds)]
    count, asked, others, named = 0, np.zeros(len(images), bool), set(), set()
    for start in range(0, len(rows), _BLOCK):
        block = []
        for place, row in enumerate(rows[start : start + _BLOCK], start):
            image, category = _id(row, "image_id"), _id(row, "category_id")
            named.add(category)
            if image not in images:
                others.add(image)
                continue
            asked[images[image]] = True
            if category in categories:
                block.append((place, row))
        known = [row for _, row in block]
        try:
            # What is beyond all numbers has no area, and is far from anybody.
            with np.errstate(over="ignore", invalid="ignore"):
                found = numbers(known, keypoints(known, joints))
            further = [_column(len(known), *each) for each in zip(found, kinds)]
        except (TypeError, OverflowError) as error:
            raise ValueError(
                "Annotations and results have numbers that float64 holds. "
                f"Received: {error!s:.100}, in rows {start} to "
                f"{start + len(block) - 1}"
            ) from None
        found = (
            [place for place, _ in block],
            [images[row["image_id"]] for row in known],
            [categories[row["category_id"]] for row in known],
            *further,
        )
        for column, values in zip(columns, found):
            column[count : count + len(block)] = values
        count += len(block)
    return [column[:count] for column in columns], (asked, others, named)


def _column(count, values, kind):
    try:
        return np.asarray(values, kind).reshape(count)
    except ValueError as error:
        raise TypeError(f"{error}") from None


def _loaded(source, name):
    if isinstance(source, (str, os.PathLike)):
        picks = {None: _kept, "annotations": _kept, "images": _kept}
        return json_rows.read(source, name, picks)
    return source


def _kept(row):
    """A row without its outline, which may be most of it."""
    if not isinstance(row, dict):
        return row
    return {key: row[key] for key in row if key != "segmentation"}


def _check_parts(truth, results):
    parts = ("images", "annotations", "categories")
    if not isinstance(truth, dict) or not all(part in truth for part in parts):
        raise ValueError(
            "`truth` is COCO's person_keypoints JSON, with images, annotations "
            "and categories. A test set has no annotations: its results can "
            "only be submitted. Received: "
            f"{sorted(truth) if isinstance(truth, dict) else type(truth)}"
        )
    if not isinstance(results, collections.abc.Sequence):
        raise ValueError(
            "`results` is a list with a dict for each detected pose. "
            f"Received: {type(results)}"
        )


def _check_ids(asked, others, named, categories):
    if others:
        raise ValueError(
            "Results may name images of `truth` only; are these of another "
            f"split? Received: {len(others)} of {asked.sum() + len(others)} "
            f"image_ids are not in it, such as {next(iter(others))!r:.100}"
        )
    if named and not named & categories.keys():
        raise ValueError(
            f"No result has a category_id of `truth`, {[*categories]!s:.100}. "
            f"Received: {[*named]!s:.100}"
        )


def _numbered(rows):
    ids = {_id(row, "id") for row in rows}
    ids = sorted(ids, key=lambda each: (isinstance(each, str), each))
    return {value: number for number, value in enumerate(ids)}


def keypoints(rows: Sequence[dict[str, Any]], joints: int) -> np.ndarray:
    """`(N, K, 3)` x, y and visibility or score of N rows.

    Raises:
        ValueError: a row has no keypoints, or others than K.
    """
    values = [_get(row, "keypoints") for row in rows]
    try:
        return np.array(values, np.float64).reshape(len(rows), joints, 3)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "`keypoints` are three numbers for each joint, here for "
            f"{joints}, of which `sigmas` speaks. Received: {error!s:.100}"
        ) from None


def _id(row, name):
    found = _get(row, name)
    if not isinstance(found, (numbers.Real, str)):
        raise ValueError(
            f"`{name}` is a number or a text. Received: {found!r:.100}"
        )
    return found


def _get(row, key):
    try:
        return row[key]
    except (KeyError, TypeError):
        raise ValueError(
            f"Every image, annotation and result needs COCO's `{key}`. "
            f"Received: {sorted(row) if isinstance(row, dict) else row!r:.100}"
        ) from None
