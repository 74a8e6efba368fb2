"""Kinds of joint errors, and people in slices.

After Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance
Pose Estimation" (2017). A labelled joint is of the first of these kinds that
holds; distances are in reference lengths (head sizes):

    good      within 0.25 of the truth
    jitter    within 0.5 of the truth; right by PCKh@0.5
    mirrored  swapped, in a person with left and right exchanged
    swapped   within 0.5 of the joint's other side, in the same person
    missing   anywhere else: no answer is near the joint

In another unit, its largest threshold and the half of that take the places of
0.5 and 0.25.

ours: Ronchi and Perona separate good, jitter and the others by a similarity of
0.85 and of 0.5. Under a Gaussian these distances have a ratio of 0.48; 0.5 is
the distance of PCKh@0.5. Their inversions are swapped and mirrored here. Their
swaps with another person are missing here, as a record has one person.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf import skeletons
from integral_tf import units
from integral_tf.evaluation.predictions import Predictions
from integral_tf.signatures import ArrayLike

KINDS = ("good", "jitter", "swapped", "mirrored", "missing")
GOOD = 0.5  # of the largest distance at which a joint is right
# Fewest joints with a labelled other side in a person who can be mirrored.
_FEWEST = 4
# Pixels between a box and the picture's edge for a truncated person.
_EDGE = 1
_BLOCK = 4096  # people at a time


def figures(
    predicted: Predictions,
    skeleton: skeletons.Skeleton,
    weights: tuple[float, ...] | None = None,
) -> dict:
    """The kinds of errors and the slices of an evaluation.

    Args:
        predicted: `predictions.Predictions`.
        skeleton: The `skeletons.Skeleton`.
        weights: K weights of the joints in the slices; None for the same.

    Returns:
        Dict of `kinds`, from `of_joints`, and `slices`, from `of_slices`.
    """
    unit = predicted.unit
    found = kinds(
        predicted.joints,
        predicted.truth,
        predicted.visible,
        predicted.lengths,
        skeleton,
        unit.right,
    )
    errors = predicted.errors()
    divided = slices(predicted.box, predicted.visible, predicted.image_extent)
    return {
        "kinds": of_joints(found, errors, predicted.scores, skeleton),
        "slices": of_slices(errors, divided, skeleton, weights, unit),
    }


def nobody(predicted: Predictions) -> dict:
    """The mean score of pictures without anybody, beside that of people.

    Args:
        predicted: `predictions.Predictions`, these pictures included.

    Returns:
        Dict of `negatives`, a dict of `pictures`, their number, `score` and
        `score_of_people`; empty if there are none.
    """
    if predicted.negative is None or not predicted.negative.any():
        return {}
    empty = predicted.of_people(False).scores
    return {
        "negatives": {
            "pictures": len(empty),
            "score": float(empty.mean()),
            "score_of_people": float(predicted.of_people().scores.mean()),
        }
    }


def kinds(
    joints: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    lengths: ArrayLike,
    skeleton: skeletons.Skeleton,
    right: float = units.HEAD.right,
) -> np.ndarray:
    """The kind of each joint.

    ours: a person is mirrored if more than half of the labelled joints whose
    other side is labelled, too, and at least two, are swapped. There are at
    least four such joints.

    Args:
        joints: `(N, K, 2)` predicted points.
        truth: `(N, K, 2)` points in the same frame.
        visible: `(N, K)` above 0 where labelled.
        lengths: `(N,)` reference lengths in the same frame; 0 if unknown.
        skeleton: The `skeletons.Skeleton` of the K joints.
        right: Largest distance at which a joint is right, in these lengths.

    Returns:
        `(N, K)` int8, positions in `KINDS`; -1 without a label or a length.
    """
    columns = [np.asarray(each) for each in (joints, truth, visible, lengths)]
    found = np.empty(columns[2].shape, np.int8)
    for start in range(0, len(found), _BLOCK):
        some = [each[start : start + _BLOCK] for each in columns]
        found[start : start + _BLOCK] = _kinds(*some, skeleton, right)
    return found


def _kinds(joints, truth, visible, lengths, skeleton, right):
    known = (visible > 0) & (lengths > 0)[:, None]
    order = skeleton.mirrored_order
    paired = known & known[:, order] & (order != np.arange(len(skeleton)))
    unit = np.where(lengths > 0, lengths, 1)[:, None]
    error = _finite(np.linalg.norm(joints - truth, axis=-1) / unit)
    aside = _finite(np.linalg.norm(joints - truth[:, order], axis=-1) / unit)
    swapped = paired & (error > right) & (aside <= right)
    count = paired.sum(axis=1)
    mirrored = (count >= _FEWEST) & (2 * swapped.sum(axis=1) > count)
    return np.select(
        [
            ~known,
            error <= GOOD * right,
            error <= right,
            swapped & mirrored[:, None],
            swapped,
        ],
        [-1, *map(KINDS.index, ("good", "jitter", "mirrored", "swapped"))],
        KINDS.index("missing"),
    )


def of_joints(
    kinds: np.ndarray,
    errors: np.ndarray,
    scores: np.ndarray,
    skeleton: skeletons.Skeleton,
) -> dict[str, dict[str, float]]:
    """Counts the kinds of each joint, and of all joints.

    Args:
        kinds: `(N, K)`, from `kinds`.
        errors: `(N, K)` distances in reference lengths.
        scores: `(N, K)` scores of the joints.
        skeleton: The `skeletons.Skeleton`.

    Returns:
        Dict from "all" and each joint's name to a dict: `joints`, the number
        of labelled ones; `median`, of their errors; `score`, the mean score;
        and the percentage of each of `KINDS`. Joints without a label are left
        out.
    """
    names = ["all", *skeleton.joints]
    parts = [slice(None), *range(len(skeleton))]
    rows = {}
    for name, part in zip(names, parts):
        known = kinds[:, part] >= 0
        found = kinds[:, part][known]
        if not found.size:
            continue
        counts = np.array([np.sum(found == kind) for kind in range(len(KINDS))])
        rows[name] = {
            "joints": int(found.size),
            "median": float(
                np.median(errors[:, part][known], overwrite_input=True)
            ),
            "score": float(np.mean(scores[:, part][known])),
            **dict(zip(KINDS, (100 * counts / found.size).tolist())),
        }
    return rows


def slices(
    box: ArrayLike, visible: ArrayLike, extent: ArrayLike | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Divides people by size, by labelled joints and by truncation.

    ours: the sizes are thirds of the people, by the box's longer side, so that
    no slice is empty. A person is truncated if the box comes within a pixel of
    the picture's edge, or beyond.

    Args:
        box: `(N, 4)` x, y, width, height of the people in image pixels.
        visible: `(N, K)` above 0 where labelled.
        extent: `(N, 2)` width and height of the images; None leaves truncation
            out.

    Returns:
        Dict from a property to a dict from a slice's name to `(N,)` bools.
    """
    box = np.asarray(box)
    side = box[:, 2:].max(axis=1)
    low, high = np.quantile(side, (1 / 3, 2 / 3))
    labels = (np.asarray(visible) > 0).sum(axis=1)
    total = np.shape(visible)[1]
    few, every = 2 * labels < total, labels == total
    found = {
        "longer side of the box": {
            f"up to {low:.0f} px": side <= low,
            f"{low:.0f} to {high:.0f} px": (side > low) & (side <= high),
            f"above {high:.0f} px": side > high,
        },
        "labelled joints": {
            f"fewer than half of {total}": few,
            "half or more": ~few & ~every,
            f"all {total}": every,
        },
    }
    if extent is not None:
        last = np.asarray(extent) - _EDGE
        ends = box[:, :2] + box[:, 2:]
        cut = (box[:, :2] <= _EDGE).any(axis=1) | (ends >= last).any(axis=1)
        found["box"] = {"inside the picture": ~cut, "at its edge": cut}
    return found


