"""The heat-map loss that tells near pixels from far ones: H3 of Section 3."""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import heatmap
from integral_tf.ops import integral
from integral_tf.ops import labels
from integral_tf.ops import layout
from integral_tf.ops import targets
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class BinaryCrossEntropy(heatmap.HeatmapLoss):
    """Classifies each pixel as near its joint or not: the loss of H3.

    Formula:

    ```python
    near = distance to the joint <= radius
    counted = near | drawn  # `negatives` drawn for each near pixel
    cost = softplus(heatmap) - near * heatmap
    loss = sum(visible * mean(cost[counted])) / sum(visible)
    ```

    ours: negatives are drawn from each map without replacement. A map with
    fewer far pixels counts all of them. A map without a near pixel costs 0.
    The draw is a function of `seed` and the joint's position, so that a resumed
    run repeats it, and the same person without augmentation costs the same in
    every epoch. `y_pred` may be of any float type; the loss is float32.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        radius: Distance in crop pixels within which a pixel's centre is near.
        negatives: Far pixels drawn for each near pixel.
        seed: Seed of the draw.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores, the
            logits of "near".

    Raises:
        ValueError: `radius` is not positive, or `negatives` is below 0.

    Reference:
        Section 3, H3: "a positive label 1 at each location within 15 pixels
        ... Random negative samples are selected to keep the pos/neg ratio as
        1 : 3".
    """

    def __init__(
        self,
        stride: Stride,
        radius: float = 15.0,
        negatives: float = 3,
        seed: int = 0,
        name: str = "heatmap_binary",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, name=name, **kwargs)
        self.radius = checks.number(
            "radius",
            radius,
            "`radius` is the crop pixels within which a pixel's centre is "
            "near, so it must be positive.",
            above=0,
        )
        self.negatives = checks.number(
            "negatives",
            negatives,
            "`negatives` counts the pixels drawn for each near one, from 0.",
            least=0,
        )
        self.seed = checks.whole(
            "seed", seed, "`seed` is the whole number that draws are made of."
        )

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, spatial = layout.flatten_maps(y_pred, self.data_format)
        near, drawn = self._masks(points, spatial)
        counted = ops.add(near, drawn)
        # Masks multiply scores by 0, so the scores must be finite.
        scores = ops.clip(scores, -integral.LARGEST, integral.LARGEST)
        cost = ops.multiply(
            counted, ops.softplus(scores) - ops.multiply(near, scores)
        )
        count = ops.maximum(ops.sum(counted, axis=-1), 1.0)
        return ops.sum(cost, axis=-1) / count

    def draw(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Masks of the pixels that count: near pixels, and drawn negatives.

        Returns:
            Two `(batch, joints, height * width)` masks of 0 and 1.
        """
        points, _ = labels.parted(y_true, *self.people(y_pred))
        _, spatial = layout.flatten_maps(y_pred, self.data_format)
        return self._masks(points, spatial)

    def _masks(self, points, spatial):
        near = targets.disks(
            self._on_maps(points, len(spatial)),
            spatial,
            self.radius,
            coordinates.steps(self.stride, len(spatial)),
        )
        drawn = noise(points, layout.product(spatial), self.seed)
        # Far pixels come first, in random order; the first `wanted` are drawn.
        order = ops.argsort(ops.where(near > 0, 2**31 - 1, drawn), axis=-1)
        rank = ops.cast(ops.argsort(order, axis=-1), "float32")
        wanted = self.negatives * ops.sum(near, axis=-1, keepdims=True)
        drawn = ops.cast(rank < wanted, "float32")
        return near, ops.multiply(drawn, 1.0 - near)

    def get_config(self) -> dict[str, Any]:
        config = {
            "radius": self.radius,
            "negatives": self.negatives,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}


def noise(points: Tensor, pixels: int | Tensor, seed: int) -> Tensor:
    """A random number for each pixel, a function of the point and the seed.

    Args:
        points: `(B, K, D)` in the crop frame.
        pixels: Number of pixels of a map.
        seed: Any integer.

    Returns:
        `(B, K, pixels)` int32 in [0, 2**31 - 1).
    """
    # In steps of 1/4096 pixel, so that each augmented copy of a joint has other
    # negatives.
    steps = ops.cast(ops.round(ops.clip(points, -1e5, 1e5) * 4096), "int32")
    key = _mix(ops.convert_to_tensor(seed % 2**31, dtype="int32"))
    for axis in range(points.shape[-1]):
        key = _mix(ops.bitwise_xor(key, steps[..., axis]))
    bits = _mix(ops.bitwise_xor(key[..., None], _mix(ops.arange(pixels))))
    return ops.minimum(ops.bitwise_and(bits, 2**31 - 1), 2**31 - 2)


def _mix(x):
    """A multiply-xorshift hash, a bijection of int32."""
    x = _xor_shifted(x, 16)
    x = _xor_shifted(ops.multiply(x, 0x21F0AAAD), 15)
    return _xor_shifted(ops.multiply(x, 0xD35A2D97 - 2**32), 15)


def _xor_shifted(x, count):
    # Masked, because the right shift of a negative number copies its sign.
    shifted = ops.bitwise_and(ops.right_shift(x, count), 2 ** (32 - count) - 1)
    return ops.bitwise_xor(x, shifted)
