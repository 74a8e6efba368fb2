"""A joint as the maximum of the Gaussian that its heat map shows: DARK.

Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose
Estimation" (CVPR 2020), Section 3.2:

    Eq. (8), the map blurred by the Gaussian of the training     _blurred
    Eq. (7), one Newton step from the maximum of the logarithm   refined

Shape letters: B batch, H height, W width, K joints, N pixels of a map.
"""

from __future__ import annotations

import numpy as np

from integral_tf.keras_version import ops
from integral_tf.ops import argmax
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Tensor

# Share of a map's maximum below which its logarithm is not followed.
_LEAST = 1e-10
# Pixels on either side of a pixel that its second difference reads.
_REACH = 2


def refined(
    heatmaps: Tensor,
    sigma: float,
    activation: str = "linear",
    data_format: str = "channels_last",
) -> Tensor:
    """Moves each map's maximum to that of a Gaussian fitted around it.

    With D the logarithm of the blurred map, and its derivatives by central
    differences at the maximum m, the joint is m - (D''(m))^-1 D'(m). This is
    exact for a Gaussian of any width. A maximum within two pixels of an edge is
    not moved. ours: nor is one where D has no maximum (D'' is not negative
    definite), and no joint moves further than a pixel along an axis.

    Args:
        heatmaps: `(B, H, W, K)` scores.
        sigma: Standard deviation of the blur in heat-map pixels, that of the
            Gaussians that the maps were trained on.
        activation: What makes heat maps of the scores: `"linear"`, which cuts
            them at 0, `"softmax"` or `"sigmoid"`.
        data_format: Where the joints' axis is.

    Returns:
        `(B, K, 2)` float32 points `(x, y)` in the heat-map frame.
    """
    scores, axes = layout.arranged(heatmaps, data_format)
    height, width = layout.spatial_shape(scores, axes)
    points = argmax.peaks(scores, axes)
    if activation == "softmax":
        maps = integral.masses(scores, axes)
    elif activation == "sigmoid":
        maps = ops.sigmoid(scores)
    else:
        maps = ops.maximum(scores, 0.0)
    flat, _ = layout.flatten_maps(
        _blurred(maps, axes, sigma),
        "channels_last" if axes[0] == 1 else "channels_first",
    )
    top = ops.max(flat, axis=-1, keepdims=True)
    log = ops.log(ops.maximum(flat, _LEAST * top + 1e-30))
    x, y = points[..., 0], points[..., 1]
    inner = (x >= _REACH) & (x < width - _REACH)
    inner = inner & (y >= _REACH) & (y < height - _REACH)

    def at(right, down):
        index = ops.cast((y + down) * width + x + right, "int32")
        index = ops.clip(index, 0, height * width - 1)
        return ops.take_along_axis(log, index[..., None], axis=-1)[..., 0]

    slope_x = (at(1, 0) - at(-1, 0)) / 2
    slope_y = (at(0, 1) - at(0, -1)) / 2
    xx = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    yy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    xy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    determinant = xx * yy - xy * xy
    inner = inner & (xx < 0) & (determinant > 0)
    divisor = ops.where(inner, determinant, 1.0)
    steps = (
        (xy * slope_y - yy * slope_x) / divisor,
        (xy * slope_x - xx * slope_y) / divisor,
    )
    shift = ops.clip(ops.stack(steps, axis=-1), -1.0, 1.0)
    return points + ops.where(inner[..., None], shift, 0.0)


def _blurred(scores, axes, sigma):
    """Sums of neighbours, weighted by a Gaussian; pixels outside count 0."""
    reach = max(1, round(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).tolist()
    for axis in axes:
        length = ops.shape(scores)[axis]
        widths = [(0, 0)] * len(scores.shape)
        widths[axis] = (reach, reach)
        padded = ops.pad(scores, widths)
        before = (slice(None),) * axis
        scores = sum(
            tap * padded[(*before, slice(i, i + length))]
            for i, tap in enumerate(taps)
        )
    return scores
