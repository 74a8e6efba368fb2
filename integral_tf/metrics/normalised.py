"""Errors divided by a length of the person, and the mean of faces, NME.

    e_nk   distance of joint k from the truth, divided by the length of person n
    NME_n  mean of e_nk over the labelled joints of person n
    NME    mean of NME_n over the people
    FR@t   share of people whose NME_n is above t
    AUC@t  area below the curve of the share of people whose NME_n is at most x,
           x from 0 to t, divided by t: the mean of max(0, 1 - NME_n / t)

The mean and its curve are those of the 300 Faces in-the-Wild Challenge
(https://doi.org/10.1016/j.imavis.2016.01.002); FR and AUC at a tenth
are those of WFLW (https://arxiv.org/abs/1805.10483). ours: the area
is exact, where others sum a sampled curve.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from integral_tf import checks
from integral_tf.signatures import ArrayLike

_BLOCK = 4096  # people at a time


@dataclasses.dataclass(frozen=True)
class Nme:
    """NME of a set of people, in percent.

    Attributes:
        nme: Mean of `each`.
        failure_rate: Percentage of people above the threshold.
        auc: Area below the curve up to the threshold; 100 without an error.
        threshold: The largest NME of a person that is no failure, as a share
            of the length.
        each: `(N,)` mean error of each person, in lengths and not in percent;
            NaN for a person who does not count.
        people: Number of people who count.
    """

    nme: float
    failure_rate: float
    auc: float
    threshold: float
    each: np.ndarray
    people: int

    def curve(self, thresholds: ArrayLike) -> np.ndarray:
        """Percentage of people whose error is at most each of `thresholds`."""
        thresholds = np.asarray(thresholds)
        known = self.each[~np.isnan(self.each)]
        if not known.size:
            return np.full(thresholds.shape, np.nan)
        return 100.0 * (known[:, None] <= thresholds).mean(axis=0)


def normalised_errors(
    predicted: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    lengths: ArrayLike,
) -> np.ndarray:
    """Distances to the truth, divided by a length of each person.

    Args:
        predicted: `(N, K, 2)` points.
        truth: `(N, K, 2)` points in the same frame.
        visible: `(N, K)` above 0 where labelled.
        lengths: `(N,)` lengths in the same frame; 0 if unknown.

    Returns:
        `(N, K)`; NaN without a label or a length, infinite where a prediction
        is not finite.

    Raises:
        ValueError: the arrays' shapes do not match.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    visible, lengths = np.asarray(visible) > 0, np.asarray(lengths)
    wanted = (*visible.shape, 2)
    if (
        not predicted.shape == truth.shape == wanted
        or lengths.shape != wanted[:1]
    ):
        raise ValueError(
            "Errors want predicted and truth (N, K, 2), visible (N, K) and "
            f"lengths (N,). Received: {predicted.shape}, {truth.shape}, "
            f"{visible.shape}, {lengths.shape}"
        )
    errors = np.full(visible.shape, np.nan)
    for start in range(0, len(errors), _BLOCK):
        block = slice(start, start + _BLOCK)
        length = lengths[block, None]
        offsets = predicted[block].astype(np.float64) - truth[block]
        distance = np.linalg.norm(offsets, axis=-1)
        relative = distance / np.where(length > 0, length, 1.0)
        relative = np.where(np.isfinite(relative), relative, np.inf)
        np.copyto(errors[block], relative, where=visible[block] & (length > 0))
    return errors


def nme(
    errors: ArrayLike,
    *,
    threshold: float = 0.1,
    weights: ArrayLike | None = None,
) -> Nme:
    """The mean error of people, the failure rate and the area of its curve.

    Args:
        errors: `(N, K)` from `normalised_errors`; NaN does not count.
        threshold: Mean error of a person, in lengths, above which the person
            is a failure. 0.1 is that of WFLW.
        weights: `(K,)` weight of each joint in a person's mean, from 0; None
            for the same.

    Returns:
        An `Nme`; its figures are NaN where no error is known.

    Raises:
        ValueError: `threshold` is not above 0.
    """
    checks.number(
        "threshold",
        threshold,
        "A failure is a mean error above this share of the length, such as "
        "0.1.",
        above=0,
    )
    errors = np.asarray(errors, np.float64)
    sums, total = np.zeros(len(errors)), np.zeros(len(errors))
    shares = np.ones(errors.shape[1]) if weights is None else weights
    for share, each in zip(np.asarray(shares, np.float64), errors.T):
        # A weight of 0 takes an infinite error out, too.
        known = ~np.isnan(each) & (share > 0)
        total += share * known
        sums += share * np.where(known, each, 0.0)
    each = np.where(total > 0, sums / np.where(total > 0, total, 1.0), np.nan)
    known = each[total > 0]
    if not known.size:
        return Nme(np.nan, np.nan, np.nan, threshold, each, 0)
    return Nme(
        nme=float(100 * known.mean()),
        failure_rate=float(100 * (known > threshold).mean()),
        auc=float(100 * np.maximum(0.0, 1 - known / threshold).mean()),
        threshold=threshold,
        each=each,
        people=known.size,
    )
