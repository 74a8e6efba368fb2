"""Whether scores and covariances mean what they say, and how to make them.

A score is to be the chance that its joint is right, a covariance to tell how
far the joint is off. Both are fitted on people with known joints; `halves`
splits these, so that what is fitted on one half is measured on the other.

Shape letter: M joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf.signatures import ArrayLike

# Logits beyond those of this and of 1 less this are not asked for, as of
# `layers.ScoreCalibration`.
_SMALLEST = 1e-6


def platt(scores: ArrayLike, hits: ArrayLike) -> tuple[float, float]:
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
    logits = special.logit(np.clip(np.float64(scores), 1e-6, 1 - 1e-6))

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
    """Each half's scores after `platt` on the other half.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.
        groups: `(M,)`, as of `halves`.

    Returns:
        `(M,)` scores, as of people that the calibration has not seen.
    """
    from scipy import special

    scores, hits = np.asarray(scores), np.asarray(hits)
    logits = special.logit(np.clip(scores, _SMALLEST, 1 - _SMALLEST))
    fitted = np.empty(len(scores))
    for half in halves(groups):
        slope, offset = platt(scores[~half], hits[~half])
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


def reliability(
    scores: ArrayLike, hits: ArrayLike, bins: int = 10
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often scores come true: the points of a reliability diagram.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.
        bins: Equal parts of [0, 1].

    Returns:
        Of each part, `(bins,)`: how many scores fall into it, their mean, and
        the share of hits among them; NaN where there are none.
    """
    scores, hits = np.asarray(scores, np.float64), np.asarray(hits, np.float64)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    some = np.where(counts, counts, np.nan)
    return (
        counts,
        np.bincount(place, scores, minlength=bins) / some,
        np.bincount(place, hits, minlength=bins) / some,
    )


def calibration_error(
    scores: ArrayLike, hits: ArrayLike, bins: int = 10
) -> float:
    """Expected calibration error: mean gap of score and share of hits.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.
        bins: Equal parts of [0, 1], each weighted by how many fall into it.
    """
    counts, means, shares = reliability(scores, hits, bins)
    gaps = counts * np.abs(means - shares)
    return float(np.nansum(gaps) / max(counts.sum(), 1))


def spearman(scores: ArrayLike, errors: ArrayLike) -> float:
    """Spearman's correlation, -1 to 1; 0 where all of one are the same."""
    from scipy import stats

    if len(np.unique(scores)) < 2 or len(np.unique(errors)) < 2:
        return 0.0
    return float(stats.spearmanr(scores, errors).statistic)


def student_t(
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
        square = distances(errors, scales) ** 2
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


def distances(errors: ArrayLike, covariances: ArrayLike) -> np.ndarray:
    """Mahalanobis distances `(M,)` of errors `(M, 2)`."""
    errors = np.asarray(errors, np.float64)[..., None]
    solved = np.linalg.solve(np.asarray(covariances, np.float64), errors)
    return np.sqrt(np.sum(errors * solved, axis=(-2, -1)))
