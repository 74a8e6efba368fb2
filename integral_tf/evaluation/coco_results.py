"""Predictions as COCO's keypoint results: scored, and each person once.

Section 6.2: "OKS based keypoint NMS" and rescoring by the keypoints' scores.
"""

import numpy as np

from integral_tf import coordinates
from integral_tf import inference


def pose_scores(seen, rescore=True, threshold=0.2):
    """`(N,)` scores of the poses: the boxes', or these times the joints'.

    Args:
        seen: `predictions.Predictions`.
        rescore: Multiply by the mean of the joints' scores.
        threshold: Only joints scored above it enter that mean.
    """
    if not rescore:
        return np.asarray(seen.box_score, np.float64)
    return inference.rescore(seen.box_score, seen.scores, threshold)


def kept(seen, scores, skeleton, aspect, kind="hard", threshold=0.9):
    """Indices of the people that OKS-NMS keeps.

    Args:
        seen: `predictions.Predictions`.
        scores: `(N,)`, from `pose_scores`.
        skeleton: The `skeletons.Skeleton`; one without sigmas keeps all.
        aspect: Width over height of the crops, whose areas OKS takes.
        kind: `"hard"`, `"soft"` or `"none"`.
        threshold: As of `oks_nms`.
    """
    if kind == "none" or not skeleton.sigmas:
        return np.arange(len(scores))
    areas = [
        np.prod(coordinates.region_around(box, aspect)[2:]) for box in seen.box
    ]
    suppress = inference.oks_nms if kind == "hard" else inference.soft_oks_nms
    chosen = suppress(
        seen.joints, scores, areas, skeleton.sigmas, threshold, seen.image_id
    )
    # Of soft NMS the lowered scores choose; HRNet, too, writes the old ones.
    return chosen if kind == "hard" else chosen[0]


def of_predictions(seen, truth=None, scores=None, chosen=None):
    """COCO's keypoint results: a list of dicts, in the image frame.

    A person has the category of its record where the truth has that one, else
    the truth's first, else 1.

    Args:
        seen: `predictions.Predictions`.
        truth: Ground truth in COCO's form.
        scores: `(N,)`; by default `pose_scores`.
        chosen: Indices of the people to keep, in this order; None for all.
    """
    if scores is None:
        scores = pose_scores(seen)
    known = [row["id"] for row in truth["categories"]] if truth else [1]
    categories = [int(n) if n in known else known[0] for n in seen.category]
    keypoints = np.concatenate([seen.joints, seen.scores[..., None]], axis=-1)
    return [
        {
            "image_id": int(seen.image_id[i]),
            "category_id": categories[i],
            "keypoints": [round(float(v), 3) for v in keypoints[i].ravel()],
            "score": round(float(scores[i]), 5),
        }
        for i in (range(len(scores)) if chosen is None else chosen)
    ]
