"""How far joints are off, as a Keras metric for `fit` and `evaluate`."""

from integral_tf.generation import keras
from integral_tf.generation import ops


@keras.saving.register_keras_serializable(package="integral_tf")
class JointDistance(keras.metrics.Metric):
    """Mean distance of the labelled joints from the truth, in crop pixels.

    Args:
        name: Of the metric in the log.
        **kwargs: Base metric keyword arguments.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility,
            as the losses take it. An unlabelled joint may be NaN.
        y_pred: `(batch, joints, 2)` in the same frame.
        sample_weight: Not used: visibility says which joints count.

    Example:

    >>> import numpy as np
    >>> metric = JointDistance()
    >>> metric.update_state(
    ...     np.array([[[3.0, 4.0, 1.0], [9.0, 9.0, 0.0]]]), np.zeros((1, 2, 2))
    ... )
    >>> float(metric.result())
    5.0
    """

    def __init__(self, name="joint_distance", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(
            name="total", shape=(), initializer="zeros"
        )
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.cast(y_true, "float32")
        visible = ops.cast(y_true[..., 2] > 0, "float32")
        points = ops.where(y_true[..., 2:] > 0, y_true[..., :2], 0.0)
        apart = points - ops.cast(y_pred, "float32")
        distance = ops.sqrt(ops.sum(ops.square(apart), axis=-1))
        self.total.assign_add(ops.sum(visible * distance))
        self.count.assign_add(ops.sum(visible))

    def result(self):
        return self.total / ops.maximum(self.count, 1.0)
