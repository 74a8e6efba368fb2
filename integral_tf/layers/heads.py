"""The head networks: N_H of Eq. (2), N_J of Eq. (3), and that of SimCC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import keras_version
from integral_tf.keras_version import keras
from integral_tf.layers import float32
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

# The value in older files, which do not name it.
_FORMER = {"data_format": "channels_last"}


@keras.saving.register_keras_serializable(package="integral_tf")
class HeatmapHead(keras.layers.Layer):
    """The heat-map network N_H: features to one map per joint. Eq. (2).

    Consists of `upsamplings` blocks and a 1 x 1 convolution. A block is a 4 x 4
    deconvolution of stride 2, batch normalisation and ReLU.

    Args:
        joints: Number K of joints.
        upsamplings: Deconvolutions; the paper uses 2, and 3 in Table 8.
        channels: Channels of each deconvolution.
        data_format: `"channels_last"`, `"channels_first"`, or None for what
            `keras.config.image_data_format()` says.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        features: `(batch, height, width, channels)`, or `(batch, channels,
            height, width)`.

    Output shape:
        `(batch, height * 2**upsamplings, width * 2**upsamplings, joints)`, or
        `(batch, joints, ...)` for `channels_first`; unnormalised scores,
        float32.

    Raises:
        ValueError: `joints`, `upsamplings` or `channels` is out of range or no
            whole number, or an unknown `data_format`.

    Reference:
        Section 3, "Our baseline implementation"; Table 8 for 3 upsamplings.
    """

    def __init__(
        self,
        joints: int,
        upsamplings: int = 2,
        channels: int = 256,
        *,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.joints = checks.whole(
            "joints", joints, "`joints` counts the heat maps, from 1.", least=1
        )
        self.upsamplings = checks.whole(
            "upsamplings",
            upsamplings,
            "`upsamplings` counts the stride-2 deconvolutions in the heat-map "
            "head, so the map is 8 * 2**upsamplings pixels wide for a "
            "256-pixel crop. The paper uses 2 (Table 2) and 3 (Table 8).",
            least=0,
        )
        self.channels = checks.whole(
            "channels",
            channels,
            "`channels` counts those of each deconvolution, from 1.",
            least=1,
        )
        self.data_format = keras_version.data_format(data_format)
        self.deconvolutions, self.norms = [], []
        for i in range(1, self.upsamplings + 1):
            self.deconvolutions.append(
                keras.layers.Conv2DTranspose(
                    self.channels,
                    4,
                    strides=2,
                    padding="same",
                    use_bias=False,
                    kernel_initializer="he_normal",
                    data_format=self.data_format,
                    name=f"deconv{i}",
                    dtype=self.dtype_policy,
                )
            )
            self.norms.append(
                keras.layers.BatchNormalization(
                    axis=-1 if self._last else 1,
                    name=f"bn{i}",
                    dtype=self.dtype_policy,
                )
            )
        # ours: near 0, so that training starts from flat maps. Float32, so
        # that no score is rounded before the softmax.
        self.score = keras.layers.Conv2D(
            self.joints,
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            data_format=self.data_format,
            name="scores",
            dtype="float32",
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        shape = input_shape
        for deconvolution, norm in zip(self.deconvolutions, self.norms):
            deconvolution.build(shape)
            shape = deconvolution.compute_output_shape(shape)
            norm.build(shape)
        self.score.build(shape)

    def call(self, features: Tensor, training: bool | None = None) -> Tensor:
        for deconvolution, norm in zip(self.deconvolutions, self.norms):
            features = norm(deconvolution(features), training=training)
            features = keras.ops.relu(features)
        return self.score(features)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, *size = input_shape
        size = size[:-1] if self._last else size[1:]
        size = [side and side * 2**self.upsamplings for side in size]
        if self._last:
            return (batch, *size, self.joints)
        return (batch, self.joints, *size)

    @property
    def _last(self):
        return self.data_format == "channels_last"

    def compute_output_spec(
        self, features: Tensor, training: bool | None = None
    ) -> keras.KerasTensor:
        shape = self.compute_output_shape(features.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "joints": self.joints,
            "upsamplings": self.upsamplings,
            "channels": self.channels,
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HeatmapHead:
        return cls(**{**_FORMER, **config})


@keras.saving.register_keras_serializable(package="integral_tf")
class JointHead(float32.Float32, keras.layers.Layer):
    """The joint network N_J: features straight to points. Eq. (3).

    Average pooling, then one fully connected layer with 2K outputs. An output
    is a fraction of the crop's side; before training it is the crop's middle.

    Args:
        joints: Number K of joints.
        crop_extent: `(width, height)` of the crop in pixels.
        data_format: As of `HeatmapHead`.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        features: `(batch, height, width, channels)`, or `(batch, channels,
            height, width)`.

    Output shape:
        `(batch, joints, 2)`, x and y in the crop frame, float32.

    Raises:
        ValueError: `joints` is no whole number from 1, `crop_extent` is no pair
            of positive numbers, or an unknown `data_format`.

    Reference:
        Section 4, "Our baseline implementation".
    """

    def __init__(
        self,
        joints: int,
        crop_extent: Sequence[float] | None = None,
        *,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        if crop_extent is None:
            crop_extent = kwargs.pop("crop_size", None)  # before 0.2
        super().__init__(**kwargs)
        self.joints = checks.whole(
            "joints", joints, "`joints` counts the points, from 1.", least=1
        )
        self.crop_extent = _checked_extent(crop_extent)
        self.data_format = keras_version.data_format(data_format)
        self.pool = keras.layers.GlobalAveragePooling2D(
            data_format=self.data_format, dtype="float32"
        )
        self.dense = keras.layers.Dense(
            2 * self.joints,
            bias_initializer=keras.initializers.Constant(0.5),
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="points",
            dtype="float32",
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        last = self.data_format == "channels_last"
        self.dense.build((input_shape[0], input_shape[-1 if last else 1]))

    def call(self, features: Tensor) -> Tensor:
        shares = self.dense(self.pool(features))
        shares = keras.ops.reshape(shares, (-1, self.joints, 2))
        extent = keras.ops.convert_to_tensor(self.crop_extent, dtype="float32")
        return coordinates.unit_to_crop(shares, extent)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.joints, 2)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "joints": self.joints,
            "crop_extent": self.crop_extent,
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> JointHead:
        return cls(**{**_FORMER, **config})


@keras.saving.register_keras_serializable(package="integral_tf")
class AxisHead(float32.Float32, keras.layers.Layer):
    """SimCC's head: maps of pictures to one line of scores for each axis.

    A fully connected layer makes each joint's scores of x of all pixels of its
    map, and another the scores of y. The joints share both layers.

    Args:
        crop_extent: `(width, height)` of the crop in pixels, whole numbers.
        splits: Scores in a line for each pixel of the crop.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        heatmaps: `(batch, height, width, joints)`, channels last.

    Output shape:
        Dict of `x` `(batch, splits * crop width, joints)` and `y` `(batch,
        splits * crop height, joints)`: unnormalised scores, float32. They are
        heat maps of lines, whose stride is `1 / splits`.

    Raises:
        ValueError: `crop_extent` is no pair of positive numbers, or `splits` no
            whole number from 1.

    Reference:
        Li et al., "SimCC: a Simple Coordinate Classification Perspective for
        Human Pose Estimation" (ECCV 2022), Section 3, with its splitting factor
        of 2. ours: the maps are those of H1's head.
    """

    SPLITS = 2

    def __init__(
        self, crop_extent: Sequence[int], splits: int = SPLITS, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.crop_extent = _checked_extent(crop_extent)
        self.splits = checks.whole(
            "splits", splits, "`splits` parts each pixel, from 1.", least=1
        )
        self.lines = {
            axis: keras.layers.Dense(
                int(side) * self.splits, name=axis, dtype="float32"
            )
            for axis, side in zip("xy", self.crop_extent)
        }
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        batch, height, width, joints = input_shape
        for dense in self.lines.values():
            dense.build((batch, joints, height * width))

    def call(self, heatmaps: Tensor) -> dict[str, Tensor]:
        _, height, width, joints = heatmaps.shape
        flat = keras.ops.reshape(heatmaps, (-1, height * width, joints))
        flat = keras.ops.transpose(flat, (0, 2, 1))
        return {
            axis: keras.ops.transpose(dense(flat), (0, 2, 1))
            for axis, dense in self.lines.items()
        }

    def compute_output_shape(self, input_shape: Shape) -> dict[str, Shape]:
        return {
            axis: (input_shape[0], dense.units, input_shape[-1])
            for axis, dense in self.lines.items()
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "crop_extent": self.crop_extent,
            "splits": self.splits,
        }


def _checked_extent(extent):
    sentence = "`crop_extent` is the crop's (width, height) in pixels."
    pair = checks.several("crop_extent", extent, sentence, above=0)
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ValueError(f"{sentence} Received: crop_extent={extent!r}")
    return pair
