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

# Infinite scores are clipped to this.
LARGEST = float(np.finfo("float32").max)
# Scores further than this below a map's maximum are raised to this distance.
# A million pixels of exp(-40) add nothing to the maximum's 1 in float32, and
# the sum over a map that is -inf everywhere is not 0.
_FAR = 40.0
# Above this length of an axis TensorFlow's float32 sums are off by 1e-4 pixels.
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
    """The numerator of Eq. (5); readers of a map divide by the sum.

    ours: infinite scores are clipped. Pixels of +inf get equal masses, and so
    do all pixels of a map that is -inf everywhere. NaN stays NaN.

    Args:
        scores: `(B, H, W, K)` float32, already times beta.
        axes: The spatial ones.

    Returns:
        `(B, H, W, K)`, the softmax up to a factor per map.
    """
    if keras_version.BACKEND == "torch":
        return _torch_masses(scores, axes)
    # Only +inf minus the clipped maximum is above 0. The upper bound is 1: a
    # bound of 0 would tie with every maximum and halve its gradient.
    return ops.exp(ops.clip(scores - _top(scores, axes), -_FAR, 1.0))


def _top(scores, axes):
    """Each map's maximum, `(B, 1, 1, K)`, infinities clipped."""
    for axis in axes:
        scores = largest(scores, axis, keepdims=True)
    # A softmax does not depend on the value that is subtracted: no gradient.
    return ops.stop_gradient(ops.clip(scores, -LARGEST, LARGEST))


def largest(scores: Tensor, axis: int | Axes, keepdims: bool = False) -> Tensor:
    """`ops.max`, also of an empty batch, which Keras refuses on TensorFlow."""
    if keras_version.BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.reduce_max(scores, axis=axis, keepdims=keepdims)
    return ops.max(scores, axis=axis, keepdims=keepdims)


def sharpened(
    scores: Tensor, axes: Axes, beta: Tensor
) -> tuple[Tensor, Tensor]:
    """`scaled` for a learned beta: scores relative to each map's maximum.

    The softmax is the same. Beta's gradient is a sum of scores times
    probabilities. With differences in place of scores it is exact for scores
    of any size, and never 0 times infinity.

    Args:
        scores: `(B, H, W, K)` float32.
        axes: The spatial ones.
        beta: The factor, a tensor.

    Returns:
        `(B, H, W, K)` scores times beta, and the `(B, K)` maxima before beta.
    """
    top = _top(scores, axes)
    below = ops.clip(scores - top, -LARGEST, LARGEST)
    # Clipped here too, so that pixels without mass have no gradient.
    scores = ops.clip(below * beta, -_FAR, 1.0)
    return scores, ops.squeeze(top, axis=axes)


def _torch_masses(scores, axes):
    """`masses` by torch's softmax, faster than torch's maximum and `clamp`."""
    import torch

    # `hardtanh` clips, and is the only one whose gradient is a single pass.
    cut = torch.nn.functional.hardtanh(scores, -LARGEST, LARGEST)
    share = torch.softmax(layout.flat(cut, axes), dim=axes[0])
    return torch.reshape(share, scores.shape)


