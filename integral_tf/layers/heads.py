"""The head networks: N_H of Eq. (2) and N_J of Eq. (3)."""

from integral_tf import coordinates
from integral_tf.generation import keras
from integral_tf.layers import float32


@keras.saving.register_keras_serializable(package="integral_tf")
class HeatmapHead(keras.layers.Layer):
    """The heat-map network N_H: features to one map per joint. Eq. (2).

    `upsamplings` times a 4 x 4 deconvolution of stride 2, batch normalisation
    and ReLU, then a 1 x 1 convolution.

    Args:
        joints: Number K of joints.
        upsamplings: Deconvolutions; the paper uses 2, and 3 in Table 8.
        channels: Channels of each deconvolution.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        features: `(batch, height, width, channels)`.

    Output shape:
        `(batch, height * 2**upsamplings, width * 2**upsamplings, joints)`,
        unnormalised scores, float32.

    Raises:
        ValueError: `joints` or `upsamplings` is out of range.

    Reference:
        Section 3, "Our baseline implementation".
    """

    def __init__(self, joints, upsamplings=2, channels=256, **kwargs):
        super().__init__(**kwargs)
        if joints < 1:
            raise ValueError(
                f"`joints` counts the heat maps. Received: joints={joints}"
            )
        if upsamplings < 0:
            raise ValueError(
                "`upsamplings` counts the stride-2 deconvolutions in the "
                "heat-map head, so the map is 8 * 2**upsamplings pixels wide "
                "for a 256-pixel crop. The paper uses 2 (Table 2) and 3 "
                f"(Table 8). Received: upsamplings={upsamplings}"
            )
        self.joints = joints
        self.upsamplings = upsamplings
        self.channels = channels
        self.deconvolutions, self.norms = [], []
        for i in range(1, upsamplings + 1):
            self.deconvolutions.append(
                keras.layers.Conv2DTranspose(
                    channels,
                    4,
                    strides=2,
                    padding="same",
                    use_bias=False,
                    kernel_initializer="he_normal",
                    name=f"deconv{i}",
                    dtype=self.dtype_policy,
                )
            )
            self.norms.append(
                keras.layers.BatchNormalization(
                    name=f"bn{i}", dtype=self.dtype_policy
                )
            )
        # ours: near 0, so that training starts from flat maps. Float32, so
        # that no score is rounded before the softmax.
        self.score = keras.layers.Conv2D(
            joints,
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="scores",
            dtype="float32",
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        shape = input_shape
        for deconvolution, norm in zip(self.deconvolutions, self.norms):
            deconvolution.build(shape)
            shape = deconvolution.compute_output_shape(shape)
            norm.build(shape)
        self.score.build(shape)

    def call(self, features, training=None):
        for deconvolution, norm in zip(self.deconvolutions, self.norms):
            features = norm(deconvolution(features), training=training)
            features = keras.ops.relu(features)
        return self.score(features)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        factor = 2**self.upsamplings
        return (
            batch,
            height and height * factor,
            width and width * factor,
            self.joints,
        )

    def compute_output_spec(self, features, training=None):
        shape = self.compute_output_shape(features.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "joints": self.joints,
            "upsamplings": self.upsamplings,
            "channels": self.channels,
        }


@keras.saving.register_keras_serializable(package="integral_tf")
class JointHead(float32.Float32, keras.layers.Layer):
    """The joint network N_J: features straight to points. Eq. (3).

    Average pooling, then one fully connected layer with 2K outputs, which are
    shares of the crop and start at its middle.

    Args:
        joints: Number K of joints.
        crop_size: `(width, height)` of the crop in pixels.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        features: `(batch, height, width, channels)`.

    Output shape:
        `(batch, joints, 2)`, x and y in the crop frame, float32.

    Reference:
        Section 4, "Our baseline implementation".
    """

    def __init__(self, joints, crop_size, **kwargs):
        super().__init__(**kwargs)
        if joints < 1:
            raise ValueError(
                f"`joints` counts the points. Received: joints={joints}"
            )
        self.joints = joints
        self.crop_size = tuple(crop_size)
        self.pool = keras.layers.GlobalAveragePooling2D(dtype="float32")
        self.dense = keras.layers.Dense(
            2 * joints,
            bias_initializer=keras.initializers.Constant(0.5),
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="points",
            dtype="float32",
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self.dense.build((input_shape[0], input_shape[-1]))

    def call(self, features):
        shares = self.dense(self.pool(features))
        shares = keras.ops.reshape(shares, (-1, self.joints, 2))
        size = keras.ops.convert_to_tensor(self.crop_size, dtype="float32")
        return coordinates.unit_to_crop(shares, size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.joints, 2)

    def get_config(self):
        return {
            **super().get_config(),
            "joints": self.joints,
            "crop_size": self.crop_size,
        }
