"""Integral regression: a joint as the expectation of its heat map.

Implements Section 5 of Sun et al., "Integral Human Pose Regression"
(https://arxiv.org/abs/1711.08229):

    Eq. (5)  softmax over the whole map   spatial_softmax
    Eq. (6)  expectation over the grid    expected_coordinates
    Eq. (7)  the two composed, I(.)       integrate

Eq. (4) has no function of its own: Eq. (6) is its sum on the pixel grid.

Departs from the paper in two ways: the grid counts from 0, where Eq. (6)
counts from 1, so that a pixel keeps the index it has everywhere else
(`coordinates`); and a factor `beta`, 1 in the paper, may sharpen the softmax.

Shape letters: B batch, H height, W width, K joints, N pixels of a map, D
spatial dimensions. Maps may have any D: (W,), (H, W) or (depth, H, W); points
are in reverse, (x, y, z), as everywhere. Maps stay as they lie in memory,
`(B, H, W, K)` or `(B, K, H, W)`: `axes` says which of their axes are spatial.
"""

from __future__ import annotations

import numpy as np

from integral_tf import former
from integral_tf import keras_version
from integral_tf.keras_version import ops
from integral_tf.ops import layout
from integral_tf.signatures import Axes
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

# Infinities are cut to this.
LARGEST = float(np.finfo("float32").max)
# Pixels this far below a map's maximum count as if they were at this distance.
# exp(-40) of a million pixels is still nothing beside the maximum's 1, and a
# map of -inf alone has something to divide by.
_FAR = 40.0
# Pixels of an axis from which TensorFlow's sums are off by 1e-4 pixels.
_LONG, _STEP = 256, 32


