"""Eqs. (5) and (6) of the paper and their slope, in NumPy's float64.

Tests compare the package with these. Neither Keras nor TensorFlow is imported,
so that the tests of every backend have the same reference.

Shape letters: B batch, `...` the axes of space, K joints, D = 2 for images:
(x, y); N pixels in memory's order.
"""

import numpy as np


def softmax(scores, axis):
    """Exponentials of the scores, which sum to 1 along `axis`."""
    scores = np.asarray(scores, np.float64)
    mass = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return mass / mass.sum(axis=axis, keepdims=True)


def pixels(spatial):
    """`(N, D)` positions (x, y) of a map's pixels."""
    return np.indices(spatial, np.float64).reshape(len(spatial), -1)[::-1].T


def probabilities(maps, beta=1.0, background=None, window=None):
    """The weight of each pixel in the expectation, `(B, ..., K)`. Eq. (5).

    Args:
        maps: `(B, ..., K)` scores.
        beta: Factor of the scores.
        background: Score of a pixel that weighs nothing.
        window: Side of the square around the maximum beside which no pixel
            weighs anything.
    """
    mass, empty = _masses(maps, beta, background, window)
    return (mass - empty) / _total(mass - empty)


def joints(maps, beta=1.0, background=None, window=None):
    """The expected pixel, `(B, K, D)`. Eq. (6)."""
    weights = _flat(probabilities(maps, beta, background, window))
    return np.einsum("bnk,nd->bkd", weights, pixels(maps.shape[1:-1]))


def covariance(maps, beta=1.0):
    """sum_p H~(p) (p - J) (p - J)^T, `(B, K, D, D)`."""
    weights = _flat(probabilities(maps, beta))
    apart = _offsets(maps, joints(maps, beta))
    return np.einsum("bnk,bnkd,bnke->bkde", weights, apart, apart)


def confidence(maps, radius):
    """sum_p H~(p) exp(-|p - J|^2 / (2 radius^2)), `(B, K)`."""
    square = np.sum(_offsets(maps, joints(maps)) ** 2, axis=-1)
    near = np.exp(-square / (2 * radius**2))
    return np.sum(_flat(probabilities(maps)) * near, axis=1)


def gradient(maps, upstream, beta=1.0, background=None, window=None):
    """d sum(upstream * J) / d maps, `(B, ..., K)`.

    A pixel's is beta m(p) / M (p - J), for its mass m(p) and the mass M that
    the pixels have above the background. For the plain softmax m / M is H~.

    Args:
        maps: `(B, ..., K)` scores.
        upstream: `(B, K, D)`.
        beta: See `probabilities`, and so `background` and `window`.
    """
    points = joints(maps, beta, background, window)
    mass, empty = _masses(maps, beta, background, window)
    pull = np.einsum("bnkd,bkd->bnk", _offsets(maps, points), upstream)
    return beta * mass / _total(mass - empty) * pull.reshape(maps.shape)


def scores(spots, height=4, width=6):
    """Scores whose softmax is `spots`, a dict of (x, y) -> mass."""
    shares = np.full((1, height, width, 1), 1e-30, "float32")
    for (x, y), mass in spots.items():
        shares[0, y, x, 0] = mass
    return np.log(shares)


def _masses(maps, beta, background, window):
    """What each pixel weighs, and what an empty one would."""
    given = beta * np.asarray(maps, np.float64)
    top = given.max(axis=_space(given), keepdims=True)
    near = 1.0 if window is None else _near_the_maximum(given, window)
    mass = near * np.exp(given - top)
    if background is None:
        return mass, 0.0
    return mass, near * np.exp(beta * background - top)


def _near_the_maximum(maps, window):
    """Where a pixel lies in the window around its map's maximum."""
    grid = pixels(maps.shape[1:-1])
    highest = grid[_flat(maps).argmax(axis=1)]  # (B, K, D)
    apart = abs(_offsets(maps, highest)).max(axis=-1)
    return (apart <= window // 2).reshape(maps.shape)


def _offsets(maps, points):
    """`(B, N, K, D)`: each pixel less its map's point."""
    return pixels(maps.shape[1:-1])[None, :, None] - points[:, None]


def _space(maps):
    return tuple(range(1, maps.ndim - 1))


def _total(mass):
    return mass.sum(axis=_space(mass), keepdims=True)


def _flat(maps):
    return maps.reshape(len(maps), -1, maps.shape[-1])
