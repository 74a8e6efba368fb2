"""The mean distance of joints, as a Keras metric for `fit` and `evaluate`."""

from __future__ import annotations

from typing import Any

from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.ops import labels
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class JointDistance(keras.metrics.Metric):
    """Mean distance of the labelled joints from the truth, in crop pixels.

    Args:
        name: Name of the metric in the log.
        **kwargs: Base metric keyword arguments.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility,
            the `y_true` of the losses. An unlabelled joint may be NaN. For
            lines and volumes see `losses.JointL1`.
        y_pred: `(batch, joints, 2)` in the same frame.
        sample_weight: Weights in the mean: of people, `(batch,)` or `(batch,
            1)`, or of joints, `(batch, joints)`. Keras passes weights only to
            metrics in `compile(weighted_metrics=...)`.

    Raises:
        ValueError: labels, points or weights have another shape.

    Example:

    >>> import numpy as np
    >>> metric = JointDistance()
    >>> metric.update_state(
    ...     np.array([[[3.0, 4.0, 1.0], [9.0, 9.0, 0.0]]]), np.zeros((1, 2, 2))
    ... )
    >>> float(metric.result())
    5.0
    """

    def __init__(self, name: str = "joint_distance", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        # Read by Keras's callbacks with `mode="auto"`: smaller is better.
        self._direction = "down"
        self.total = self.add_weight(
            name="total", shape=(), initializer="zeros"
        )
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros"
        )

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        size = labels.size_of_points(y_pred)
        points, shares = labels.parted(y_true, *size)
        weights = labels.weights(sample_weight, *size[:2])
        if weights is not None:
            if len(weights.shape) == 1:
                weights = weights[:, None]
            shares = ops.multiply(shares, weights)
        error = points - ops.cast(y_pred, "float32")
        distance = ops.sqrt(ops.sum(ops.square(error), axis=-1))
        self.total.assign_add(ops.sum(shares * distance))
        self.count.assign_add(ops.sum(shares))

    def result(self) -> Tensor:
        count = ops.convert_to_tensor(self.count)
        return self.total / ops.where(count == 0, 1.0, count)
