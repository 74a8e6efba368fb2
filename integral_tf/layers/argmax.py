"""The Keras layer J_k = argmax H_k, Eq. (1). Its arithmetic is `ops.argmax`."""

from integral_tf import coordinates
from integral_tf.generation import keras
from integral_tf.generation import ops
from integral_tf.layers import float32
from integral_tf.ops import argmax
from integral_tf.ops import integral


@keras.saving.register_keras_serializable(package="integral_tf")
class Argmax(float32.Float32, keras.layers.Layer):
    """Reads each joint at the maximum of its heat map. No gradient.

    Args:
        stride: Crop pixels spanned by one heat-map pixel.
        activation: What the loss takes the scores for, and so what makes a
            confidence of the maximum: `"linear"` (H1, whose target has a peak
            of 1) cuts it to [0, 1], `"softmax"` (H2) gives its probability
            among the pixels of the map, `"sigmoid"` (H3) its own.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        heatmaps: `(batch, height, width, joints)` scores.

    Output shape:
        Dict of `joints` `(batch, joints, 2)`, x and y in the crop frame, and
        `confidence` `(batch, joints)` in [0, 1].

    Raises:
        ValueError: `stride` is not positive, or an unknown `activation`.
    """

    def __init__(self, stride=1, activation="linear", **kwargs):
        super().__init__(**kwargs)
        if stride <= 0:
            raise ValueError(
                "`stride` is the number of crop pixels one heat-map pixel "
                "spans, so it must be positive (256 -> 32 is `stride=8`). "
                f"Received: stride={stride}"
            )
        if activation not in ("linear", "softmax", "sigmoid"):
            raise ValueError(
                "`activation` is 'linear' for maps trained with squared error "
                "(H1), 'softmax' for cross-entropy over the map (H2), "
                "'sigmoid' for cross-entropy of each pixel (H3). "
                f"Received: activation={activation!r}"
            )
        self.stride = stride
        self.activation = activation
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def call(self, heatmaps):
        points, peak = argmax.argmax(heatmaps)
        if self.activation == "softmax":
            scores, axes = integral.arranged(heatmaps)
            confidence = ops.exp(peak - ops.logsumexp(scores, axis=axes))
        elif self.activation == "sigmoid":
            confidence = ops.sigmoid(peak)
        else:
            confidence = ops.clip(peak, 0.0, 1.0)
        return {
            "joints": coordinates.heatmap_to_crop(points, self.stride),
            "confidence": confidence,
        }

    def compute_output_shape(self, input_shape):
        batch, joints = input_shape[0], input_shape[-1]
        return {
            "joints": (batch, joints, len(input_shape) - 2),
            "confidence": (batch, joints),
        }

    def get_config(self):
        config = {"stride": self.stride, "activation": self.activation}
        return {**super().get_config(), **config}
