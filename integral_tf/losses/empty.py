"""Losses that teach an empty heat map, for pictures without anybody.

    squared error to 0, beside H1's                     EmptySquaredError
    cross-entropy with "far" everywhere, beside H3's    EmptyCrossEntropy

Not in the paper. A softmax over a map (H2, I1) has no empty target: its sum is
1 whatever the picture.
"""

from __future__ import annotations

from typing import Any

from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import heatmap
from integral_tf.ops import layout
from integral_tf.signatures import Tensor


class _EmptyLoss(heatmap.HeatmapLoss):
    """Base of losses that have no joint to look for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(stride=1, **kwargs)

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, _ = layout.flatten_maps(y_pred, self.data_format)
        return self._cost(scores)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {k: config[k] for k in config if k not in ("stride", "cells")}


@keras.saving.register_keras_serializable(package="integral_tf")
class EmptySquaredError(_EmptyLoss):
    """Squared error of each map to 0, the target of H1 without its Gaussian.

    Formula:

    ```python
    loss = sum(absent * sum(heatmap**2)) / sum(absent)
    ```

    Args:
        **kwargs: `data_format` of the maps, as in `IntegralRegression`, and
            base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: two numbers that are not read, and
            `absent`, above 0 where the joint is known not to be in the
            picture.
        y_pred: `(batch, height, width, joints)` heat maps.
    """

    def __init__(self, name: str = "empty_l2", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def _cost(self, scores):
        return ops.sum(ops.square(scores), axis=-1)


@keras.saving.register_keras_serializable(package="integral_tf")
class EmptyCrossEntropy(_EmptyLoss):
    """Binary cross-entropy of maps whose pixels are all far: beside H3's loss.

    Formula:

    ```python
    loss = sum(absent * mean(softplus(heatmap))) / sum(absent)
    ```

    Arguments and call arguments are those of `EmptySquaredError`; `y_pred` are
    the logits of "near".
    """

    def __init__(self, name: str = "empty_binary", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def _cost(self, scores):
        return ops.mean(ops.softplus(scores), axis=-1)
