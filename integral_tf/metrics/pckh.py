"""PCKh, the MPII metric of Section 6.1, on plain arrays.

    PCKh@alpha  percentage of joints within alpha head lengths of the truth
    AUC         mean of PCKh@alpha for alpha from 0 to 0.5

`compat="hrnet"` computes the figures that Simple Baselines and HRNet print for
MPII (both in `lib/dataset/mpii.py`), for comparison with theirs. Three things
differ there: Mean@0.1 is at alpha = 0.11, the column Head is the joint head_top
alone, and a column of two joints is the mean of their percentages. Two things
are the same: Mean pools all joints, and a distance of exactly alpha counts.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from integral_tf import skeletons
from integral_tf.metrics import normalised
from integral_tf.signatures import ArrayLike

# ours: the paper gives no step for its AUC.
ALPHAS = np.arange(51) / 100


@dataclasses.dataclass(frozen=True)
class Pckh:
    """PCKh of a set of people, in percent.

    Attributes:
        at: Dict from alpha to PCKh of all joints pooled.
        auc: Mean of `curve`.
        curve: `(51,)` PCKh at distances from 0 to `up_to`: by default at each
            of `ALPHAS`.
        groups: Dict from alpha to a dict from column (Head, Sho., ...) to PCKh.
        joints: Number of labelled joints in the pool.
        people: Number of people with a reference length.
    """

    at: dict[float, float]
    auc: float
    curve: np.ndarray
    groups: dict[float, dict[str, float]]
    joints: int
    people: int


def pckh(
    predicted: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    head_size: ArrayLike,
    skeleton: skeletons.Skeleton = skeletons.MPII,
    *,
    alphas: Sequence[float] = (0.5, 0.1),
    up_to: float = 0.5,
    compat: str | None = None,
    weights: ArrayLike | None = None,
) -> Pckh:
    """Computes PCKh as the MPII toolkit does, pooled over joints. Section 6.1.

    A joint is correct at a distance of alpha head lengths or less. People whose
    `head_size` is 0 do not count, nor do unlabelled joints. A dataset without
    heads may give another length as `head_size`; the figure is then called PCK.

    Args:
        predicted: `(N, K, 2)` points.
        truth: `(N, K, 2)` points in the same frame.
        visible: `(N, K)` above 0 where labelled.
        head_size: `(N,)` length of the head segment in the same frame.
        skeleton: The `skeletons.Skeleton` of the K joints.
        alphas: Thresholds to report, in head lengths.
        up_to: The largest distance of `curve` and `auc`, in head lengths.
        compat: None, or "hrnet" for the figures of Simple Baselines and
            HRNet. It does not change `curve` and `auc`.
        weights: `(K,)` weight of each joint, from 0, in the figures of pooled
            joints, columns included; None for the same. A joint of weight 0
            does not count.

    Returns:
        A `Pckh`; its figures are NaN where no joint is labelled.

    Raises:
        ValueError: the arrays' shapes do not match, or `compat` is unknown or
            not for this skeleton.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    visible, head_size = np.asarray(visible) > 0, np.asarray(head_size)
    wanted = (len(head_size), len(skeleton), 2)
    if not predicted.shape == truth.shape == (*visible.shape, 2) == wanted:
        raise ValueError(
            "PCKh wants predicted and truth (N, K, 2), visible (N, K) and "
            f"head_size (N,) with the {len(skeleton)} joints of "
            f"{skeleton.name}. Received: {predicted.shape}, {truth.shape}, "
            f"{visible.shape}, {head_size.shape}"
        )
    _check_compat(compat, skeleton)
    weights = np.ones(len(skeleton)) if weights is None else weights
    weights = np.asarray(weights, np.float64)
    # A joint that is NaN has an infinite error: a miss.
    relative = normalised.normalised_errors(
        predicted, truth, visible, head_size
    )
    counted = ~np.isnan(relative) & (weights > 0)

    def share(joints, thresholds):
        hits, total = np.zeros(len(thresholds)), 0.0
        for k in joints:
            values = relative[counted[:, k], k]
            near = [np.count_nonzero(values <= alpha) for alpha in thresholds]
            hits += weights[k] * np.array(near)
            total += weights[k] * len(values)
        return 100.0 * hits / total if total else np.full(len(hits), np.nan)

    pooled = skeleton.mean_indices
    curve = share(pooled, ALPHAS / ALPHAS[-1] * up_to)
    thresholds = [0.11 if compat and a == 0.1 else a for a in alphas]
    columns = {
        name: np.mean([share(part, thresholds) for part in parts], axis=0)
        for name, parts in _columns(skeleton, compat)
    }
    means = share(pooled, thresholds)
    return Pckh(
        at={alpha: float(mean) for alpha, mean in zip(alphas, means)},
        auc=float(curve.mean()),
        curve=curve,
        groups={
            alpha: {name: float(v[i]) for name, v in columns.items()}
            for i, alpha in enumerate(alphas)
        },
        joints=int(counted[:, pooled].sum()),
        people=int((head_size > 0).sum()),
    )


def _check_compat(compat, skeleton):
    if compat not in (None, "hrnet"):
        raise ValueError(
            "`compat` is None for figures as of the MPII toolkit, or 'hrnet'. "
            f"Received: compat={compat!r}"
        )
    if compat and skeleton.joints != skeletons.MPII.joints:
        raise ValueError(
            "compat='hrnet' repeats figures that exist for MPII's skeleton "
            f"only. Received: skeleton={skeleton.name!r}"
        )


def _columns(skeleton, compat):
    """Yields columns and the sets of joints whose percentages they average."""
    for name, joints in skeleton.groups:
        if compat and name == "Head":
            joints = ("head_top",)
        indices = skeleton.indices(joints)
        yield name, [[k] for k in indices] if compat else [indices]


def reference_lengths(
    head_size: ArrayLike, boxes: ArrayLike
) -> tuple[np.ndarray, str]:
    """The people's reference lengths, and the metric's name.

    Args:
        head_size: `(N,)` lengths of head segments, in pixels; all 0 in a
            dataset without heads.
        boxes: `(N, 4)` x, y, width, height of the people.

    Returns:
        `head_size` and `"PCKh"`. Without heads: `(N,)` tenths of the boxes'
        longer sides, and `"PCK"`. ours: a tenth is about the head of a
        standing person.
    """
    if np.any(np.asarray(head_size) > 0):
        return np.asarray(head_size), "PCKh"
    return np.asarray(boxes)[:, 2:].max(axis=1) / 10, "PCK"
