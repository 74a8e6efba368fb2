"""DSNT's regularisers of the softmaxed map.

    divergence from a Gaussian at the joint      GaussianDivergence
    variance, whatever the shape                 VarianceError

Nibali et al., "Numerical Coordinate Regression with Convolutional Neural
Networks" (2018), Section 3.3. Sun et al. have no regulariser; their heat-map
losses serve the same purpose.

Shape letters: B batch, K joints, N pixels of a map.
"""

from __future__ import annotations

import math
from typing import Any

from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import heatmap
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.ops import targets
from integral_tf.signatures import Shape
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor

# Scores are clipped to this, so that twice a score is still finite in float32.
_FAR = integral.LARGEST / 4


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianDivergence(heatmap.SoftmaxLoss):
    """Divergence of each softmaxed map from a Gaussian around its joint.

    Formula: P is the softmax of `beta * heatmap`; G is a Gaussian at the joint,
    normalised to sum to 1 over the map.

    ```python
    kl = sum(P * (log(P) - log(G)))
    js = (KL(P, (P + G) / 2) + KL(G, (P + G) / 2)) / 2
    loss = sum(visible * js) / sum(visible)
    ```

    It is computed from log P and log G, so that no pixel underflows to 0.
    Infinite scores are clipped, as in `IntegralRegression`.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        beta: Factor on the scores, that of `IntegralRegression`.
        divergence: `"js"`, Jensen-Shannon, which Nibali et al. found best, or
            `"kl"`, Kullback-Leibler.
        **kwargs: `data_format` of the maps, as in `IntegralRegression`, and
            base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.

    Raises:
        ValueError: `stride`, `sigma` or `beta` is not positive, or an unknown
            `divergence`.
    """

    def __init__(
        self,
        stride: Stride,
        sigma: float = 1.0,
        beta: float = 1.0,
        divergence: str = "js",
        name: str = "heatmap_divergence",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, sigma, beta, name=name, **kwargs)
        if divergence not in ("js", "kl"):
            raise ValueError(
                "`divergence` is 'js' (Jensen-Shannon) or 'kl' "
                f"(Kullback-Leibler). Received: divergence={divergence!r}"
            )
        self.divergence = divergence

    def map_cost(
        self, points: Tensor, scores: Tensor, spatial: Shape
    ) -> Tensor:
        scores = integral.scaled(scores, self.beta)
        log_map = ops.log_softmax(ops.clip(scores, -_FAR, _FAR), axis=-1)
        square = targets.square_distances(points, spatial)
        log_blob = ops.log_softmax(
            ops.multiply(square, -0.5 / self.sigma**2), axis=-1
        )
        if self.divergence == "kl":
            return _kl(log_map, log_blob)
        log_mean = ops.logaddexp(log_map, log_blob) - math.log(2)
        return (_kl(log_map, log_mean) + _kl(log_blob, log_mean)) / 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "divergence": self.divergence}


@keras.saving.register_keras_serializable(package="integral_tf")
class VarianceError(heatmap.SoftmaxLoss):
    """Squared error of each softmaxed map's variance from a Gaussian's.

    Formula: var_x and var_y are the map's variances in square heat-map pixels.

    ```python
    loss = (var_x - sigma**2)**2 + (var_y - sigma**2)**2
    loss = sum(visible * loss) / sum(visible)
    ```

    Call arguments are those of `GaussianDivergence`. The joint's position does
    not matter, only the map's width. The cost of a flat map grows with the
    fourth power of its side: give this loss a small weight, or train with
    another loss first.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Wanted standard deviation in heat-map pixels.
        beta: Factor on the scores, that of `IntegralRegression`.
        **kwargs: `data_format` of the maps, as in `IntegralRegression`, and
            base loss keyword arguments, such as `name`.

    Raises:
        ValueError: `stride`, `sigma` or `beta` is not positive.
    """

    def __init__(
        self,
        stride: Stride,
        sigma: float = 1.0,
        beta: float = 1.0,
        name: str = "heatmap_variance",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, sigma, beta, name=name, **kwargs)

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, axes = layout.arranged(y_pred, self.data_format)
        masses = integral.masses(integral.scaled(scores, self.beta), axes)
        middle = integral.expected_coordinates(masses, axes)
        moments = integral.covariance(masses, middle, axes)
        return sum(
            ops.square(moments[..., i, i] - self.sigma**2)
            for i in range(len(axes))
        )


def _kl(log_p, log_q):
    """`(B, K)` Kullback-Leibler divergences of `(B, K, N)` distributions."""
    return ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1)
