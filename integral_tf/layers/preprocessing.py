"""The backbone's own preprocessing, inside the model."""

from integral_tf.generation import keras
from integral_tf.generation import ops


@keras.saving.register_keras_serializable(package="integral_tf")
class ImageNetCentering(keras.layers.Layer):
    """RGB 0..255 to what keras.applications' ResNets were trained on.

    Those weights expect BGR with ImageNet's mean subtracted. As a layer it
    cannot be forgotten when the model is served.

    Call arguments:
        images: `(batch, height, width, 3)` RGB in 0..255, of any type.

    Output shape:
        The same, in the layer's compute type.
    """

    # RGB; the values of keras.applications' "caffe" mode.
    MEAN = (123.68, 116.779, 103.939)

    def call(self, images):
        # Keras casts floats only; uint8 would wrap around below the mean.
        images = ops.cast(images, self.compute_dtype)
        mean = ops.convert_to_tensor(self.MEAN, dtype=images.dtype)
        return ops.flip(images - mean, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape
