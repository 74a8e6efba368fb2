"""The Keras layer J_k = argmax H_k, Eq. (1). Its arithmetic is `ops.argmax`."""

import keras
from keras import ops

from integral_tf import coordinates
from integral_tf.ops import argmax


@keras.saving.register_keras_serializable(package="integral_tf")
class Argmax(keras.layers.Layer):
    """Reads each joint at the maximum of its heat map. No gradient.

    Args:
        stride: Crop pixels spanned by one heat-map pixel.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        heatmaps: `(batch, height, width, joints)` scores.

    Output shape:
        Dict of `joints` `(batch, joints, 2)`, x and y in the crop frame, and
        `confidence` `(batch, joints)`, the maximum cut to [0, 1]: H1's target
        has a peak of 1.

    Raises:
        ValueError: `stride` is not positive.
    """

    def __init__(self, stride=1, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if stride <= 0:
            raise ValueError(
                "`stride` is the number of crop pixels one heat-map pixel "
                "spans, so it must be positive (256 -> 32 is `stride=8`). "
                f"Received: stride={stride}"
            )
        self.stride = stride
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def call(self, heatmaps):
        points, peak = argmax.argmax(heatmaps)
        return {
            "joints": coordinates.heatmap_to_crop(points, self.stride),
            "confidence": ops.clip(peak, 0.0, 1.0),
        }

    def compute_output_shape(self, input_shape):
        batch, joints = input_shape[0], input_shape[-1]
        return {
            "joints": (batch, joints, len(input_shape) - 2),
            "confidence": (batch, joints),
        }

    def get_config(self):
        return {**super().get_config(), "stride": self.stride}
