"""The Keras layer J_k = I(H_k), Eq. (7). Its arithmetic is `ops.integral`."""

import numpy as np

from integral_tf import coordinates
from integral_tf import generation
from integral_tf.generation import keras
from integral_tf.generation import ops
from integral_tf.layers import float32
from integral_tf.ops import argmax
from integral_tf.ops import integral


@keras.saving.register_keras_serializable(package="integral_tf")
class IntegralRegression(float32.Float32, keras.layers.Layer):
    """Reads one `(x, y)` point per joint out of a stack of heat maps.

    Each map is normalised by a softmax over all of its pixels (Eq. 5) and the
    joint is the expected pixel position (Eq. 6). The layer is differentiable
    everywhere (with a `window` or a `background`, but where these jump), always
    computes in `float32`, and has no weights but the beta that it is asked to
    learn.

    Args:
        stride: Crop pixels spanned by one heat-map pixel. `1` (the default)
            returns heat-map coordinates; `8` returns coordinates in a
            256 x 256 crop from a 32 x 32 map.
        beta: Factor on the scores before the softmax. A map whose peak is far
            below 10 needs more than 1, or the joint is drawn to the centre;
            `integral_tf.calibrate` finds it. It may be set later, too; what
            was traced or compiled before keeps the old one.
        learn_beta: Train beta, starting from `beta`.
        background: Score of an empty pixel, 0 in maps of Gaussians: what such
            pixels add to the expectation is taken out (`ops.integral`'s
            `compensate`; Gu et al., 2021). None leaves it in. For reading: a
            joint that it puts at the map's edge has no gradient.
        window: Read the expectation within a square of this many heat-map
            pixels around the maximum (Pereira et al., 2022), an odd number.
            Confidence and covariance are still those of the whole map.
        confidence: Also return how much of each map agrees with its joint.
        covariance: Also return the covariance of each map.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: Base layer keyword arguments, such as `name`. A `dtype` is
            ignored.

    Call arguments:
        heatmaps: `(batch, height, width, joints)` unnormalised scores. Do not
            apply a sigmoid or softmax first. Volumes `(batch, depth, height,
            width, joints)` and lines `(batch, width, joints)` work too.

    Output shape:
        `(batch, joints, 2)`, ordered `(x, y)`; 3 and `(x, y, z)` for volumes.
        With `confidence` or `covariance`, a dict of `joints` and `confidence`
        `(batch, joints)` in (0, 1] and `covariance` `(batch, joints, 2, 2)`
        in square crop pixels.

    Raises:
        ValueError: `stride` or `beta` is not positive, `window` is even or
            comes with a `background`, or `data_format` is none of the two.
        TypeError: the maps are a symbolic tensor of another Keras.

    Example:

    >>> import numpy as np
    >>> heatmaps = np.zeros((1, 4, 4, 1), "float32")
    >>> heatmaps[0, 2, 3, 0] = 50.0  # row 2, column 3
    >>> IntegralRegression()(heatmaps).numpy().tolist()
    [[[3.0, 2.0]]]
    >>> IntegralRegression(stride=8)(heatmaps).numpy().tolist()
    [[[27.5, 19.5]]]

    Reference:
        [Sun et al., 2018](https://arxiv.org/abs/1711.08229), Section 5.
    """

    def __init__(
        self,
        stride=1,
        beta=1.0,
        learn_beta=False,
        background=None,
        window=None,
        confidence=False,
        covariance=False,
        data_format="channels_last",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if stride <= 0:
            raise ValueError(
                "`stride` is the number of crop pixels one heat-map pixel "
                "spans, so it must be positive (256 -> 32 is `stride=8`). "
                f"Received: stride={stride}"
            )
        _check_beta(beta)
        if window is not None and (window < 3 or window % 2 != 1):
            raise ValueError(
                "`window` is the side of a square around the maximum, an odd "
                f"number of heat-map pixels from 3. Received: window={window}"
            )
        if window is not None and background is not None:
            raise ValueError(
                "`window` leaves the empty pixels out, so there is no "
                "`background` to take out: give one of them. "
                f"Received: window={window}, background={background}"
            )
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` is 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.stride = stride
        self._beta = float(beta)
        self.learn_beta = learn_beta
        self.background = background
        self.window = window
        self.confidence = confidence
        self.covariance = covariance
        self.data_format = data_format
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    @property
    def beta(self):
        """The factor; of a learned one, where it is now."""
        if self.learn_beta and self.built:
            return float(np.exp(self.log_beta.numpy()))
        return self._beta

    @beta.setter
    def beta(self, beta):
        _check_beta(beta)
        self._beta = float(beta)
        if self.learn_beta and self.built:
            self.log_beta.assign(np.log(self._beta))

    def build(self, input_shape):
        if self.learn_beta:
            # Its logarithm, so that beta stays positive.
            self.log_beta = self.add_weight(
                name="log_beta",
                shape=(),
                initializer=keras.initializers.Constant(np.log(self._beta)),
            )
        self.built = True

    def __call__(self, heatmaps, *args, **kwargs):
        generation.check(heatmaps)
        return super().__call__(heatmaps, *args, **kwargs)

    def call(self, heatmaps):
        beta = ops.exp(self.log_beta) if self.learn_beta else self._beta
        scores, axes = integral.arranged(heatmaps, self.data_format)
        scores = integral.scaled(scores, beta)
        if not (self.confidence or self.covariance):
            points = self._points(scores, axes, beta)
            return coordinates.heatmap_to_crop(points, self.stride)
        masses = integral.masses(scores, axes)
        points = self._points(scores, axes, beta, masses)
        outputs = {"joints": coordinates.heatmap_to_crop(points, self.stride)}
        if self.confidence:
            outputs["confidence"] = integral.confidence(masses, points, axes)
        if self.covariance:
            middle = integral.expected_coordinates(masses, axes)
            outputs["covariance"] = self.stride**2 * integral.covariance(
                masses, middle, axes
            )
        return outputs

    def _points(self, scores, axes, beta, masses=None):
        """`(B, K, D)` in the heat-map frame; whole maps' masses, if known."""
        if self.window is not None:
            near = argmax.near_peaks(scores, axes, self.window)
            return integral.expectation(near, axes)
        if masses is None:
            points = integral.expectation(scores, axes)
        else:
            points = integral.expected_coordinates(masses, axes)
        if self.background is None:
            return points
        return integral.compensate(points, scores, axes, beta * self.background)

    def compute_output_shape(self, input_shape):
        batch, dimensions = input_shape[0], len(input_shape) - 2
        last = self.data_format == "channels_last"
        joints = input_shape[-1 if last else 1]
        points = (batch, joints, dimensions)
        if not (self.confidence or self.covariance):
            return points
        shapes = {"joints": points}
        if self.confidence:
            shapes["confidence"] = (batch, joints)
        if self.covariance:
            shapes["covariance"] = (*points, dimensions)
        return shapes

    def get_config(self):
        return {
            **super().get_config(),
            "stride": self.stride,
            "beta": self.beta,
            "learn_beta": self.learn_beta,
            "background": self.background,
            "window": self.window,
            "confidence": self.confidence,
            "covariance": self.covariance,
            "data_format": self.data_format,
        }


def _check_beta(beta):
    if beta <= 0:
        raise ValueError(
            "`beta` multiplies the scores before the softmax, so it must "
            f"be positive; the paper's is 1. Received: beta={beta}"
        )
