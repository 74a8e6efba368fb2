"""Removes the bias of an integral joint that a map's empty pixels cause."""

from __future__ import annotations

from integral_tf import coordinates
from integral_tf.keras_version import ops
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Axes
from integral_tf.signatures import Tensor

# If less than this share of the softmax lies above the background, `1 - r` is
# lost to rounding, and `compensate` leaves the joint as it is.
_LEAST = 0.01


def compensate(
    points: Tensor, scores: Tensor, axes: Axes, background: float | Tensor
) -> Tensor:
    """Removes from an expectation the pull of the map's empty pixels.

    The N pixels of an empty map, all of score `background`, have a share r of
    the softmax, and pull the joint J towards the map's centre c. Without them
    the joint is

        J' = (J - r c) / (1 - r),  r = N exp(background - log sum exp(scores)).

    This is exact for a map of one peak on a constant `background`. After Gu et
    al., "Removing the Bias of Integral Pose Regression" (ICCV 2021). ours: r is
    computed from logarithms, so that no score overflows. If r is above 0.99,
    the joint is left as it is. The joint never leaves the map.

    Args:
        points: `(B, K, D)`, from `integrate` with the same scores.
        scores: `(B, H, W, K)`, already times beta.
        axes: The spatial ones.
        background: Score of an empty pixel, already times beta; a number, or
            `(B, K)`.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    spatial = layout.spatial_shape(scores, axes)
    pixels = ops.cast(layout.product(spatial), "float32")
    # An infinite score would have no gradient.
    scores = ops.clip(scores, -integral.LARGEST, integral.LARGEST)
    share = ops.log(pixels) + background - ops.logsumexp(scores, axis=axes)
    # Clipped before the exponential, so that its gradient is finite too.
    share = ops.exp(ops.minimum(share, 0.0))
    share = ops.where(1.0 - share < _LEAST, 0.0, share)
    moved = []
    for i, length in enumerate(reversed(spatial)):
        last = ops.cast(length - 1, "float32")
        middle = share * coordinates.centre(ops.cast(length, "float32"))
        at = (points[..., i] - middle) / (1.0 - share)
        # A joint cut at the edge keeps its gradient, which pulls it back.
        cut = ops.minimum(ops.maximum(at, 0.0), last)
        moved.append(ops.stop_gradient(cut) + (at - ops.stop_gradient(at)))
    return ops.stack(moved, axis=-1)
