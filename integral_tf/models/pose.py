"""The model that all networks of this package are."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="integral_tf")
class PoseModel(keras.Model):
    """A Keras model of several outputs, of which some have no target.

    Everything is `keras.Model`'s but this: `compile(metrics={"joints": ...})`
    works where `fit` and `evaluate` are given a dict of targets that lacks the
    other outputs. Keras wants one for each, though no metric reads it.
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
