"""PCKh, the MPII metric of Section 6.1, on plain arrays.

    PCKh@alpha  share of joints within alpha head lengths of the truth
    AUC         mean of PCKh@alpha for alpha from 0 to 0.5

`compat="hrnet"` repeats what Simple Baselines and HRNet print for MPII (both
in `lib/dataset/mpii.py`), so that their figures can be compared: what they
call Mean@0.1 is at 0.11, their Head is the top of the head alone, and a column
of two joints is the mean of two percentages. Their Mean weights joints by how
often they are labelled, so it is the pooled one, and they, too, take `<=`.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from integral_tf import skeletons
from integral_tf.signatures import ArrayLike

# ours: the paper gives no step for its AUC.
ALPHAS = np.arange(51) / 100


@dataclasses.dataclass(frozen=True)
class Pckh:
    """PCKh of some people, in percent.

    Attributes:
        at: alpha -> mean over the pooled joints.
        auc: Mean over `ALPHAS`.
        curve: PCKh at each of `ALPHAS`.
        groups: alpha -> column (Head, Sho., ...) -> percent.
        joints: Labelled joints that the mean pools.
        people: People with a reference length.
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
    compat: str | None = None,
) -> Pckh:
    """Scores points as the MPII toolkit does: `<=`, pooled over joints.

    People with no `head_size` (0) are left out, as are unlabelled joints.
    Where a dataset labels no head, another length may stand in its place;
    the figure is then called PCK.

    Args:
        predicted: `(N, K, 2)` points.
        truth: `(N, K, 2)` points in the same frame.
        visible: `(N, K)` above 0 where labelled.
        head_size: `(N,)` length of the head segment in the same frame.
        skeleton: The `skeletons.Skeleton` of the K joints.
        alphas: Thresholds to report.
        compat: None, or "hrnet" for the figures of Simple Baselines and
            HRNet. The curve and its mean are the same.

    Returns:
        A `Pckh`; NaN where nothing is labelled.

    Raises:
        ValueError: the arrays do not fit each other, or there is no such
            `compat`, or it is not for this skeleton.
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
    counted = visible & (head_size > 0)[:, None]
    distance = np.linalg.norm(
        predicted.astype(np.float64) - truth.astype(np.float64), axis=-1
    )
    relative = distance / np.where(head_size > 0, head_size, 1.0)[:, None]
    # A joint that is not a number is a miss, not an exception.
    relative = np.where(np.isfinite(relative), relative, np.inf)

    def share(joints, thresholds):
        values = relative[:, joints][counted[:, joints]]
        if not values.size:
            return np.full(len(thresholds), np.nan)
        hits = np.searchsorted(np.sort(values), thresholds, side="right")
        return 100.0 * hits / values.size

    pooled = skeleton.mean_indices
    curve = share(pooled, ALPHAS)
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
    """Columns, each with the sets of joints whose percentages it averages."""
    for name, joints in skeleton.groups:
        if compat and name == "Head":
            joints = ("head_top",)
        indices = skeleton.indices(joints)
        yield name, [[k] for k in indices] if compat else [indices]


def reference_lengths(
    head_size: ArrayLike, boxes: ArrayLike
) -> tuple[np.ndarray, str]:
    """The length that the thresholds are shares of, and the metric's name.

    Args:
        head_size: `(N,)` head segments; all 0 where a dataset has no head.
        boxes: `(N, 4)` x, y, width, height of the people.

    Returns:
        `(N,)` lengths and `"PCKh"`, or, without heads, a tenth of the boxes'
        longer sides and `"PCK"`. ours: about the head of a standing person.
    """
    if np.any(np.asarray(head_size) > 0):
        return np.asarray(head_size), "PCKh"
    return np.asarray(boxes)[:, 2:].max(axis=1) / 10, "PCK"
