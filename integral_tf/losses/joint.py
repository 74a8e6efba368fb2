"""The joint loss of R1 and the integral methods: L1, or L2 (Section 4)."""

from integral_tf.generation import keras
from integral_tf.generation import ops


class _JointLoss(keras.losses.Loss):
    """A distance between points, averaged over the labelled ones."""

    def __init__(self, unit=1.0, **kwargs):
        super().__init__(**kwargs)
        if unit <= 0:
            raise ValueError(
                "`unit` is the crop pixels that count as 1, so it must be "
                f"positive. Received: unit={unit}"
            )
        self.unit = unit

    def call(self, y_true, y_pred):
        if len(y_pred.shape) != 3 or y_pred.shape[-1] != 2:
            raise ValueError(
                "`y_pred` must end in (x, y), one pair per joint. Received: "
                f"y_pred.shape={tuple(y_pred.shape)}; did you pass the heat "
                "maps?"
            )
        y_pred = ops.cast(y_pred, "float32")
        visible = y_true[..., 2:]
        # An unlabelled joint may be NaN, which no zero weight would mask.
        points = ops.where(visible > 0, y_true[..., :2], 0.0)
        apart = self._distance((points - y_pred) / self.unit)
        coordinates = 2 * ops.sum(visible, axis=(1, 2))
        error = ops.sum(visible * apart, axis=(1, 2))
        return error / ops.maximum(coordinates, 1.0)

    def get_config(self):
        return {**super().get_config(), "unit": self.unit}


@keras.saving.register_keras_serializable(package="integral_tf")
class JointL1(_JointLoss):
    """Mean absolute error over the joints that were labelled.

    Formula:

    ```python
    loss = sum(visible * abs(true - predicted) / unit) / (2 * sum(visible))
    ```

    The average is per sample; a person with no labelled joint costs 0, not NaN.

    Args:
        unit: Crop pixels that count as 1. ours: the paper gives no unit; the
            trainer takes one heat-map pixel, which keeps this loss and the
            heat-map loss of one magnitude.
        **kwargs: Base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility (0
            or 1). Visibility rides along because Keras hands a loss only
            these two tensors.
        y_pred: `(batch, joints, 2)`: x, y in the same frame.

    Reference:
        Section 4: L1 "works consistently better than L2"; R1 in Table 2.
    """

    def __init__(self, unit=1.0, name="joint_l1", **kwargs):
        super().__init__(unit, name=name, **kwargs)

    def _distance(self, error):
        return ops.abs(error)


@keras.saving.register_keras_serializable(package="integral_tf")
class JointL2(_JointLoss):
    """Mean squared error over the joints that were labelled.

    Formula:

    ```python
    loss = sum(visible * ((true - predicted) / unit)**2) / (2 * sum(visible))
    ```

    Arguments and tensors are those of `JointL1`, which the paper found to be
    consistently better (Section 4).
    """

    def __init__(self, unit=1.0, name="joint_l2", **kwargs):
        super().__init__(unit, name=name, **kwargs)

    def _distance(self, error):
        return ops.square(error)
