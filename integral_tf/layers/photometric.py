"""Augmentation of a crop's colours and sharpness; nothing moves."""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.signatures import Tensor

# Random numbers that a person takes.
DRAWS = 16


@keras.saving.register_keras_serializable(package="integral_tf")
class Photometric(keras.layers.Layer):
    """Varies each crop's light, colours and sharpness, and erases a part.

    The paper has no such augmentation. The output is a function of `images` and
    `shades`, so that a batch is augmented alike on any number of devices.

    Args:
        strength: 0 changes nothing, 1 is strong. Contrast changes by up to
            50 %, brightness by up to 40 %, each channel by up to 20 %. Two
            thirds of the crops are made paler, up to grey. Half of the crops
            are blurred or sharpened. Half get a rectangle of one colour, of up
            to 40 % of either side.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        images: `(B, H, W, 3)` float RGB in 0..255.
        shades: `(B, DRAWS)` random numbers, uniform in [0, 1).

    Output shape:
        The same as `images`.

    Raises:
        ValueError: `strength` is negative or no number.
    """

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strength = checks.number(
            "strength",
            strength,
            "`strength` of the augmentation is a number from 0.",
            least=0,
        )

    def call(self, images: Tensor, shades: Tensor) -> Tensor:
        shades = ops.reshape(shades, (-1, DRAWS, 1, 1, 1))
        signed = 2 * shades - 1
        images = self._sharpness(images, shades[:, 0], signed[:, 1])
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (
            1 + 0.5 * self.strength * signed[:, 2]
        )
        tint = ops.concatenate([signed[:, i] for i in (3, 4, 5)], axis=-1)
        gain = 1 + 0.4 * self.strength * signed[:, 6]
        images = images * gain * (1 + 0.2 * self.strength * tint)
        grey = ops.mean(images, axis=-1, keepdims=True)
        paler = ops.maximum(1.5 * shades[:, 7] - 0.5, 0) * self.strength
        images = images + (grey - images) * ops.minimum(paler, 1.0)
        return ops.clip(self._erased(images, shades), 0.0, 255.0)

    def _sharpness(self, images, kind, amount):
        """Blurs or sharpens half of the images."""
        side = 3
        blurred = ops.average_pool(images, side, 1, padding="same")
        blurred = ops.average_pool(blurred, side, 1, padding="same")
        share = ops.where(kind < 0.5, amount * min(self.strength, 1.0), 0.0)
        return images + (blurred - images) * share

    def _erased(self, images, shades):
        """Covers a rectangle of half of the images with a colour."""
        height, width = images.shape[1:3]
        size = 0.4 * self.strength * shades[:, 8:10]
        x, y = (
            coordinates.crop_to_unit(
                ops.arange(length, dtype="float32"), length
            )
            for length in (width, height)
        )
        x, y = x[None, None, :, None], y[None, :, None, None]
        inside = (ops.abs(x - shades[:, 10]) < size[:, 0] / 2) & (
            ops.abs(y - shades[:, 11]) < size[:, 1] / 2
        )
        inside = inside & (shades[:, 12] < 0.5)
        colour = ops.concatenate([shades[:, i] for i in (13, 14, 15)], axis=-1)
        return ops.where(inside, 255 * colour, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": self.strength}
