"""COCO's annotations and keypoint results as arrays.

A *group* is one image and one category. A detection can match people of its own
group only. The formats are those of https://cocodataset.org/#format-data and
https://cocodataset.org/#format-results.

Shape letters: P people, D detections, K joints. All points are in the image
frame.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
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
        group: `(P,)` group numbers from 0.
        category: `(P,)` category numbers from 0.
        joints: `(P, K, 2)` points.
        visible: `(P, K)` bools, true where labelled.
        area: `(P,)` of the annotations, in square pixels.
        box: `(P, 4)` x, y, width, height.
        crowd: `(P,)` bools: many people, annotated as one.
        ignored: `(P,)` bools: crowds, and people without labelled joints.
    """

    group: np.ndarray
    category: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    area: np.ndarray
    box: np.ndarray
    crowd: np.ndarray
    ignored: np.ndarray


@dataclasses.dataclass(frozen=True)
class Detections:
    """The `MAX_DETECTIONS` best poses of each group, sorted by score.

    Attributes:
        group: `(D,)` group numbers from 0.
        category: `(D,)` category numbers from 0.
        joints: `(D, K, 2)` points.
        area: `(D,)` of `bbox`, if the first result has one, else of the box
            around the joints.
        rank: `(D,)` rank within the group by score, from 0.
    """

    group: np.ndarray
    category: np.ndarray
    joints: np.ndarray
    area: np.ndarray
    rank: np.ndarray


def read(
    truth: dict[str, Any] | Path,
    results: list[dict[str, Any]] | Path,
    joints: int,
) -> tuple[People, Detections, int]:
    """Reads annotations and results, and checks that they belong together.

    Args:
        truth: COCO's person_keypoints JSON, loaded, or its path.
        results: COCO's keypoint results, loaded, or their path.
        joints: The number K of joints.

    Returns:
        `People`, `Detections` and the number of categories.

    Raises:
        ValueError: `truth` or `results` is not in COCO's format, or `results`
            has no image or category of `truth`.
    """
    truth, results = _loaded(truth), _loaded(results)
    _check_parts(truth, results)
    images = _numbered(truth["images"])
    categories = _numbered(truth["categories"])
    _check_ids(results, images, categories)
    people = _people(truth["annotations"], images, categories, joints)
    found = _detections(results, images, categories, joints)
    return people, found, len(categories)


def _people(rows, images, categories, joints):
    def numbers(row, labelled):
        count = int(row.get("num_keypoints", labelled))
        crowd = bool(row.get("iscrowd"))
        box = _get(row, "bbox")
        return [_get(row, "area"), *box, crowd, crowd or count == 0]

    image, category, keypoints, others = _columns(
        rows, images, categories, joints, numbers, 7
    )
    group = category * len(images) + image
    order = np.argsort(group, kind="stable")
    keypoints, others = keypoints[order], others[order]
    return People(
        group=group[order],
        category=category[order],
        joints=keypoints[..., :2],
        visible=keypoints[..., 2] > 0,
        area=others[:, 0],
        box=others[:, 1:5],
        crowd=others[:, 5] > 0,
        ignored=others[:, 6] > 0,
    )


def _detections(results, images, categories, joints):
    # As in pycocotools, the first result decides whether all have boxes.
    boxed = bool(len(results) and results[0].get("bbox"))

    def numbers(row, _):
        return [_get(row, "score"), *(_get(row, "bbox") if boxed else [])]

    image, category, keypoints, others = _columns(
        results, images, categories, joints, numbers, 5 if boxed else 1
    )
    score, points = others[:, 0], keypoints[..., :2]
    if not np.isfinite(score).all():
        raise ValueError(
            "Each result needs a finite `score`, to be sorted by. Received: "
            f"{np.count_nonzero(~np.isfinite(score))} without"
        )
    if boxed:
        area = others[:, 3:].prod(axis=1)
    else:
        area = np.ptp(points, axis=1).prod(axis=1)
    # Results of equal scores are sorted by image id, then stay in their order:
    # both sorts are stable.
    order = np.lexsort((image, -score))
    group = (category * len(images) + image)[order]
    by_group = np.argsort(group, kind="stable")
    first = np.searchsorted(group[by_group], group[by_group])
    rank = np.empty(len(order), int)
    rank[by_group] = np.arange(len(order)) - first
    order, kept = order[rank < MAX_DETECTIONS], rank < MAX_DETECTIONS
    return Detections(
        group=group[kept],
        category=category[order],
        joints=points[order],
        area=area[order],
        rank=rank[kept],
    )