def expected_coordinates(masses: Tensor, axes: Axes) -> Tensor:
    """Averages pixel positions, weighted by a map. Eq. (6).

    Each marginal is divided by its own sum, so a map need not sum to 1. The
    float32 softmax of a large map does not sum to exactly 1.

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
        # A second sum, of offsets from the first: float32 rounds small terms
        # less. The result is the same for any `near`: no gradient.
        near = ops.stop_gradient(near)
        rest = _sum(marginal * (grid - near), [axis])
        points.append(ops.squeeze(near + rest / total, axis=axes))
    return ops.stack(points, axis=-1)


def _sum(maps, axes):
    """Sums axis by axis: float32 loses less in short sums."""
    for axis in axes:
        shape = ops.shape(maps)
        if isinstance(shape[axis], int) and shape[axis] > _LONG:
            # A long axis is summed in two steps, padded with zeros.
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
    """`integrate` of scores that are already float32 and times beta.

    Args:
        scores: `(B, H, W, K)` float32.
        axes: The spatial ones.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    if keras_version.BACKEND != "tensorflow":
        return expected_coordinates(masses(scores, axes), axes)

    # A gradient of our own for TensorFlow: its automatic gradient passes over
    # the maps six times, this one twice. JAX fuses the passes by itself, and
    # some derivatives of JAX and torch do not work through a custom gradient.
    @ops.custom_gradient
    def run(scores):
        weights = masses(scores, axes)
        points = expected_coordinates(weights, axes)

        def gradient(upstream):
            # dJ/dH(p) = H~(p) (p - J), for H~ the softmax of H.
            upstream = upstream / _total(weights, axes)[..., None]
            spatial = layout.spatial_shape(weights, axes)
            pull = sum(
                _per_map(upstream[..., i], axes) * offset
                for i, offset in enumerate(offsets(points, spatial, axes))
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
        axes: The maps' spatial axes; by default the last ones.

    Returns:
        List of D tensors that broadcast to the maps, in heat-map pixels. For
        maps `(B, K, H, W)`: `(B, K, 1, W)` along x, `(B, K, H, 1)` along y.
    """
    rank = 2 + len(spatial)
    axes = axes or tuple(range(2, rank))
    deltas = []
    for i, (axis, length) in enumerate(zip(axes[::-1], spatial[::-1])):
        grid = _grid(length, axis, rank)
        deltas.append(ops.subtract(grid, _per_map(points[..., i], axes)))
    return deltas


def covariance(masses: Tensor, points: Tensor, axes: Axes) -> Tensor:
    """Second moments of each map around its expectation.

    Args:
        masses: `(B, H, W, K)`, not negative.
        points: `(B, K, D)`, from `expected_coordinates`.
        axes: The spatial ones.

    Returns:
        `(B, K, D, D)` in square heat-map pixels, in the order (x, y).
    """
    deltas = offsets(points, layout.spatial_shape(masses, axes), axes)
    rows = [
        ops.stack([_mean(a * b, masses, axes) for b in deltas], -1)
        for a in deltas
    ]
    return ops.stack(rows, axis=-2)


def confidence(
    masses: Tensor, points: Tensor, axes: Axes, radius: float = 1.0
) -> Tensor:
    """How much of a map agrees with the joint J read from it, in (0, 1].

    The expectation of exp(-|p - J|^2 / (2 radius^2)) over the pixels p. It is 1
    for a map of a single pixel. It is small for a flat map, and for a map with
    two modes, where there is little mass near J.

    ours: the paper names no score for an integral joint.

    Args:
        masses: `(B, H, W, K)`, not negative.
        points: `(B, K, D)`, from `expected_coordinates`.
        axes: The spatial ones.
        radius: Distance that still agrees, in heat-map pixels.

    Returns:
        `(B, K)`.
    """
    deltas = offsets(points, layout.spatial_shape(masses, axes), axes)
    square = sum(ops.square(each) for each in deltas)
    near = ops.exp(ops.multiply(square, -0.5 / radius**2))
    return _mean(near, masses, axes)


def _mean(values, masses, axes):
    """Averages values that broadcast to the maps, by the maps: `(B, K)`."""
    return _total(masses * values, axes) / _total(masses, axes)


def _total(maps, axes):
    """The sum of each map, `(B, K)`."""
    return ops.squeeze(_sum(maps, axes), axis=axes)


def scaled(scores: Tensor, beta: float | Tensor) -> Tensor:
    """Scores times beta, float32 even where beta is NumPy's float64."""
    return ops.multiply(scores, ops.cast(beta, "float32"))


def _per_map(values, axes):
    """Reshapes `(B, K)` to `(B, 1, 1, K)`, which broadcasts to the maps."""
    rank = 2 + len(axes)
    return values[
        tuple(None if i in axes else slice(None) for i in range(rank))
    ]


def _grid(length, axis, rank):
    """The pixels' index along one axis of maps, float32."""
    grid = ops.cast(ops.arange(length), "float32")
    return ops.reshape(grid, (-1, *[1] * (rank - 1 - axis)))


__getattr__ = former.names(__name__)