def credits(errors: ArrayLike, unit: units.Unit = units.HEAD) -> np.ndarray:
    """Each joint's share in `unit.figures`: PCKh@0.5, PCKh@0.1 and AUC.

    Args:
        errors: `(...)` distances in reference lengths; NaN is not counted.
        unit: The `units.Unit` of the errors.

    Returns:
        `(..., F)`, F figures, from 0 to 1; NaN where the error is. The mean of
        all joints is the figure.
    """
    errors = np.asarray(errors)
    thresholds = unit.thresholds
    hits = np.searchsorted(thresholds, errors)  # thresholds below the error
    area = 1 - hits / len(thresholds)
    shares = [errors <= alpha for alpha in unit.alphas]
    found = np.stack([*shares, area], axis=-1)
    return np.where(np.isnan(errors)[..., None], np.nan, found)


def of_slices(
    errors: np.ndarray,
    divided: dict[str, dict[str, np.ndarray]],
    skeleton: skeletons.Skeleton,
    weights: tuple[float, ...] | None = None,
    unit: units.Unit = units.HEAD,
) -> dict[str, dict[str, dict[str, float]]]:
    """PCKh of the people of each slice.

    Args:
        errors: `(N, K)` distances in reference lengths; NaN is not counted.
        divided: The result of `slices`.
        skeleton: The `skeletons.Skeleton`, for the joints of PCKh's mean.
        weights: K weights of the joints; None for the same.
        unit: The `units.Unit` of the errors.

    Returns:
        Dict from a property to a dict from a slice's name to a dict: `people`,
        `joints`, and each of `unit.figures` in percent. Slices without a
        counted joint are left out.
    """
    shares = np.ones(len(skeleton)) * (weights or 1)
    pooled = [k for k in skeleton.mean_indices if shares[k] > 0]
    rows = {}
    for name, parts in divided.items():
        rows[name] = {}
        for label, mask in parts.items():
            known = ~np.isnan(errors) & mask[:, None]
            joints = known[:, pooled].sum(axis=0)
            if joints.any():
                found = sum(
                    shares[k]
                    * credits(errors[known[:, k], k], unit).sum(axis=0)
                    for k in pooled
                ) / (shares[pooled] @ joints)
                rows[name][label] = {
                    "people": int(known[:, pooled].any(axis=1).sum()),
                    "joints": int(joints.sum()),
                    **dict(zip(unit.figures, (100 * found).tolist())),
                }
    return rows


def _finite(distance):
    return np.where(np.isfinite(distance), distance, np.inf)
