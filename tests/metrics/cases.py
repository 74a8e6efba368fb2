"""Scores and errors drawn with a known calibration."""

import numpy as np
from scipy import special


def drawn(slope, offset, count=40_000):
    """Confidences, and hits with the chance that this calibration gives."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 0.98, count)
    chance = special.expit(slope * special.logit(confidence) + offset)
    return confidence, rng.random(count) < chance


def turned(rng, count):
    """Covariances of every direction, with variances of 4 to 64."""
    sides = rng.uniform(2, 8, (count, 2)) ** 2
    angle = rng.uniform(0, np.pi, count)
    axes = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])  # fmt: skip
    axes = np.moveaxis(axes, -1, 0)
    return axes * sides[:, None] @ np.swapaxes(axes, 1, 2)


def drawn_errors(slope, offset, degrees, count=20_000):
    """Covariances, and errors drawn from NumPy's normal over chi-square."""
    rng = np.random.default_rng(0)
    covariances = turned(rng, count)
    root = np.linalg.cholesky(slope * covariances + offset * np.eye(2))
    normal = np.einsum("nij,nj->ni", root, rng.normal(size=(count, 2)))
    stretch = np.sqrt(degrees / rng.chisquare(degrees, count))
    return normal * stretch[:, None], covariances
