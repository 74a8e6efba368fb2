"""Differences of two rows, with an interval over seeds and people.

A bootstrap in two levels: a draw takes as many seeds as there are, with
replacement, and of each as many people as there are, with replacement. Both
rows are scored on the same seeds and people.

Shape letters: S seeds, N people, K joints.
"""

from __future__ import annotations

import numpy as np

from integral_tf.signatures import ArrayLike

_DRAWS, _SEED = 2000, 0


def difference(
    errors: ArrayLike, others: ArrayLike, alpha: float
) -> tuple[float, float, float]:
    """PCK of a row less that of another, in percent.

    Args:
        errors: `(S, N, K)` normalised errors of a row; NaN without a label.
        others: `(S, N, K)` those of the other row.
        alpha: The threshold of PCK.

    Returns:
        The difference, and the 2.5th and 97.5th percentile of its draws.

    Raises:
        ValueError: the arrays' shapes differ.
    """
    errors, others = np.asarray(errors), np.asarray(others)
    if errors.shape != others.shape or errors.ndim != 3:
        raise ValueError(
            "Rows are compared on the same seeds, people and joints. Received: "
            f"{errors.shape} and {others.shape}"
        )
    known = ~np.isnan(errors) & ~np.isnan(others)
    gains = (known & (errors <= alpha)).sum(2) - (
        known & (others <= alpha)
    ).sum(2)
    counts = known.sum(2)  # (S, N)
    rng = np.random.default_rng(_SEED)
    seeds, people = counts.shape
    draws = []
    for _ in range(_DRAWS):
        seed = rng.integers(seeds, size=(seeds, 1))
        person = rng.integers(people, size=(seeds, people))
        draws.append(
            gains[seed, person].sum() / max(1, counts[seed, person].sum())
        )
    low, high = 100 * np.percentile(draws, (2.5, 97.5))
    whole = 100 * gains.sum() / max(1, counts.sum())
    return float(whole), float(low), float(high)
