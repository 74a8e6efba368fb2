"""A pose's score: the box's score times the mean of the joints' scores."""

from __future__ import annotations

import numpy as np

from integral_tf.signatures import ArrayLike


def rescore(
    box_scores: ArrayLike, joint_scores: ArrayLike, threshold: float = 0.2
) -> np.ndarray:
    """Multiplies each box's score by the mean of its joints' scores.

    COCO's AP sorts poses by their scores, and a sure box may hold an unsure
    pose. Section 6.2 follows G-RMI (https://arxiv.org/abs/1701.01779), which
    takes the mean over all joints. Simple Baselines and HRNet take the mean
    over joints with a score above 0.2.

    Args:
        box_scores: `(N,)` scores of the person detector; ones for true boxes.
        joint_scores: `(N, K)` scores of the joints.
        threshold: Only joints with a higher score enter the mean; 0 takes all
            joints.

    Returns:
        `(N,)` float64; 0 for a person without such a joint.

    Raises:
        ValueError: the arrays do not fit each other.

    Example:

    >>> rescore([0.5], [[0.9, 0.7, 0.1]]).round(3)
    array([0.4])
    """
    box_scores = np.asarray(box_scores, np.float64)
    joint_scores = np.asarray(joint_scores, np.float64)
    if joint_scores.ndim != 2 or box_scores.shape != joint_scores.shape[:1]:
        raise ValueError(
            "Rescoring wants one box score (N,) and K joint scores (N, K) for "
            f"each person. Received: {box_scores.shape}, {joint_scores.shape}"
        )
    counted = np.ones(joint_scores.shape, bool)
    if threshold > 0:
        counted = joint_scores > threshold
    total = np.where(counted, joint_scores, 0).sum(axis=1)
    return box_scores * total / np.maximum(counted.sum(axis=1), 1)
