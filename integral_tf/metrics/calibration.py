"""Measures the calibration of scores and covariances.

A calibrated score is the probability that its joint is correct. A calibrated
covariance gives the distribution of the joint's error. `fitting` fits both.

Shape letter: M joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf import former
from integral_tf.signatures import ArrayLike

_BLOCK = 1 << 16  # joints at a time


def reliability(
    scores: ArrayLike, hits: ArrayLike, bins: int = 10
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points of a reliability diagram.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools, true where the joint is correct.
        bins: Number of bins, of equal width over [0, 1].

    Returns:
        Three arrays `(bins,)`: each bin's number of scores, their mean, and
        the fraction of hits. The last two are NaN in an empty bin.
    """
    scores, hits = np.asarray(scores), np.asarray(hits)
    counts, sums, right = np.zeros(bins, int), np.zeros(bins), np.zeros(bins)
    for start in range(0, len(scores), _BLOCK):
        values = scores[start : start + _BLOCK].astype(np.float64)
        place = np.minimum((values * bins).astype(int), bins - 1)
        counts += np.bincount(place, minlength=bins)
        sums += np.bincount(place, values, minlength=bins)
        right += np.bincount(
            place, hits[start : start + _BLOCK], minlength=bins
        )
    divisor = np.where(counts, counts, np.nan)
    return counts, sums / divisor, right / divisor


def calibration_error(
    scores: ArrayLike, hits: ArrayLike, bins: int = 10
) -> float:
    """Expected calibration error: mean gap of mean score and fraction of hits.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools, true where the joint is correct.
        bins: Number of bins, of equal width over [0, 1]. A bin's weight is its
            number of scores.
    """
    counts, means, shares = reliability(scores, hits, bins)
    gaps = counts * np.abs(means - shares)
    return float(np.nansum(gaps) / max(counts.sum(), 1))


def spearman(scores: ArrayLike, errors: ArrayLike) -> float:
    """Spearman's rank correlation, -1 to 1; 0 if an argument is constant.

    Equal values have the mean of their ranks.
    """
    columns = np.asarray(scores), np.asarray(errors)
    ordered = [np.sort(each) for each in columns]
    if any(not len(each) or each[0] == each[-1] for each in ordered):
        return 0.0
    products = np.zeros((2, 2))
    for start in range(0, len(columns[0]), _BLOCK):
        ranks = np.stack(
            [
                _ranks(each[start : start + _BLOCK], among)
                for each, among in zip(columns, ordered)
            ]
        )
        products += ranks @ ranks.T
    return float(products[0, 1] / np.sqrt(products[0, 0] * products[1, 1]))


def _ranks(values, ordered):
    """Ranks of some of the values that `ordered` has; their mean is 0."""
    order = np.argsort(values)  # near queries are near in memory, too
    ranks = np.empty(len(values))
    ranks[order] = sum(
        np.searchsorted(ordered, values[order], side)
        for side in ("left", "right")
    )
    return (ranks - len(ordered)) / 2


__getattr__ = former.names(__name__)