def spatial_softmax(scores: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    """Normalises each joint's map over its whole domain. Eq. (5).

    Args:
        scores: `(B, K, N)` unnormalised scores, from `layout.flatten_maps`.
        beta: Factor on the scores.

    Returns:
        `(B, K, N)` float32 probabilities; each joint's map sums to 1.
    """
    return ops.softmax(scaled(scores, beta), axis=-1)


def masses(scores: Tensor, axes: Axes) -> Tensor:
    """Eq. (5) but for its denominator, which who reads a map divides by.

    ours: infinite scores are cut. Those that are +inf share the map equally,
    and so do all pixels of a map that is -inf everywhere. NaN stays NaN.

    Args:
        scores: `(B, H, W, K)` float32, already times beta.
        axes: The spatial ones.

    Returns:
        Of the same shape: the softmax, up to a factor per map.
    """
    if keras_version.BACKEND == "torch":
        return _torch_masses(scores, axes)
    # Only +inf is above 0. Not cut there: a tie would halve its gradient.
    return ops.exp(ops.clip(scores - _top(scores, axes), -_FAR, 1.0))


def _top(scores, axes):
    """Each map's maximum, `(B, 1, 1, K)`, infinities cut."""
    for axis in axes:
        scores = largest(scores, axis, keepdims=True)
    # No gradient goes through the maximum, which any softmax is free of.
    return ops.stop_gradient(ops.clip(scores, -LARGEST, LARGEST))


def largest(scores: Tensor, axis: int | Axes, keepdims: bool = False) -> Tensor:
    """`ops.max`, which on TensorFlow refuses a batch of nobody."""
    if keras_version.BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.reduce_max(scores, axis=axis, keepdims=keepdims)
    return ops.max(scores, axis=axis, keepdims=keepdims)


def sharpened(
    scores: Tensor, axes: Axes, beta: Tensor
) -> tuple[Tensor, Tensor]:
    """`scaled` for a beta that is learned: from each map's maximum down.

    The softmax is the same. Beta's gradient, each score times its share, is
    then one of differences: exact for scores of any height, and without a
    share of 0 times infinity.

    Args:
        scores: `(B, H, W, K)` float32.
        axes: The spatial ones.
        beta: The factor, a tensor.

    Returns:
        `(B, H, W, K)` scores, and the `(B, K)` maxima, not times beta.
    """
    top = _top(scores, axes)
    apart = ops.clip(scores - top, -LARGEST, LARGEST)
    # Cut here too, so that pixels too far to count have no gradient.
    scores = ops.clip(apart * beta, -_FAR, 1.0)
    return scores, ops.squeeze(top, axis=axes)


def _torch_masses(scores, axes):
    """By torch's softmax: its maximum and `clamp` cost more than all of it."""
    import torch

    # The one way to cut whose gradient is a single pass.
    cut = torch.nn.functional.hardtanh(scores, -LARGEST, LARGEST)
    share = torch.softmax(layout.flat(cut, axes), dim=axes[0])
    return torch.reshape(share, scores.shape)


def expected_coordinates(masses: Tensor, axes: Axes) -> Tensor:
    """Averages pixel positions, weighted by a map. Eq. (6).

    Each marginal is divided by its own sum, so that a map need not sum to 1;
    softmaxes of large maps in float32 do not.

    Args:
        masses: `(B, H, W, K)`, not negative.
        axes: The spatial ones.

    Returns:
        `(B, K, D)` points `(x, y)` in the heat-map frame.
    """
    points = []
    for axis in reversed(axes):
        # Summing out the other axes first costs H + W products, not H * W.
        marginal = _sum(masses, [other for other in axes if other != axis])
        grid = _grid(ops.shape(masses)[axis], axis, ops.ndim(masses))
        total = _sum(marginal, [axis])
        # Not a matrix product: TF32 and bfloat16 would round the coordinates.
        near = _sum(marginal * grid, [axis]) / total
        # Then around that, where terms are small: float32 keeps more of them.
        # The point is the same for any `near`, so that has no gradient.
        near = ops.stop_gradient(near)
        apart = _sum(marginal * (grid - near), [axis])
        points.append(ops.squeeze(near + apart / total, axis=axes))
    return ops.stack(points, axis=-1)


def _sum(maps, axes):
    """Sums axis by axis: float32 loses less in short sums."""
    for axis in axes:
        shape = ops.shape(maps)
        if isinstance(shape[axis], int) and shape[axis] > _LONG:
            # A long axis in two steps; zeros fill the last one up.
            short = -shape[axis] % _STEP
            if short:
                widths = [
                    (0, short if i == axis else 0) for i in range(len(shape))
                ]
                maps = ops.pad(maps, widths)
            steps = ((shape[axis] + short) // _STEP, _STEP)
            maps = ops.reshape(
                maps, (-1, *shape[1:axis], *steps, *shape[axis + 1 :])
            )
            maps = ops.sum(maps, axis=axis + 1)
        maps = ops.sum(maps, axis=axis, keepdims=True)
    return maps


def integrate(
    heatmaps: Tensor,
    beta: float | Tensor = 1.0,
    data_format: str = "channels_last",
) -> Tensor:
    """Turns scores into points: J_k = I(H_k). Eq. (7).

    Args:
        heatmaps: `(B, H, W, K)` unnormalised scores, of any float type.
        beta: Factor on the scores before the softmax.
        data_format: Where the joints' axis is.

    Returns:
        `(B, K, D)` float32 points `(x, y)` in the heat-map frame.
    """
    scores, axes = layout.arranged(heatmaps, data_format)
    return expectation(scaled(scores, beta), axes)


def expectation(scores: Tensor, axes: Axes) -> Tensor:
    """`integrate` on scores that are scaled already.

    Args:
        scores: `(B, H, W, K)` float32.
        axes: The spatial ones.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    if keras_version.BACKEND != "tensorflow":
        return expected_coordinates(masses(scores, axes), axes)

    # Written out for TensorFlow's graphs, where automatic differentiation
    # passes over the maps six times, and this twice. JAX fuses the passes, and
    # neither JAX nor torch can differentiate this in every way.
    @ops.custom_gradient
    def run(scores):
        weights = masses(scores, axes)
        points = expected_coordinates(weights, axes)

        def gradient(upstream):
            # dJ/dH(p) = H~(p) (p - J), for H~ the softmax of H.
            upstream = upstream / _total(weights, axes)[..., None]
            spatial = layout.spatial_shape(weights, axes)
            pull = sum(
                _per_map(upstream[..., i], axes) * apart
                for i, apart in enumerate(offsets(points, spatial, axes))
            )
            return weights * pull

        return points, gradient

    return run(scores)


def offsets(
    points: Tensor, spatial: Shape, axes: Axes | None = None
) -> list[Tensor]:
    """Distance of every pixel from each joint, axis by axis.

    Args:
        points: `(B, K, D)` in the heat-map frame.
        spatial: Spatial shape of the maps.
        axes: Which of the maps' axes are these; the last ones, if not given.

    Returns:
        List of D tensors that broadcast to the maps: of `(B, K, H, W)`, along x
        `(B, K, 1, W)`, along y `(B, K, H, 1)`, ...
    """
    rank = 2 + len(spatial)
    axes = axes or tuple(range(2, rank))
    apart = []
    for i, (axis, length) in enumerate(zip(axes[::-1], spatial[::-1])):
        grid = _grid(length, axis, rank)
        apart.append(ops.subtract(grid, _per_map(points[..., i], axes)))
    return apart


def covariance(masses: Tensor, points: Tensor, axes: Axes) -> Tensor:
    """Second moments of each map around its expectation.

    Args:
        masses: `(B, H, W, K)`, not negative.
        points: `(B, K, D)`, from `expected_coordinates`.
        axes: The spatial ones.

    Returns:
        `(B, K, D, D)` in square heat-map pixels, in the order (x, y).
    """
    apart = offsets(points, layout.spatial_shape(masses, axes), axes)
    rows = [
        ops.stack([_mean(a * b, masses, axes) for b in apart], -1)
        for a in apart
    ]
    return ops.stack(rows, axis=-2)


def confidence(
    masses: Tensor, points: Tensor, axes: Axes, radius: float = 1.0
) -> Tensor:
    """How much of a map agrees with the joint read from it, in (0, 1].

    The expectation of exp(-|p - J|^2 / (2 radius^2)): 1 for a single pixel,
    and small for a flat map or one with two modes, whose expectation lies
    where there is little mass.

    ours: the paper names no score for an integral joint.

    Args:
        masses: `(B, H, W, K)`, not negative.
        points: `(B, K, D)`, from `expected_coordinates`.
        axes: The spatial ones.
        radius: Distance that still agrees, in heat-map pixels.

    Returns:
        `(B, K)`.
    """
    apart = offsets(points, layout.spatial_shape(masses, axes), axes)
    square = sum(ops.square(each) for each in apart)
    near = ops.exp(ops.multiply(square, -0.5 / radius**2))
    return _mean(near, masses, axes)


def _mean(values, masses, axes):
    """Averages what `offsets` gave, weighted by the maps: `(B, K)`."""
    return _total(masses * values, axes) / _total(masses, axes)


def _total(maps, axes):
    """What each map sums to, `(B, K)`."""
    return ops.squeeze(_sum(maps, axes), axis=axes)


def scaled(scores: Tensor, beta: float | Tensor) -> Tensor:
    """Scores times beta; NumPy's float64 must not make them so."""
    return ops.multiply(scores, ops.cast(beta, "float32"))


def _per_map(values, axes):
    """`(B, K)` as `(B, 1, 1, K)`, to meet the maps."""
    rank = 2 + len(axes)
    return values[
        tuple(None if i in axes else slice(None) for i in range(rank))
    ]


def _grid(length, axis, rank):
    """The pixels' index along one axis of maps, float32."""
    grid = ops.cast(ops.arange(length), "float32")
    return ops.reshape(grid, (-1, *[1] * (rank - 1 - axis)))


__getattr__ = former.names(__name__)
