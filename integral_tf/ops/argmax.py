"""A joint as the maximum of its heat map, Eq. (1)."""

from __future__ import annotations

import numpy as np

from integral_tf import keras_version
from integral_tf.keras_version import ops
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Axes
from integral_tf.signatures import Tensor

_LOWEST = float(np.finfo("float32").min)


def argmax(
    heatmaps: Tensor, data_format: str = "channels_last"
) -> tuple[Tensor, Tensor]:
    """Reads each joint at the pixel with the largest score. Eq. (1).

    No shift by a quarter of a pixel is added; the paper mentions none.

    Args:
        heatmaps: `(B, H, W, K)` scores; any number of spatial dimensions.
        data_format: Where the joints' axis is.

    Returns:
        `(B, K, D)` float32 points `(x, y)` in the heat-map frame, and
        `(B, K)` float32 scores at them.
    """
    scores, axes = layout.arranged(heatmaps, data_format)
    return peaks(scores, axes), integral.largest(scores, axes)


def shifted(
    heatmaps: Tensor, data_format: str = "channels_last"
) -> tuple[Tensor, Tensor]:
    """`argmax`, moved by a quarter of a pixel towards the higher neighbours.

    Does exactly what Simple Baselines does: a maximum on the first two pixels
    or on the last pixel of an axis is not moved.

    Args:
        heatmaps: As of `argmax`.
        data_format: As of `argmax`.

    Returns:
        As `argmax`.
    """
    scores, axes = layout.arranged(heatmaps, data_format)
    points, top = peaks(scores, axes), integral.largest(scores, axes)
    spatial = layout.spatial_shape(scores, axes)
    offsets = integral.offsets(points, spatial, axes)
    shifts, inner = [], True
    for i, length in enumerate(reversed(spatial)):
        near = ops.abs(offsets[i]) < 1.5
        for other in offsets[:i] + offsets[i + 1 :]:
            near = near & (ops.abs(other) < 0.5)
        # The score of the next pixel minus that of the previous pixel.
        rise = ops.where(near, scores * ops.sign(offsets[i]), 0.0)
        shifts.append(0.25 * ops.sign(ops.sum(rise, axis=axes)))
        last = ops.cast(length - 1, "float32")
        inner = (points[..., i] > 1) & (points[..., i] < last) & inner
    shift = ops.where(inner[..., None], ops.stack(shifts, axis=-1), 0.0)
    return points + shift, top


def peaks(scores: Tensor, axes: Axes) -> Tensor:
    """`argmax` of float32 maps.

    Args:
        scores: `(B, H, W, K)`.
        axes: The spatial ones.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    index = _first_maximum(layout.flat(scores, axes), axes[0])
    shape = ops.shape(scores)
    points = []
    for axis in reversed(axes):
        points.append(ops.cast(ops.mod(index, shape[axis]), "float32"))
        index = ops.floor_divide(index, shape[axis])
    return ops.stack(points, axis=-1)


def near_peaks(scores: Tensor, axes: Axes, size: int) -> Tensor:
    """Hides each map's pixels outside a window around its maximum.

    A second mode elsewhere in the map then does not pull the joint. This is the
    local refinement of SLEAP (Pereira et al., 2022).

    Args:
        scores: `(B, H, W, K)` float32.
        axes: The spatial ones.
        size: Side of the window in heat-map pixels, odd.

    Returns:
        `(B, H, W, K)` scores. Outside the window they are so low that their
        softmax is 0.
    """
    spatial = layout.spatial_shape(scores, axes)
    around = peaks(scores, axes)
    # In a map that is -inf everywhere, the window must still be the highest.
    scores = ops.maximum(scores, _LOWEST / 2)
    for offset in integral.offsets(around, spatial, axes):
        scores = ops.where(ops.abs(offset) <= size // 2, scores, _LOWEST)
    return scores


def _first_maximum(scores, axis):
    """`ops.argmax`, by `tf.argmax` on TensorFlow.

    Keras's own tells -0 from 0 by their bits there. ONNX and LiteRT have no
    such operation.
    """
    if keras_version.BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.argmax(scores, axis, output_type=tf.int32)
    return ops.argmax(scores, axis=axis)
