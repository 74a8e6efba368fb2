"""Whether scores mean what they say, and how to make them.

Shape letter: M joints.
"""

import numpy as np
from scipy import optimize
from scipy import special


def platt(scores, hits):
    """Platt's scaling: slope and offset on the logits of scores.

    The loss is his: cross-entropy with targets that are one example short of
    0 and 1, so that it has a minimum where all are right, too.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.

    Returns:
        Slope, above 0, and offset; 1 and 0 of no scores.
    """
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


def calibration_error(scores, hits, bins=10):
    """Expected calibration error: mean gap of score and share of hits.

    Args:
        scores: `(M,)` in [0, 1].
        hits: `(M,)` bools.
        bins: Equal parts of [0, 1], each weighted by how many fall into it.
    """
    scores, hits = np.asarray(scores, np.float64), np.asarray(hits, np.float64)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(place, scores - hits, minlength=bins)
    return float(np.abs(gaps).sum() / max(len(scores), 1))
