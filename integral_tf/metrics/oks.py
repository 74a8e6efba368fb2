"""OKS, COCO's object keypoint similarity of two poses, on plain arrays.

    OKS = mean over labelled joints of exp(-d^2 / (2 s^2 (2 sigma)^2))

The mean may be a weighted one, which COCO does not have.

d is a joint's distance from the truth, s^2 the person's area, and sigma the
joint's standard deviation, as in https://cocodataset.org/#keypoints-eval and in
pycocotools' `COCOeval`.

Shape letters: N pairs of poses, K joints. All points are in one frame; areas
are in square pixels of this frame.
"""

from __future__ import annotations

import numpy as np

from integral_tf.signatures import ArrayLike

_BLOCK = 1 << 12  # pairs compared at once, so that they stay in the cache


def of_pairs(
    predicted: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    areas: ArrayLike,
    sigmas: ArrayLike,
    *,
    pairs: tuple[np.ndarray, np.ndarray],
    boxes: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> np.ndarray:
    """Compares poses of two sets, pair by pair.

    Args:
        predicted: `(P, K, 2)` points of one set.
        truth: `(T, K, 2)` points of the other set.
        visible: `(T, K)`, as in `similarity`.
        areas: `(N,)` area of each pair's true person.
        sigmas: `(K,)` standard deviations per joint.
        pairs: Positions in the first set and in the second, `(N,)` each.
        boxes: `(T, 4)`, as in `similarity`.
        weights: `(K,)`, as in `similarity`.

    Returns:
        `(N,)` float64, as in `similarity`.
    """
    similar = np.empty(len(pairs[0]))
    for start in range(0, len(similar), _BLOCK):
        block = slice(start, start + _BLOCK)
        first, second = pairs[0][block], pairs[1][block]
        similar[block] = similarity(
            predicted[first],
            truth[second],
            visible[second],
            areas[block],
            sigmas,
            None if boxes is None else boxes[second],
            weights=weights,
        )
    return similar


def similarity(
    predicted: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    areas: ArrayLike,
    sigmas: ArrayLike,
    boxes: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
) -> np.ndarray:
    """Compares N predicted poses with N true poses, pair by pair.

    If a person has no labelled joint, d is the distance of a predicted joint
    from the person's box, enlarged by its width and height on every side, and
    the mean is over all joints. COCO uses this to ignore detections of people
    without labelled joints.

    Args:
        predicted: `(N, K, 2)` points; a joint that is NaN is far from truth.
        truth: `(N, K, 2)` points in the same frame.
        visible: `(N, K)` above 0 where labelled in `truth`.
        areas: `(N,)` areas of the people of `truth`.
        sigmas: `(K,)` standard deviations per joint.
        boxes: `(N, 4)` x, y, width, height of the people of `truth`; used only
            for people without a labelled joint.
        weights: `(K,)` weights of the joints in the mean, from 0; None for the
            same. A joint of weight 0 counts as unlabelled.

    Returns:
        `(N,)` float64 in [0, 1]; NaN without labelled joints and boxes.
    """
    predicted = np.asarray(predicted, np.float64)
    truth = np.asarray(truth, np.float64)
    equal = weights is None
    weights = np.asarray(np.ones(truth.shape[1]) if equal else weights, float)
    labelled = (np.asarray(visible) > 0) & (weights > 0)
    offsets = predicted - truth
    unlabelled = np.flatnonzero(~labelled.any(axis=1))
    if boxes is not None and len(unlabelled):
        boxes = np.asarray(boxes, np.float64)[unlabelled, None]
        corner, size = boxes[..., :2], boxes[..., 2:]
        points = predicted[unlabelled]
        before = np.maximum(corner - size - points, 0)
        after = np.maximum(points - (corner + 2 * size), 0)
        offsets[unlabelled] = before + after
        labelled = labelled.copy()
        labelled[unlabelled] = weights > 0
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    # As in COCOeval, so that an area of 0 is no division by 0.
    areas = np.asarray(areas, np.float64)[:, None] + np.spacing(1)
    # What is infinitely far is not similar.
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum over an axis of length 2 would be many times slower.
        distance2 = offsets[..., 0] ** 2 + offsets[..., 1] ** 2
        each = np.exp(-distance2 / variances / areas / 2)
    each = np.where(labelled & ~np.isnan(each), each, 0)
    if equal:  # as COCOeval sums, to the last bit
        similar, total = each.sum(axis=1), labelled.sum(axis=1)
    else:
        similar, total = each @ weights, labelled @ weights
    return np.where(total > 0, similar / np.where(total > 0, total, 1), np.nan)
