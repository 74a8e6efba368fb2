"""Of several poses of one person in an image, keep the surest.

    oks_nms       drop whoever is too similar to someone surer
    soft_oks_nms  lower their scores instead, and keep the best of an image

Section 6.2 follows G-RMI (https://arxiv.org/abs/1701.01779) and says no more.
Both functions are as in the public code of Simple Baselines and HRNet: the
similarity of two detections is their OKS over all joints, with the mean of
their areas. An area there is the crop's: of the detection's box, enlarged to
the network's aspect ratio and 1.25 times.

Shape letters: N detections, K joints. All points are in the image frame.
"""

from __future__ import annotations

import numpy as np

from integral_tf import skeletons
from integral_tf.metrics import oks
from integral_tf.signatures import ArrayLike
from integral_tf.signatures import Numbers


def oks_nms(
    joints: ArrayLike,
    scores: ArrayLike,
    areas: ArrayLike,
    sigmas: Numbers = skeletons.COCO.sigmas,
    threshold: float = 0.9,
    image_ids: ArrayLike | None = None,
) -> np.ndarray:
    """Keeps the detections that are not too similar to a surer kept one.

    Args:
        joints: `(N, K, 2)` points.
        scores: `(N,)`; of equal ones the last goes first, as it does there.
        areas: `(N,)` of the detections' boxes or crops, in square pixels.
        sigmas: `(K,)` standard deviations per joint.
        threshold: OKS above which two detections are one person.
        image_ids: `(N,)` ids; only within an image are people the same. None
            where all are of one image.

    Returns:
        Indices of those kept: image by image, the surest of each first.

    Raises:
        ValueError: the arrays do not fit each other, or a score is no number.

    Example:

    >>> import numpy as np
    >>> joints = np.zeros((3, 17, 2))
    >>> joints[2] += 50  # pixels
    >>> oks_nms(joints, scores=[0.7, 0.9, 0.8], areas=[4000.0] * 3)
    array([1, 2])
    """
    joints, scores, areas, image = _checked(
        joints, scores, areas, sigmas, image_ids
    )
    left = order = _surest_first(scores, image)
    kept = np.zeros(len(scores), bool)
    # Each turn keeps the surest that is left of every image at once.
    while len(left):
        surest, of_surest, left = _split(left, image)
        kept[surest] = True
        similar = _similarity(joints, areas, of_surest, left, sigmas)
        left = left[similar <= threshold]
    return order[kept[order]]


def soft_oks_nms(
    joints: ArrayLike,
    scores: ArrayLike,
    areas: ArrayLike,
    sigmas: Numbers = skeletons.COCO.sigmas,
    threshold: float = 0.9,
    image_ids: ArrayLike | None = None,
    *,
    max_people: int = 20,
) -> tuple[np.ndarray, np.ndarray]:
    """Keeps the best of an image after lowering the scores of similar ones.

    Again and again the surest is kept, and the scores of the others in its
    image are multiplied by `exp(-OKS^2 / threshold)`. HRNet lets these scores
    choose whom to keep and how to sort them, and writes the old ones.

    Args:
        joints: as of `oks_nms`.
        scores: as of `oks_nms`.
        areas: as of `oks_nms`.
        sigmas: as of `oks_nms`.
        threshold: The larger, the less scores are lowered.
        image_ids: as of `oks_nms`.
        max_people: How many to keep in an image.

    Returns:
        Indices of those kept, image by image in the order of their lowered
        scores, and `(N,)` these scores. Of someone not kept it is the last.

    Raises:
        ValueError: as `oks_nms`.
    """
    joints, scores, areas, image = _checked(
        joints, scores, areas, sigmas, image_ids
    )
    lowered = scores.copy()
    left = np.arange(len(scores))
    kept = []
    while len(left) and len(kept) < max_people:
        left = left[_surest_first(lowered[left], image[left])]
        surest, of_surest, left = _split(left, image)
        kept.append(surest)
        similar = _similarity(joints, areas, of_surest, left, sigmas)
        lowered[left] *= np.exp(-(similar**2) / threshold)
    kept = np.concatenate(kept) if kept else left
    return kept[np.argsort(image[kept], kind="stable")], lowered


def _surest_first(scores, image):
    """Positions sorted by image, then from the surest down."""
    last_first = np.arange(len(scores))[::-1]
    return last_first[np.lexsort((-scores[last_first], image[last_first]))]


def _split(people, image):
    """The first of each image, and the rest beside their own image's first."""
    first = np.diff(image[people], prepend=-1) != 0
    firsts, rest = people[first], people[~first]
    return firsts, firsts[np.cumsum(first) - 1][~first], rest


def _similarity(joints, areas, first, second, sigmas):
    return oks.of_pairs(
        joints,
        joints,
        np.broadcast_to(True, joints.shape[:2]),
        (areas[first] + areas[second]) / 2,
        sigmas,
        pairs=(first, second),
    )


def _checked(joints, scores, areas, sigmas, image_ids):
    joints, scores, areas = (
        np.asarray(array, np.float64) for array in (joints, scores, areas)
    )
    if image_ids is None:
        image_ids = np.zeros(len(scores), int)
    image_ids = np.asarray(image_ids)
    wanted = (len(scores), len(sigmas), 2)
    if joints.shape != wanted or not (
        scores.shape == areas.shape == image_ids.shape == wanted[:1]
    ):
        raise ValueError(
            "NMS wants joints (N, K, 2), scores, areas and image_ids (N,) and "
            f"sigmas (K,). Received: {joints.shape}, {scores.shape}, "
            f"{areas.shape}, {image_ids.shape} and ({len(sigmas)},)"
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            "Scores are finite, to be sorted by. Received: "
            f"{np.count_nonzero(~np.isfinite(scores))} that are not"
        )
    return joints, scores, areas, np.unique(image_ids, return_inverse=True)[1]
