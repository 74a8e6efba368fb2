"""The losses between joints, L1 and L2, of Section 4."""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import labelled
from integral_tf.ops import labels
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor


class _JointLoss(labelled.LabelledLoss):
    """Base of losses between points: a mean over their coordinates."""

    def __init__(self, unit: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unit = checks.number(
            "unit",
            unit,
            "`unit` is the crop pixels that count as 1, so it must be "
            "positive.",
            above=0,
        )

    def people(self, y_pred: Tensor) -> Shape:
        return labels.size_of_points(y_pred)

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        distance = self._distance((points - y_pred) / self.unit)
        return ops.sum(distance, axis=-1) / y_pred.shape[-1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit": self.unit}


@keras.saving.register_keras_serializable(package="integral_tf")
class JointL1(_JointLoss):
    """Mean absolute error over the labelled joints.

    Formula:

    ```python
    cost = mean(abs(true - predicted) / unit)  # over x and y
    loss = sum(visible * cost) / sum(visible)
    ```

    `visible` is 1 where a label's visibility is above 0, else 0. The average is
    per person. A person with no labelled joint costs 0, not NaN. A visible
    label that is NaN makes the loss NaN.

    Args:
        unit: Crop pixels that count as 1. ours: the paper gives no unit. The
            trainer takes one heat-map pixel, so that this loss and the
            heat-map loss are of the same magnitude.
        **kwargs: Base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
            Visibility is a column because Keras passes a loss only `y_true`
            and `y_pred`. For lines `(batch, joints, 2)`: x and visibility. For
            volumes `(batch, joints, 4)`: x, y, z and visibility.
        y_pred: `(batch, joints, 2)`: x, y in the same frame.
        sample_weight: `(batch,)`, a factor on each person's loss, or `(batch,
            joints)`, a factor on each joint's cost.

    Raises:
        ValueError: labels, points or weights have another shape, or `unit` is
            not positive.

    Reference:
        Section 4: L1 "works consistently better than L2". The only loss of
        direct regression, R1 in Table 2, and the joint loss of I1 to I3.
    """

    def __init__(
        self, unit: float = 1.0, name: str = "joint_l1", **kwargs: Any
    ) -> None:
        super().__init__(unit, name=name, **kwargs)

    def _distance(self, error):
        return ops.abs(error)


@keras.saving.register_keras_serializable(package="integral_tf")
class JointL2(_JointLoss):
    """Mean squared error over the labelled joints.

    Formula:

    ```python
    cost = mean(((true - predicted) / unit)**2)  # over x and y
    loss = sum(visible * cost) / sum(visible)
    ```

    Arguments and call arguments are those of `JointL1`, which the paper found
    consistently better (Section 4).
    """

    def __init__(
        self, unit: float = 1.0, name: str = "joint_l2", **kwargs: Any
    ) -> None:
        super().__init__(unit, name=name, **kwargs)

    def _distance(self, error):
        return ops.square(error)
