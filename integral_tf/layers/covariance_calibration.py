"""The Keras layer that makes the spread of errors of a map's covariance."""

import math

import numpy as np

from integral_tf.generation import keras
from integral_tf.generation import ops
from integral_tf.layers import float32


@keras.saving.register_keras_serializable(package="integral_tf")
class CovarianceCalibration(float32.Float32, keras.layers.Layer):
    """Turns a map's covariance into the scale of its joint's errors.

    Formula:

    ```python
    scale = slope * covariance + offset * I
    ```

    A map is as wide as its loss and its beta make it, not as its joint is
    uncertain; the slope mends that. The offset is the error that a map knows
    nothing of, such as that of the labels. Errors then have a Student's t
    distribution with this scale and `degrees` of freedom: its heavy tails are
    the joints that are put on another limb. `metrics.student_t` fits all three.
    The defaults change nothing, and take errors to be normal.
    ours: the paper speaks of no covariance.

    Args:
        slope: Factor, positive.
        offset: Summand, square crop pixels, not negative.
        degrees: Degrees of freedom, positive; None for a normal distribution.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        covariance: `(..., 2, 2)`, as `IntegralRegression(covariance=True)`
            gives it.

    Output shape:
        The same; float32.

    Raises:
        ValueError: an argument is out of range, or the covariances are not of
            a plane.

    Example:

    >>> layer = CovarianceCalibration(slope=2.0, offset=1.0, degrees=2.0)
    >>> layer(np.array([[4.0, 1.0], [1.0, 2.0]])).numpy()
    array([[9., 2.],
           [2., 5.]], dtype=float32)
    >>> layer.radius(0.5)  # the ellipse that holds every second true joint
    1.4142135623730951
    """

    def __init__(self, slope=1.0, offset=0.0, degrees=None, **kwargs):
        super().__init__(**kwargs)
        if slope <= 0 or offset < 0 or (degrees is not None and degrees <= 0):
            raise ValueError(
                "A scale of errors has a positive `slope`, an `offset` that is "
                "not negative, and positive `degrees` of freedom, or None. "
                f"Received: slope={slope}, offset={offset}, degrees={degrees}"
            )
        self.slope = slope
        self.offset = offset
        self.degrees = degrees

    def build(self, input_shape):
        if tuple(input_shape[-2:]) != (2, 2):
            raise ValueError(
                "A covariance is (..., 2, 2), of joints in a plane. "
                f"Received: shape={tuple(input_shape)}"
            )
        self.built = True

    def call(self, covariance):
        identity = ops.convert_to_tensor(np.eye(2, dtype="float32"))
        return self.slope * covariance + self.offset * identity

    def radius(self, share):
        """Radius of the ellipse that is to hold this share of true joints.

        Args:
            share: 0 to 1, below 1.

        Returns:
            A Mahalanobis distance: d' scale^-1 d = radius^2 is the ellipse of
            distances d from the joint.
        """
        if self.degrees is None:
            return math.sqrt(-2 * math.log(1 - share))
        spread = (1 - share) ** (-2 / self.degrees) - 1
        return math.sqrt(self.degrees * spread)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "slope": self.slope,
            "offset": self.offset,
            "degrees": self.degrees,
        }
