"""The Keras layer from a map's covariance to the scale of a joint's errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.layers import calibrated
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

_SENTENCE = (
    "A scale of errors has a positive `slope`, an `offset` that is not "
    "negative, and positive `degrees` of freedom, or None."
)


def _slope(slope):
    return checks.number("slope", slope, _SENTENCE, above=0)


def _offset(offset):
    return checks.number("offset", offset, _SENTENCE, least=0)


@keras.saving.register_keras_serializable(package="integral_tf")
class CovarianceCalibration(calibrated.Calibrated):
    """Turns a map's covariance into the scale of its joint's errors.

    Formula:

    ```python
    scale = slope * covariance + offset * I
    ```

    A map's width depends on its training loss and on beta as well as on
    uncertainty; `slope` rescales it. `offset` adds errors that no map shows,
    such as label noise. The model of an error is a Student's t distribution
    with this scale and `degrees` of freedom. Its heavy tails are joints that
    were found on another limb. `metrics.fitting.fit_student_t` fits all three
    numbers. The defaults change nothing, and mean a normal distribution. The
    numbers are non-trainable weights, and attributes that may be set at any
    time.
    ours: the paper has no covariance.

    Args:
        slope: Factor, positive.
        offset: Summand in square crop pixels, not negative.
        degrees: Degrees of freedom, positive; None for a normal distribution.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        covariance: `(..., 2, 2)` in square crop pixels, the output of
            `IntegralRegression(covariance=True)`.

    Output shape:
        The input's shape; float32, in square crop pixels.

    Raises:
        ValueError: an argument is out of range, or the input's shape does not
            end in (2, 2).

    Example:

    >>> layer = CovarianceCalibration(slope=2.0, offset=1.0, degrees=2.0)
    >>> layer(np.array([[4.0, 1.0], [1.0, 2.0]])).numpy()
    array([[9., 2.],
           [2., 5.]], dtype=float32)
    >>> layer.radius(0.5)  # the ellipse that holds every second true joint
    1.4142135623730951
    """

    NUMBERS = ("slope", "offset", "degrees")
    slope = calibrated.Number(_slope)
    offset = calibrated.Number(_offset)

    def __init__(
        self,
        slope: float = 1.0,
        offset: float = 0.0,
        degrees: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.slope = slope
        self.offset = offset
        self.degrees = degrees
        self.start()

    @property
    def degrees(self) -> float | None:
        return self.read_number("degrees") or None

    @degrees.setter
    def degrees(self, degrees: float | None) -> None:
        # The weight is 0 for a normal distribution.
        if degrees is not None:
            checks.number("degrees", degrees, _SENTENCE, above=0)
        self.set_number("degrees", degrees or 0.0)

    def call(self, covariance: Tensor) -> Tensor:
        self.compute_output_shape(covariance.shape)
        identity = ops.convert_to_tensor(np.eye(2, dtype="float32"))
        return ops.add(
            ops.multiply(covariance, self.number("slope")),
            ops.multiply(identity, self.number("offset")),
        )

    def radius(self, share: float) -> float:
        """Radius of the ellipse that should hold this share of true joints.

        Args:
            share: From 0 to below 1.

        Returns:
            A Mahalanobis distance. The ellipse is d' scale^-1 d = radius^2 for
            offsets d from the joint.

        Raises:
            ValueError: `share` is out of range.
        """
        share = checks.number(
            "share",
            share,
            "`share` is the part of the true joints that the ellipse holds, "
            "from 0 to below 1.",
            least=0,
            below=1,
        )
        if self.degrees is None:
            return math.sqrt(-2 * math.log(1 - share))
        spread = (1 - share) ** (-2 / self.degrees) - 1
        return math.sqrt(self.degrees * spread)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if tuple(input_shape[-2:]) != (2, 2):
            raise ValueError(
                "A covariance is (..., 2, 2), of joints in a plane. "
                f"Received: shape={tuple(input_shape)}"
            )
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "slope": self._slope,
            "offset": self._offset,
            "degrees": self._degrees or None,
        }
