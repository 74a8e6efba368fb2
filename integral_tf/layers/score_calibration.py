"""The Keras layer from a joint's confidence to a probability."""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.layers import calibrated
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

# Confidences are clipped to this distance from 0 and 1, so that float32 holds
# their logits.
_SMALLEST = 1e-6


def _slope(slope):
    return checks.number(
        "slope",
        slope,
        "`slope` is positive and finite, so that a surer joint has the higher "
        "score.",
        above=0,
    )


def _offset(offset):
    return checks.number(
        "offset",
        offset,
        "`offset` is added to a score's logit, so it is a finite number.",
    )


@keras.saving.register_keras_serializable(package="integral_tf")
class ScoreCalibration(calibrated.Calibrated):
    """Turns a joint's confidence into the probability that it is correct.

    Formula: Platt's scaling ("Probabilistic outputs for support vector
    machines", 1999) of the confidence's logit.

    ```python
    score = sigmoid(slope * logit(confidence) + offset)
    ```

    The defaults change nothing. Training fits `slope` and `offset` on the
    validation split; a joint is correct if it is within half a head (PCKh@0.5).
    The order of scores does not change.
    ours: the paper defines no score for an integral joint.

    `slope` and `offset` are non-trainable weights, and attributes that may be
    set at any time.

    Args:
        slope: Factor, positive.
        offset: Summand.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        confidence: `(...)` in [0, 1].

    Output shape:
        The input's shape; float32 in (0, 1).

    Raises:
        ValueError: `slope` is not positive, or an argument is no finite
            number.

    Example:

    >>> import numpy as np
    >>> layer = ScoreCalibration(slope=0.5, offset=-1.0)
    >>> layer(np.array([0.5, 0.9])).numpy().round(2)
    array([0.27, 0.52], dtype=float32)
    """

    NUMBERS = ("slope", "offset")
    slope = calibrated.Number(_slope)
    offset = calibrated.Number(_offset)

    def __init__(
        self, slope: float = 1.0, offset: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.slope = slope
        self.offset = offset
        self.start()

    def call(self, confidence: Tensor) -> Tensor:
        clipped = ops.clip(confidence, _SMALLEST, 1.0 - _SMALLEST)
        # Not log1p: converters to ONNX do not know it.
        logits = ops.log(clipped) - ops.log(1.0 - clipped)
        logits = ops.multiply(logits, self.number("slope"))
        return ops.sigmoid(ops.add(logits, self.number("offset")))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {"slope": self._slope, "offset": self._offset}
        return {**super().get_config(), **config}
