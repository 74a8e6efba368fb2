"""Measures the calibration of scores and covariances.

A calibrated score is the probability that its joint is correct. A calibrated
covariance gives the distribution of the joint's error. `fitting` fits both.

Shape letter: M joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf import former
from integral_tf.signatures import ArrayLike


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
    scores, hits = np.asarray(scores, np.float64), np.asarray(hits, np.float64)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    divisor = np.where(counts, counts, np.nan)
    return (
        counts,
        np.bincount(place, scores, minlength=bins) / divisor,
        np.bincount(place, hits, minlength=bins) / divisor,
    )


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
    """Spearman's rank correlation, -1 to 1; 0 if an argument is constant."""
    from scipy import stats

    if len(np.unique(scores)) < 2 or len(np.unique(errors)) < 2:
        return 0.0
    return float(stats.spearmanr(scores, errors).statistic)


__getattr__ = former.names(__name__)
