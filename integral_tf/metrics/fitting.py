"""Fits that make scores and covariances mean what they say.

Both are fitted on people with known joints. `halves` splits these people, so
that a fit to one half is measured on the other.

Shape letter: M joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf.metrics import calibration
from integral_tf.signatures import ArrayLike

# Logits beyond those of this and of 1 less this are not asked for, as in
# `layers.ScoreCalibration`.
_SMALLEST = 1e-6


def fit_platt(scores: ArrayLike, hits: ArrayLike) -> tuple[float, float]:
    """Platt's scaling: slope and offset on the logits of scores.

    The loss is his: cross-entropy with targets that are one example short of
    0 and 1, so that it has a minimum where all are right, too.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.

    Returns:
        Slope, above 0, and offset; 1 and 0 of no scores. They are
        `layers.ScoreCalibration`'s.
    """
    # The layer's own worlds have no SciPy, and import this file.
    from scipy import optimize
    from scipy import special

    hits = np.asarray(hits, bool)
    if not len(hits):
        return 1.0, 0.0
    right, wrong = hits.sum(), (~hits).sum()
    target = np.where(hits, (right + 1) / (right + 2), 1 / (wrong + 2))
    logits = special.logit(_clipped(scores))

    def loss(parameters):
        slope, offset = parameters
        values = slope * logits + offset
        gap = special.expit(values) - target
        cost = np.logaddexp(0, values) - target * values
        return cost.mean(), [(gap * logits).mean(), gap.mean()]

    # A falling curve would turn the order of scores round.
    best = optimize.minimize(
        loss, (1.0, 0.0), jac=True, bounds=((1e-3, None), (None, None))
    )
    return tuple(map(float, best.x))


def cross_fitted(
    scores: ArrayLike, hits: ArrayLike, groups: ArrayLike
) -> np.ndarray:
    """Each half's scores after `fit_platt` on the other half.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.
        groups: `(M,)`, as of `halves`.

    Returns:
        `(M,)` scores, as of people that the calibration has not seen.
    """
    from scipy import special

    scores, hits = np.asarray(scores), np.asarray(hits)
    logits = special.logit(_clipped(scores))
    fitted = np.empty(len(scores))
    for half in halves(groups):
        slope, offset = fit_platt(scores[~half], hits[~half])
        fitted[half] = special.expit(slope * logits[half] + offset)
    return fitted


def halves(groups: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two masks `(M,)`, each the other's complement: every second group.

    Args:
        groups: `(M,)` what stays together, such as the image's number.
    """
    _, place = np.unique(groups, return_inverse=True)
    odd = place % 2 == 1
    return ~odd, odd


def fit_student_t(
    errors: ArrayLike, covariances: ArrayLike
) -> tuple[float, float, float | None]:
    """Student's t of errors whose scale goes with a map's covariance.

    The likeliest slope, offset and degrees of freedom of a t distribution in
    the plane with scale `slope * covariance + offset * I`. Joints put on
    another limb make its tails heavy, and do not widen what is said of the
    others, as they would under a normal distribution.

    Args:
        errors: `(M, 2)` truth less joint.
        covariances: `(M, 2, 2)` of the maps, in the same frame.

    Returns:
        Slope, offset and degrees, those of `layers.CovarianceCalibration`;
        `(1, 0, None)`, which changes nothing, of no errors.
    """
    from scipy import optimize

    errors = np.asarray(errors, np.float64)
    covariances = np.asarray(covariances, np.float64)
    if not len(errors):
        return 1.0, 0.0, None

    def loss(logarithms):
        slope, offset, degrees = np.exp(logarithms)
        scales = slope * covariances + offset * np.eye(2)
        square = calibration.mahalanobis(errors, scales) ** 2
        spread = 0.5 * np.log(np.linalg.det(scales))
        tail = (degrees / 2 + 1) * np.log1p(square / degrees)
        return (spread + tail).mean()

    typical = np.median(np.sum(errors**2, axis=-1)) / 4 + 1e-2
    best = optimize.minimize(
        loss,
        np.log([1.0, typical, 4.0]),
        # From a tenth of a pixel: sharp maps have no width in float32.
        bounds=np.log([(1e-6, 1e6), (1e-2, 1e6), (0.5, 1e3)]),
    )
    return tuple(map(float, np.exp(best.x)))


def _clipped(scores):
    return np.clip(np.float64(scores), _SMALLEST, 1 - _SMALLEST)