def _columns(rows, images, categories, joints, numbers, count):
    """The rows of known images and categories, as columns.

    Args:
        rows: Annotations or results; read once, a block at a time.
        images, categories: Dicts from an id to a number.
        joints: The number K of joints.
        numbers: Function from a row and its number of labelled joints to its
            `count` further numbers.
        count: How many these are.

    Returns:
        `(N,)` numbers of images, `(N,)` numbers of categories, `(N, K, 3)`
        keypoints and `(N, count)` further numbers.
    """
    groups = [np.zeros((0, 2), int)]
    keypoints, others = [np.zeros((0, joints, 3))], [np.zeros((0, count))]
    left = iter(rows)
    while block := list(itertools.islice(left, _BLOCK)):
        block = [
            row
            for row in block
            if _get(row, "image_id") in images
            and _get(row, "category_id") in categories
        ]
        points = _keypoints(block, joints)
        labelled = (points[..., 2] > 0).sum(axis=1)
        more = [numbers(row, n) for row, n in zip(block, labelled.tolist())]
        pairs = [
            (images[row["image_id"]], categories[row["category_id"]])
            for row in block
        ]
        groups.append(np.array(pairs, int).reshape(-1, 2))
        keypoints.append(points)
        others.append(np.array(more, np.float64).reshape(-1, count))
    groups = np.concatenate(groups)
    keypoints, others = np.concatenate(keypoints), np.concatenate(others)
    return groups[:, 0], groups[:, 1], keypoints, others


def _loaded(source):
    if isinstance(source, (str, os.PathLike)):
        return json.loads(pathlib.Path(source).read_text())
    return source


def _check_parts(truth, results):
    parts = ("images", "annotations", "categories")
    if not isinstance(truth, dict) or not all(part in truth for part in parts):
        raise ValueError(
            "`truth` is COCO's person_keypoints JSON, with images, annotations "
            "and categories. A test set has no annotations: its results can "
            "only be submitted. Received: "
            f"{sorted(truth) if isinstance(truth, dict) else type(truth)}"
        )
    if not isinstance(results, (list, json_rows.Rows)):
        raise ValueError(
            "`results` is a list with a dict for each detected pose. "
            f"Received: {type(results)}"
        )


def _check_ids(results, images, categories):
    asked, named = set(), set()
    for row in results:
        asked.add(_get(row, "image_id"))
        named.add(_get(row, "category_id"))
    unknown = asked - images.keys()
    if unknown:
        raise ValueError(
            "Results may name images of `truth` only; are these of another "
            f"split? Received: {len(unknown)} of {len(asked)} image_ids are "
            f"not in it, such as {next(iter(unknown))!r}"
        )
    if named and not named & categories.keys():
        raise ValueError(
            f"No result has a category_id of `truth`, {sorted(categories)}. "
            f"Received: {sorted(named)}"
        )


def _numbered(rows):
    ids = sorted({_get(row, "id") for row in rows})
    return {value: number for number, value in enumerate(ids)}


def _keypoints(rows, joints):
    values = [_get(row, "keypoints") for row in rows]
    try:
        return np.array(values, np.float64).reshape(len(rows), joints, 3)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "`keypoints` are three numbers for each joint, here for "
            f"{joints}, of which `sigmas` speaks. Received: {error}"
        ) from None


def _get(row, key):
    try:
        return row[key]
    except (KeyError, TypeError):
        raise ValueError(
            f"Every image, annotation and result needs COCO's `{key}`. "
            f"Received: {sorted(row) if isinstance(row, dict) else row!r}"
        ) from None
