"""The loss between joints that COCO's metric asks for: 1 - OKS.

Not in the paper, whose joint loss is L1 (Section 4). OKS is that of
`metrics.oks`: https://cocodataset.org/#keypoints-eval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import labelled
from integral_tf.ops import labels
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

# Crop pixels that square to a finite number, so that no gradient is NaN.
_FAR = 1e6


@keras.saving.register_keras_serializable(package="integral_tf")
class JointOKS(labelled.LabelledLoss):
    """One less the keypoint similarity of a person's labelled joints.

    Formula: d is the joint's distance from the truth, `area` the person's.

    ```python
    cost = 1 - exp(-(d**2) / (2 * area * (2 * sigma) ** 2))
    loss = sum(visible * cost) / sum(visible)
    ```

    It is from 0 to 1. The gradient of a joint that is many `sigma *
    sqrt(area)` away is 0: train with another loss first, as I1 to I3 do with
    the heat-map loss. An area below 1 counts as 1.

    Args:
        sigmas: COCO's standard deviation of each joint, as a share of the
            square root of the person's area.
        **kwargs: Base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 4)`: x, y in the crop frame, the person's area
            in square crop pixels, and visibility.
        y_pred: `(batch, joints, 2)`: x, y in the same frame.
        sample_weight: As in `JointL1`.

    Raises:
        ValueError: a sigma is not positive, or labels, points or weights have
            another shape.
    """

    def __init__(
        self, sigmas: Sequence[float], name: str = "joint_oks", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        sentence = "`sigmas` has a positive number for each joint."
        self.sigmas = [
            checks.number("sigmas", each, sentence, above=0) for each in sigmas
        ]

    def __call__(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        labels.refuse_ragged(y_true)
        shape = labels.static_shape(y_true)
        if shape and (len(shape) != 3 or shape[-1] != 4):
            raise ValueError(
                "`y_true` is (batch, joints, 4): x, y, the person's area and "
                f"the joint's visibility. Received: y_true.shape={shape}"
            )
        return super().__call__(y_true, y_pred, sample_weight)

    def people(self, y_pred: Tensor) -> Shape:
        batch, joints, dimensions = labels.size_of_points(y_pred)
        if dimensions != 2 or joints not in (None, len(self.sigmas)):
            raise ValueError(
                "`y_pred` is (batch, joints, 2), x and y of each joint that "
                f"`sigmas` has a number for, here {len(self.sigmas)}. "
                f"Received: y_pred.shape={labels.static_shape(y_pred)}"
            )
        # The area stands where a volume's z does.
        return batch, joints, 3

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        offset = ops.clip(points[..., :2] - y_pred, -_FAR, _FAR)
        square = ops.sum(ops.square(offset), axis=-1)
        area = ops.maximum(points[..., 2], 1.0)
        variances = ops.square(
            2.0 * ops.convert_to_tensor(self.sigmas, dtype="float32")
        )
        return 1.0 - ops.exp(-square / (2.0 * area * variances))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigmas": self.sigmas}
