"""The class of all networks of this package."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="integral_tf")
class PoseModel(keras.Model):
    """A Keras model whose outputs need not all have a target.

    It differs from `keras.Model` in one way. With `compile(metrics={"joints":
    ...})`, `fit` and `evaluate` accept a dict of targets for some outputs only.
    Keras requires a target for every output, even if no metric reads it.
    """

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        y, sample_weight = (
            {**dict.fromkeys(y_pred), **each}
            if isinstance(each, dict)
            else each
            for each in (y, sample_weight)
        )
        return super().compute_metrics(x, y, y_pred, sample_weight)
