"""Non-maximum suppression of poses by their similarity, OKS (Section 6.2).

    oks_nms       drops a detection that is too similar to a surer kept one
    soft_oks_nms  lowers the scores of similar detections instead, and keeps
                  the best of each image

Section 6.2 follows G-RMI (https://arxiv.org/abs/1701.01779) and gives no more
details. Both functions are those of the public code of Simple Baselines and
HRNet: the similarity of two detections is their OKS over all joints, with the
mean of their areas. The area there is that of the crop: the detection's box,
widened to the network's aspect ratio and enlarged by 1.25.

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
        joints: `(N, K, 2)` points x, y in the image frame.
        scores: `(N,)`; of equal scores the last is the surest, as in the public
            code.
        areas: `(N,)` areas of the detections' boxes or crops, in square pixels.
        sigmas: `(K,)` standard deviations of OKS, one per joint.
        threshold: OKS above which two detections are one person.
        image_ids: `(N,)` ids of the images; only detections of one image are
            compared. None if all detections are of one image.

    Returns:
        `(M,)` indices of the kept detections: image by image, the surest of
        each image first.

    Raises:
        ValueError: the arrays do not fit each other, or a score is not finite.

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
    # Each turn keeps the surest detection left in every image.
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
    """Keeps the best of each image while lowering the scores of similar ones.

    In each turn the surest detection left is kept, and the scores of the
    others in its image are multiplied by `exp(-OKS^2 / threshold)`. HRNet
    selects and sorts by the lowered scores, and writes the original ones.

    Args:
        joints: As in `oks_nms`.
        scores: As in `oks_nms`.
        areas: As in `oks_nms`.
        sigmas: As in `oks_nms`.
        threshold: A larger one lowers the scores less.
        image_ids: As in `oks_nms`.
        max_people: Most detections to keep in an image.

    Returns:
        `(M,)` indices of the kept detections, image by image in descending
        order of lowered scores; and `(N,)` the lowered scores of all
        detections.

    Raises:
        ValueError: as in `oks_nms`.
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
    """Indices sorted by image, then by descending score."""
    last_first = np.arange(len(scores))[::-1]
    return last_first[np.lexsort((-scores[last_first], image[last_first]))]


def _split(people, image):
    """Splits people, sorted by image, into firsts and the rest.

    Returns:
        The first person of each image; for each of the rest, the first person
        of its image; and the rest.
    """
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
    joints = np.asarray(joints)  # `oks` makes float64 of a block at a time
    scores, areas = (np.asarray(each, np.float64) for each in (scores, areas))
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
