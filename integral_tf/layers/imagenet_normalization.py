"""The backbone's own preprocessing, inside the model."""

from __future__ import annotations

from typing import Any

from integral_tf import former
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class ImageNetNormalization(keras.layers.Layer):
    """Converts RGB in 0..255 to the input that a backbone was trained on.

    Because it is a layer of the model, a server cannot forget it.

    Args:
        mode: `"caffe"`: BGR minus ImageNet's mean, for the ResNets of
            keras.applications. `"torch"`: RGB minus PyTorch's mean, divided by
            its standard deviation, for torchvision and MMPose. `"torch_bgr"`:
            the numbers of `"torch"` in the same order, but applied to BGR, for
            Simple Baselines, which reads images with OpenCV. `"lite"`: RGB
            minus 127, divided by 128, for EfficientNet-Lite. `"tf"`: RGB from
            -1 to 1, for the MobileNets and others of keras.applications.
            `"tf_128"`: RGB minus 128, divided by 128, for EfficientNetV2 S, M
            and L. `"none"`: RGB as it is.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        images: `(batch, height, width, 3)` RGB in 0..255, of any type.

    Output shape:
        The input's shape, in the layer's compute dtype.

    Raises:
        ValueError: `mode` is none of these.
    """

    # Mean and deviation of each mode's channels, after any reversal to BGR.
    MODES = {
        "caffe": ((103.939, 116.779, 123.68), None),
        "torch": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        "lite": ((127.0,) * 3, (128.0,) * 3),
        "torch_bgr": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        "tf": ((127.5,) * 3, (127.5,) * 3),
        "tf_128": ((128.0,) * 3, (128.0,) * 3),
        "none": (None, None),
    }

    def __init__(self, mode: str = "caffe", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in tuple(self.MODES):
            raise ValueError(
                "`mode` is the preprocessing that the backbone was trained "
                f"with: {', '.join(self.MODES)}. Received: mode={mode!r}"
            )
        self.mode = mode

    def call(self, images: Tensor) -> Tensor:
        # Keras casts floats only; uint8 would wrap around below the mean.
        images = ops.cast(images, self.compute_dtype)
        if self.mode in ("caffe", "torch_bgr"):
            # A flip would become ONNX's ReverseSequence.
            red, green, blue = ops.split(images, 3, axis=-1)
            images = ops.concatenate([blue, green, red], axis=-1)
        mean, deviation = self.MODES[self.mode]
        if mean is None:
            return images
        images = images - ops.convert_to_tensor(mean, dtype=images.dtype)
        if deviation is None:
            return images
        return images / ops.convert_to_tensor(deviation, dtype=images.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


# Files saved before 0.2 have the class's former name.
keras.saving.get_custom_objects()["integral_tf>ImageNetCentering"] = (
    ImageNetNormalization
)


__getattr__ = former.names(__name__)
