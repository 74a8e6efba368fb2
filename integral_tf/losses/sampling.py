"""The mean distance of samples of a map from its joint: sampling-argmax.

Li et al., "Localization with Sampling-Argmax" (NeurIPS 2021): the loss is the
expectation of the distance and not the distance of the expectation, so that it
trains the map's shape too. The expectation is a mean over differentiable
samples, drawn by Gumbel noise:

    w = softmax((log p + g) / temperature),  sample = sum_i w_i i + e

ours: the axes are sampled apart from the map's marginals, because an L1 norm
depends on no more; e is triangular, one number for a sample; the temperature,
and a draw that is a function of the joint and the seed.

Shape letters: B batch, K joints, S samples, L pixels along an axis.
"""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import binary
from integral_tf.losses import heatmap
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor

_RANGE = 2.0**31


@keras.saving.register_keras_serializable(package="integral_tf")
class SamplingArgmax(heatmap.HeatmapLoss):
    """Mean L1 distance of a map's samples from its joint, in heat-map pixels.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        beta: Factor on the scores, that of `IntegralRegression`.
        samples: Samples of each axis.
        temperature: That of the samples; near 0 a sample is one pixel.
        seed: Seed of the draw.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.

    Raises:
        ValueError: `stride`, `beta`, `samples` or `temperature` is not
            positive.
    """

    def __init__(
        self,
        stride: Stride,
        beta: float = 1.0,
        samples: int = 30,
        temperature: float = 0.5,
        seed: int = 0,
        name: str = "joint_sampling",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, name=name, **kwargs)
        self.beta = checks.number(
            "beta", beta, "`beta` is that of the integral.", above=0
        )
        self.samples = checks.whole(
            "samples", samples, "`samples` counts those of an axis.", least=1
        )
        self.temperature = checks.number(
            "temperature",
            temperature,
            "`temperature` is that of the samples.",
            above=0,
        )
        self.seed = checks.whole(
            "seed", seed, "`seed` is the whole number that draws are made of."
        )

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, axes = layout.arranged(y_pred, self.data_format)
        scores = integral.scaled(scores, self.beta)
        truth = self._on_maps(points, len(axes))
        total = 0.0
        for i, axis in enumerate(reversed(axes)):
            others = tuple(other for other in axes if other != axis)
            log = ops.logsumexp(scores, axis=others)
            if axes[0] == 1:
                log = ops.transpose(log, (0, 2, 1))
            drawn = self.draw(points, log, self.seed + i)
            away = ops.abs(drawn - truth[..., i, None])
            total = total + ops.mean(away, axis=-1)
        return total / len(axes)

    def draw(self, points: Tensor, log: Tensor, seed: int) -> Tensor:
        """Samples of marginals.

        Args:
            points: `(B, K, D)` true joints in the crop frame, which the draw is
                made of.
            log: `(B, K, L)` logarithms of the marginals, up to a constant.
            seed: Seed of the draw.

        Returns:
            `(B, K, S)` in heat-map pixels.
        """
        length = ops.shape(log)[-1]
        share = self.noise(points, length, seed)
        gumbel = -ops.log(-ops.log(share[..., :length]))
        weights = ops.softmax(
            (log[..., None, :] + gumbel) / self.temperature, axis=-1
        )
        grid = ops.cast(ops.arange(length), "float32")
        middle = ops.sum(weights * grid, axis=-1)
        # A sum of two uniform numbers is triangular, from -1 to 1.
        return middle + share[..., length] + share[..., length + 1] - 1.0

    def noise(self, points: Tensor, length: int, seed: int) -> Tensor:
        """Uniform numbers in (0, 1), `(B, K, S, L + 2)`."""
        each = self.samples * (length + 2)
        bits = ops.cast(binary.noise(points, each, seed), "float32")
        share = ops.clip(bits / _RANGE, 1e-6, 1 - 1e-6)
        joints = points.shape[1]
        return ops.reshape(share, (-1, joints, self.samples, length + 2))

    def get_config(self) -> dict[str, Any]:
        names = ("beta", "samples", "temperature", "seed")
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config}
