"""COCO's average precision of poses: the figures of Table 8.

    AP, AR      mean over OKS thresholds of 0.5, 0.55, ... 0.95
    AP50, AP75  at one OKS threshold; likewise AR50 and AR75
    APM, APL    of people of 32^2 to 96^2 square pixels, and of larger people

The rules are those of pycocotools' `COCOeval(iouType="keypoints")`, except for
two of its faults: here an annotation with the id 0 can be matched, and a joint
that is not a number is far from the truth rather than on it.

Shape letters: T thresholds, R recalls, P people, D detections, K joints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import skeletons
from integral_tf.metrics import coco_arrays
from integral_tf.metrics import oks
from integral_tf.signatures import Numbers
from integral_tf.signatures import Path

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
AREAS = ((0, 1e5**2), (32**2, 96**2), (96**2, 1e5**2))  # all, medium, large
_FIGURES = (
    # name, index into AREAS, OKS thresholds
    ("", 0, slice(None)),
    ("50", 0, 0),
    ("75", 0, 5),
    ("M", 1, slice(None)),
    ("L", 2, slice(None)),
)


def coco_keypoint_ap(
    truth: dict[str, Any] | Path,
    results: Sequence[dict[str, Any]] | Path,
    sigmas: Numbers = skeletons.COCO.sigmas,
    *,
    weights: Numbers | None = None,
) -> dict[str, float]:
    """Scores detected poses as COCO's evaluation does.

    Args:
        truth: COCO's person_keypoints JSON, loaded, or its path.
        results: COCO's keypoint results, loaded, or their path: a list of
            `{image_id, category_id, keypoints [x, y, score] * K, score}`.
        sigmas: `(K,)` standard deviations per joint.
        weights: `(K,)` weights of the joints in OKS, from 0; None for COCO's,
            which are equal. A joint of weight 0 counts as unlabelled, and so a
            person without other labelled joints is not to be found.

    Returns:
        Dict of AP, AP50, AP75, APM, APL, AR, AR50, AR75, ARM and ARL, each
        from 0 to 1, or -1 where `truth` has no such person.

    Raises:
        ValueError: `truth` or `results` is not in COCO's format, or `results`
            has no image or category of `truth`.
    """
    counted = None if weights is None else np.asarray(weights) > 0
    scene = coco_arrays.read(truth, results, len(sigmas), counted)
    people, found = scene.people, scene.found
    pairs = _pairs(scene, sigmas, weights)
    shape = (scene.categories, len(AREAS), len(THRESHOLDS))
    precision = np.full((*shape, len(RECALLS)), -1.0)
    recall = np.full(shape, -1.0)
    for a, (low, high) in enumerate(AREAS):
        ignored = people.ignored | (people.area < low) | (people.area > high)
        hit, excused = _matches(pairs, ignored, people, found)
        excused |= ~hit & ((found.area < low) | (found.area > high))
        right, wrong = hit & ~excused, ~hit & ~excused
        for c in range(scene.categories):
            wanted = np.count_nonzero(~ignored & (people.category == c))
            if wanted:
                of_c = found.category == c
                precision[c, a], recall[c, a] = _curves(
                    right[:, of_c], wrong[:, of_c], wanted
                )
    return {
        f"{measure}{name}": _mean(values[:, a, t])
        for measure, values in (("AP", precision), ("AR", recall))
        for name, a, t in _FIGURES
    }


@dataclasses.dataclass(frozen=True)
class _Pairs:
    """Pairs of a detection and a person that some OKS threshold can match."""

    detection: np.ndarray
    person: np.ndarray
    oks: np.ndarray


def _pairs(scene, sigmas, weights):
    """The `_Pairs` of all groups, of which a few are compared at a time."""
    parts = [(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
    for block, found in scene.blocks():
        group = scene.people.group[block]
        wanted = scene.found.group[found]
        first = np.searchsorted(group, wanted)
        count = np.searchsorted(group, wanted, side="right") - first
        pose = np.repeat(np.arange(len(count)), count)
        of_its_group = np.arange(len(pose)) - np.repeat(
            np.cumsum(count) - count, count
        )
        person = first[pose] + of_its_group
        true, boxes = scene.truth(block)
        similar = oks.of_pairs(
            scene.poses(found)[..., :2],
            true[..., :2],
            true[..., 2] > 0,
            scene.people.area[block][person],
            sigmas,
            pairs=(pose, person),
            boxes=boxes,
            weights=weights,
        )
        near = similar >= THRESHOLDS[0]
        parts.append(
            (found[pose[near]], block.start + person[near], similar[near])
        )
    return _Pairs(*map(np.concatenate, zip(*parts)))


def _matches(pairs, ignored, people, found):
    """Matches detections with people, a group's highest scores first.

    A detection matches the unmatched person with the largest OKS, the later of
    two with equal OKS. If none is above the threshold, it may match an ignored
    person, and is then not counted. A crowd can be matched many times.

    Args:
        pairs: `_Pairs`.
        ignored: `(P,)` bools.
        people: `coco_arrays.People`.
        found: `coco_arrays.Detections`.

    Returns:
        `(T, D)` bools, true where a detection has a match, and `(T, D)` bools,
        true where the match is ignored.
    """
    # A detection's order of people does not depend on other detections: sort
    # once. Then match the best detection of every group, the second best, ...
    rank = found.rank[pairs.detection]
    order = np.lexsort(
        (
            -pairs.person,
            -pairs.oks,
            ignored[pairs.person],
            pairs.detection,
            rank,
        )
    )
    taken = np.zeros((len(THRESHOLDS), len(people.group)), bool)
    hit = np.zeros((len(THRESHOLDS), len(found.group)), bool)
    excused = np.zeros_like(hit)
    turns = np.searchsorted(
        rank[order], np.arange(coco_arrays.MAX_DETECTIONS + 1)
    )
    for start, end in zip(turns[:-1], turns[1:]):
        if start == end:
            continue
        now = order[start:end]
        detection, person = pairs.detection[now], pairs.person[now]
        free = ~taken[:, person] | people.crowd[person]
        free &= pairs.oks[now] >= THRESHOLDS[:, None]
        place = np.where(free, np.arange(len(now)), len(now))
        starts = np.flatnonzero(np.diff(detection, prepend=-1))
        best = np.minimum.reduceat(place, starts, axis=1)
        t, matched = np.nonzero(best < len(now))
        best = best[t, matched]
        taken[t, person[best]] = True
        hit[t, detection[best]] = True
        excused[t, detection[best]] = ignored[person[best]]
    return hit, excused


def _curves(right, wrong, wanted):
    """The precision and recall of one category.

    Args:
        right: `(T, D)` bools, true positives, highest score first.
        wrong: `(T, D)` bools, false positives, highest score first.
        wanted: Number of people to find.

    Returns:
        `(T, R)` precision at each of `RECALLS`, and `(T,)` recall reached.
    """
    precision = np.zeros((len(THRESHOLDS), len(RECALLS)))
    reached = np.zeros(len(THRESHOLDS))
    if not right.shape[1]:
        return precision, reached
    for t in range(len(THRESHOLDS)):
        hits = np.cumsum(right[t])
        recall = hits / wanted
        here = hits / (hits + np.cumsum(wrong[t]) + np.spacing(1))
        # The precision at a recall is the best at this or any higher recall.
        best = np.maximum.accumulate(here[::-1])[::-1]
        place = np.searchsorted(recall, RECALLS)
        inside = place < len(recall)
        precision[t, inside] = best[place[inside]]
        reached[t] = recall[-1]
    return precision, reached


def _mean(values):
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0
