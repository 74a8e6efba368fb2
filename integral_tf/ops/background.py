"""What empty pixels add to an integral joint, taken out again."""

from __future__ import annotations

from integral_tf import coordinates
from integral_tf.keras_version import ops
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Axes
from integral_tf.signatures import Tensor

# Below this share of a map above its background, `compensate` has nothing to
# divide by that float32 would keep.
_LEAST = 0.01


def compensate(
    points: Tensor, scores: Tensor, axes: Axes, background: float | Tensor
) -> Tensor:
    """Takes out of an expectation what the map's empty pixels add to it.

    Where most of a map is empty, its N pixels of score `background` still have
    a share r of the softmax, and draw the joint towards the centre c. Without
    them it is at

        J' = (J - r c) / (1 - r),  r = N exp(background - log sum exp(scores)),

    which is exact for a map that is `background` but for a peak. After Gu et
    al., "Removing the Bias of Integral Pose Regression" (ICCV 2021). ours: r is
    computed from logarithms, so that no score overflows; where it is above
    0.99 the joint stays, and everywhere it stays within the map.

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
    # Infinities have no slope.
    scores = ops.clip(scores, -integral.LARGEST, integral.LARGEST)
    share = ops.log(pixels) + background - ops.logsumexp(scores, axis=axes)
    # Cut before the exponential: its gradient must be finite, too.
    share = ops.exp(ops.minimum(share, 0.0))
    share = ops.where(1.0 - share < _LEAST, 0.0, share)
    moved = []
    for i, length in enumerate(reversed(spatial)):
        last = ops.cast(length - 1, "float32")
        middle = share * coordinates.centre(ops.cast(length, "float32"))
        at = (points[..., i] - middle) / (1.0 - share)
        moved.append(ops.minimum(ops.maximum(at, 0.0), last))
    return ops.stack(moved, axis=-1)
