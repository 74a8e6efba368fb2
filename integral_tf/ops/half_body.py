"""Boxes around the upper or the lower half of a person.

The rule is `half_body_transform` of HRNet (Sun et al., 2019), in the form of
MMPose 1.3's `RandomHalfBody`: a person with more than 8 of 17 joints; seven
times in ten the upper half, unless this has fewer than 2 joints, or the lower
one fewer than 3; a crop of 1.5 times the joints' extent. ours: more than half
of any skeleton's joints; the middle of the extent rather than the joints' mean,
so that the crop has all of them; and at least a quarter of the person's box.

Shape letters: B batch, K joints.
"""

from __future__ import annotations

from collections.abc import Sequence

from integral_tf import coordinates
from integral_tf.keras_version import ops
from integral_tf.signatures import Tensor

_PREFERS_UPPER = 0.7
_LEAST_UPPER, _LEAST_LOWER = 2, 3
# Times `coordinates.BOX_MARGIN` this is 1.5.
_MARGIN = 1.2
_LEAST_SHARE = 0.25


def boxes(
    person: Tensor,
    joints: Tensor,
    visible: Tensor,
    draws: Tensor,
    *,
    upper: Sequence[int],
    probability: float,
) -> Tensor:
    """Puts a box around half of some people, in place of their own.

    Args:
        person: `(B, 4)` x, y, width, height of each person's box.
        joints: `(B, K, 2)` x, y in the same frame.
        visible: `(B, K)`, above 0 where a joint is labelled.
        draws: `(B, 2)` random numbers, uniform in [0, 1): whether, and which.
        upper: Positions of the joints of the upper body, `halves.upper`.
        probability: Share of the people with enough joints.

    Returns:
        `(B, 4)` float32 boxes.
    """
    count = joints.shape[1]
    in_upper = ops.convert_to_tensor([float(k in upper) for k in range(count)])
    seen = ops.cast(visible > 0, "float32")
    uppers = ops.sum(seen * in_upper, axis=-1)
    lowers = ops.sum(seen, axis=-1) - uppers
    has_upper, has_lower = uppers >= _LEAST_UPPER, lowers >= _LEAST_LOWER
    prefers_upper = (draws[:, 1] < _PREFERS_UPPER) | ops.logical_not(has_lower)
    in_half = ops.where(
        (has_upper & prefers_upper)[:, None], in_upper, 1.0 - in_upper
    )
    in_half = (in_half * seen > 0)[..., None]
    most = coordinates.LARGEST_BOX
    low = ops.min(ops.where(in_half, joints, most), axis=1)
    high = ops.max(ops.where(in_half, joints, -most), axis=1)
    size = ops.maximum((high - low) * _MARGIN, person[:, 2:] * _LEAST_SHARE)
    corner = (low + high) / 2 - coordinates.box_centre(0.0, size)
    is_halved = (
        (draws[:, 0] < probability)
        & (uppers + lowers > count / 2)
        & (has_upper | has_lower)
    )
    half = ops.concatenate([corner, size], axis=-1)
    return ops.where(is_halved[:, None], half, person)
