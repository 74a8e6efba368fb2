"""Calibrates scores and covariances.

Both are fitted on people with known joints. `halves` splits these people, so
that a fit to one half is measured on the other.

Shape letter: M joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf.signatures import ArrayLike

# Scores are clipped to this distance from 0 and 1 before their logit, as in
# `layers.ScoreCalibration`.
_SMALLEST = 1e-6
_BLOCK = 1 << 16  # joints at a time


def fit_platt(scores: ArrayLike, hits: ArrayLike) -> tuple[float, float]:
    """Platt's scaling: slope and offset on the logits of scores.

    The loss is Platt's: cross-entropy with the target (h + 1) / (h + 2) for a
    hit and 1 / (m + 2) for a miss, where h is the number of hits and m that of
    misses. With 1 and 0 it would have no minimum if all joints were correct.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools, true where the joint is correct.

    Returns:
        Slope, above 0, and offset, for `layers.ScoreCalibration`. Without
        scores they are 1 and 0.
    """
    # Late, because environments without SciPy import this file too.
    from scipy import optimize
    from scipy import special

    scores, hits = np.asarray(scores), np.asarray(hits, bool)
    count = len(hits)
    if not count:
        return 1.0, 0.0
    right = np.count_nonzero(hits)
    of_hit, of_miss = (right + 1) / (right + 2), 1 / (count - right + 2)

    def loss(parameters):
        slope, offset = parameters
        sums = np.zeros(3)
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            target = np.where(hits[block], of_hit, of_miss)
            logits = special.logit(_clipped(scores[block]))
            values = slope * logits + offset
            gap = special.expit(values) - target
            cost = np.logaddexp(0, values) - target * values
            sums += cost.sum(), gap @ logits, gap.sum()
        return sums[0] / count, sums[1:] / count

    # A negative slope would reverse the order of scores.
    best = optimize.minimize(
        loss, (1.0, 0.0), jac=True, bounds=((1e-3, None), (None, None))
    )
    return tuple(map(float, best.x))


def cross_fitted(
    scores: ArrayLike, hits: ArrayLike, groups: ArrayLike
) -> np.ndarray:
    """Calibrates each half's scores by `fit_platt` on the other half.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools, true where the joint is correct.
        groups: `(M,)`, as in `halves`.

    Returns:
        `(M,)` scores. No score's own hit was used to calibrate it.
    """
    from scipy import special

    scores, hits = np.asarray(scores), np.asarray(hits)
    fitted = np.empty(len(scores), np.result_type(scores, np.float32))
    for half in halves(groups):
        slope, offset = fit_platt(scores[~half], hits[~half])
        for start in range(0, len(scores), _BLOCK):
            block = slice(start, start + _BLOCK)
            logits = special.logit(_clipped(scores[block]))
            values = special.expit(slope * logits + offset)
            np.copyto(
                fitted[block], values, where=half[block], casting="same_kind"
            )
    return fitted


def halves(groups: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Splits joints by group into halves: two complementary masks `(M,)`.

    Args:
        groups: `(M,)` labels, such as the image's number. Joints of one group
            are in the same half; every second group is in the first half.
    """
    groups = np.asarray(groups)
    known, odd = np.unique(groups), np.empty(len(groups), bool)
    for start in range(0, len(groups), _BLOCK):
        block = slice(start, start + _BLOCK)
        odd[block] = np.searchsorted(known, groups[block]) % 2 == 1
    return ~odd, odd


def fit_student_t(
    errors: ArrayLike, covariances: ArrayLike
) -> tuple[float, float, float | None]:
    """Fits a Student's t distribution to errors, scaled by the covariances.

    Finds the maximum-likelihood slope, offset and degrees of freedom of a t
    distribution in the plane with scale `slope * covariance + offset * I`.
    Joints on the wrong limb make its tails heavy. They would widen a normal
    distribution for all other joints, too.

    Args:
        errors: `(M, 2)` true minus predicted joint.
        covariances: `(M, 2, 2)` of the maps, in the same frame.

    Returns:
        Slope, offset and degrees, for `layers.CovarianceCalibration`. Without
        errors `(1, 0, None)`, which changes nothing.
    """
    from scipy import optimize

    errors = np.asarray(errors, np.float64)
    covariances = np.asarray(covariances, np.float64)
    if not len(errors):
        return 1.0, 0.0, None

    def loss(logarithms):
        slope, offset, degrees = np.exp(logarithms)
        scales = slope * covariances + offset * np.eye(2)
        square = mahalanobis(errors, scales) ** 2
        spread = 0.5 * np.log(np.linalg.det(scales))
        tail = (degrees / 2 + 1) * np.log1p(square / degrees)
        return (spread + tail).mean()

    typical = np.median(np.sum(errors**2, axis=-1)) / 4 + 1e-2
    best = optimize.minimize(
        loss,
        np.log([1.0, typical, 4.0]),
        # The offset is at least (0.1 pixel)^2: a sharp map's covariance is 0
        # in float32.
        bounds=np.log([(1e-6, 1e6), (1e-2, 1e6), (0.5, 1e3)]),
    )
    return tuple(map(float, np.exp(best.x)))


def mahalanobis(errors: ArrayLike, covariances: ArrayLike) -> np.ndarray:
    """Mahalanobis distances `(M,)` of errors `(M, 2)`."""
    errors = np.asarray(errors, np.float64)[..., None]
    solved = np.linalg.solve(np.asarray(covariances, np.float64), errors)
    return np.sqrt(np.sum(errors * solved, axis=(-2, -1)))


def _clipped(scores):
    return np.clip(np.float64(scores), _SMALLEST, 1 - _SMALLEST)
