"""What every loss shares: labels, and the mean over the labelled joints.

Shape letters: B batch, K joints, D spatial dimensions.
"""

from __future__ import annotations

from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.ops import labels
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor


class LabelledLoss(keras.losses.Loss):
    """A cost of each joint, averaged over the labelled joints of a person.

    Formula:

    ```python
    loss = sum(visible * cost) / sum(visible)
    ```

    `visible` is 1 where the label's visibility is above 0, else 0; nobody
    labelled costs 0, not NaN. A label that is NaN though visible makes the
    loss NaN, so that `fit` shows it.

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
        # Keras weighs people only. A person weighs the mean of the labelled
        # joints' weights; how these share the person goes with `y_true`.
        _, visible = labels.parted(y_true, *self.people(y_pred))
        person = _mean(sample_weight, visible)
        return super().__call__((y_true, sample_weight), y_pred, person)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        weights = 1.0
        if isinstance(y_true, tuple):
            y_true, weights = y_true
        points, visible = labels.parted(y_true, *self.people(y_pred))
        cost = self.cost(points, ops.cast(y_pred, "float32"))
        # Not every cost would show that a label is not a number.
        cost = cost + 0.0 * ops.sum(points, axis=-1)
        return _mean(cost, ops.multiply(visible, weights))

    def people(self, y_pred: Tensor) -> Shape:
        """B, K and D of what is compared with labels; None if not known."""
        raise NotImplementedError

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        """`(B, K)` costs of `(B, K, D)` points in the crop frame."""
        raise NotImplementedError


def _mean(values, shares):
    """`(B, K)` to `(B,)`: the mean by shares, 0 where there are none."""
    total = ops.sum(shares, axis=-1)
    return ops.sum(ops.multiply(shares, values), axis=-1) / ops.where(
        total == 0, 1.0, total
    )
