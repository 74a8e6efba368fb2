"""Negative log-likelihoods of a joint under its map's own covariance.

With J and S the expectation and the covariance of the softmaxed map, d = y - J
and q = d^T S^-1 d:

    Gaussian  (q + log |S|) / 2 + log(2 pi)
    Laplace   sqrt(3 q) + log |S| / 2 + log(2 pi / 3)

The densities are those of Kumar et al., "LUVLi Face Alignment" (CVPR 2020),
whose covariance a head of its own regresses; S is the covariance of both. ours:
a twelfth of a square pixel, the variance inside a pixel, is added to S on both
axes, so that a map of one pixel has a density.

Shape letters: B batch, K joints.
"""

from __future__ import annotations

import math
from typing import Any

from integral_tf import checks
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import heatmap
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor

_PIXEL = 1 / 12


@keras.saving.register_keras_serializable(package="integral_tf")
class MapLikelihood(heatmap.HeatmapLoss):
    """Negative log-likelihood of each joint under its map, in heat-map pixels.

    The loss trains the position and the width of a map: it is least where the
    covariance is that of the errors. It may fall below 0, because a density may
    be above 1. An averaged loss is over the labelled joints of a sample.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        density: `"gaussian"` or `"laplace"`.
        beta: Factor on the scores, that of `IntegralRegression`.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.

    Raises:
        ValueError: `stride` or `beta` is not positive, an unknown `density`, or
            maps that are no pictures.
    """

    def __init__(
        self,
        stride: Stride,
        density: str = "gaussian",
        beta: float = 1.0,
        name: str = "joint_likelihood",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, name=name, **kwargs)
        if density not in ("gaussian", "laplace"):
            raise ValueError(
                "`density` is 'gaussian' or 'laplace'. "
                f"Received: density={density!r}"
            )
        self.density = density
        self.beta = checks.number(
            "beta",
            beta,
            "`beta` is that of the IntegralRegression that reads the maps, so "
            "it is positive.",
            above=0,
        )

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, axes = layout.arranged(y_pred, self.data_format)
        if len(axes) != 2:
            raise ValueError(
                "This likelihood is that of pictures' maps, (batch, height, "
                f"width, joints). Received: {len(axes)} spatial axes"
            )
        masses = integral.masses(integral.scaled(scores, self.beta), axes)
        middle = integral.expected_coordinates(masses, axes)
        spread = integral.covariance(masses, middle, axes)
        x, y = ops.unstack(self._on_maps(points, 2) - middle, 2, axis=-1)
        xx, yy = spread[..., 0, 0] + _PIXEL, spread[..., 1, 1] + _PIXEL
        xy = spread[..., 0, 1]
        determinant = xx * yy - xy * xy
        q = (yy * x * x - 2 * xy * x * y + xx * y * y) / determinant
        half = ops.log(determinant) / 2
        if self.density == "gaussian":
            return q / 2 + half + math.log(2 * math.pi)
        # The root has no slope at 0.
        return ops.sqrt(3 * q + 1e-6) + half + math.log(2 * math.pi / 3)

    def get_config(self) -> dict[str, Any]:
        config = {"density": self.density, "beta": self.beta}
        return {**super().get_config(), **config}
