"""Base of every loss: labels, and the mean over the labelled joints.

Shape letters: B batch, K joints, D spatial dimensions.
"""

from __future__ import annotations

from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.ops import labels
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor


class LabelledLoss(keras.losses.Loss):
    """Averages the cost of each joint over the labelled joints of a person.

    Formula:

    ```python
    loss = sum(visible * cost) / sum(visible)
    ```

    `visible` is 1 where the label's visibility is above 0, else 0. A person
    with no labelled joint costs 0, not NaN. A visible label that is NaN makes
    the loss NaN, so that `fit` shows it.

    `sample_weight` is `(batch,)` or `(batch, 1)`, a factor on each person's
    loss, or `(batch, joints)`, a factor on each joint's cost.
    """

    def __call__(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        labels.refuse_ragged(y_true)
        sample_weight = labels.weights(sample_weight, *self.people(y_pred)[:2])
        if not labels.of_joints(sample_weight):
            return super().__call__(y_true, y_pred, sample_weight)
        # Keras weights people only. A person's weight is the mean weight of its
        # labelled joints; the joints' relative weights are put into `y_true`.
        _, visible = labels.parted(y_true, *self.people(y_pred))
        person = _mean(sample_weight, visible)
        return super().__call__((y_true, sample_weight), y_pred, person)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        weights = 1.0
        if isinstance(y_true, tuple):
            y_true, weights = y_true
        points, visible = labels.parted(y_true, *self.people(y_pred))
        cost = self.cost(points, ops.cast(y_pred, "float32"))
        # Makes the cost NaN where a label is: not every `cost` would.
        cost = cost + 0.0 * ops.sum(points, axis=-1)
        return _mean(cost, ops.multiply(visible, weights))

    def people(self, y_pred: Tensor) -> Shape:
        """B, K and D of the predictions; each None where it is not known."""
        raise NotImplementedError

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        """`(B, K)` costs of predictions.

        Args:
            points: `(B, K, D)` true joints in the crop frame.
            y_pred: The predictions.
        """
        raise NotImplementedError


def _mean(values, shares):
    """Weighted means, `(B, K)` to `(B,)`; 0 where all weights are 0."""
    total = ops.sum(shares, axis=-1)
    return ops.sum(ops.multiply(shares, values), axis=-1) / ops.where(
        total == 0, 1.0, total
    )
