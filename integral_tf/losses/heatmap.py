"""Heat-map losses of Section 3; the loss of H3 is in `binary`.

    squared error to a Gaussian (H1)                       GaussianSquaredError
    cross-entropy over the pixels with one of them (H2)    OneHotCrossEntropy
    cross-entropy of the softmaxed map with a Gaussian     GaussianCrossEntropy

The last is ours: it supervises the softmaxed map that Eq. (6) averages. The
squared error leaves that map nearly flat (docs/choices.md).
"""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import former
from integral_tf import keras_version
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.losses import labelled
from integral_tf.ops import integral
from integral_tf.ops import labels
from integral_tf.ops import layout
from integral_tf.ops import targets
from integral_tf.signatures import Shape
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor


class HeatmapLoss(labelled.LabelledLoss):
    """Base of losses that compare labelled crop points with heat maps.

    Maps may be of pictures, lines or volumes. Labels are those of
    `losses.JointL1`. In the formulas `visible` is 1 where a label's visibility
    is above 0, else 0.

    Args:
        stride: Crop pixels that one heat-map pixel spans: a number, or one for
            each axis of the maps in their order, `(height, width)`.
        cells: `cells` of the maps, as in `IntegralRegression`.
        data_format: Order of the maps' axes, as in `IntegralRegression`.
        **kwargs: Base loss keyword arguments, such as `name`.
    """

    def __init__(
        self,
        stride: Stride,
        *,
        cells: str = "middle",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = checks.stride(stride)
        self.cells = checks.cells(cells)
        self.data_format = keras_version.data_format(data_format)

    def people(self, y_pred: Tensor) -> Shape:
        shape = labels.static_shape(y_pred)
        if shape is None or not 3 <= len(shape) <= 5:
            raise ValueError(
                "`y_pred` is a stack of heat maps, (batch, height, width, "
                "joints) of pictures, with one axis less of lines and one more "
                "of volumes. Received: y_pred.shape="
                f"{labels.static_shape(y_pred)}"
            )
        last = self.data_format == "channels_last"
        return shape[0], shape[-1 if last else 1], len(shape) - 2

    def cost(self, points: Tensor, y_pred: Tensor) -> Tensor:
        scores, spatial = layout.flatten_maps(y_pred, self.data_format)
        points = self._on_maps(points, len(spatial))
        return self.map_cost(points, scores, spatial)

    def _on_maps(self, points, dimensions):
        """Converts points from the crop frame to the heat-map frame."""
        steps = coordinates.steps(self.stride, dimensions)
        if isinstance(steps, tuple):
            steps = ops.convert_to_tensor(steps, dtype="float32")
        return coordinates.crop_to_heatmap(points, steps, self.cells)

    def map_cost(
        self, points: Tensor, scores: Tensor, spatial: Shape
    ) -> Tensor:
        """`(B, K)` costs of flattened maps.

        Args:
            points: `(B, K, D)` true joints in the heat-map frame.
            scores: `(B, K, N)` maps, from `layout.flatten_maps`.
            spatial: Spatial shape of the maps.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "stride": self.stride,
            "cells": self.cells,
            "data_format": self.data_format,
        }


class GaussianLoss(HeatmapLoss):
    """Base of losses whose target is a Gaussian around each joint."""

    def __init__(
        self, stride: Stride, sigma: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(stride, **kwargs)
        self.sigma = checks.number(
            "sigma",
            sigma,
            "`sigma` is the Gaussian's width in heat-map pixels, so it must be "
            "positive.",
            above=0,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma}


class SoftmaxLoss(GaussianLoss):
    """Base of losses of the softmaxed map, which the integral averages."""

    def __init__(
        self,
        stride: Stride,
        sigma: float = 1.0,
        beta: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, sigma, **kwargs)
        self.beta = checks.number(
            "beta",
            beta,
            "`beta` is that of the IntegralRegression that reads the maps, so "
            "it is positive.",
            above=0,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianSquaredError(GaussianLoss):
    """Squared error of each map to a Gaussian around its joint: loss of H1.

    Formula:

    ```python
    loss = sum(visible * sum((gaussian - heatmap)**2)) / sum(visible)
    ```

    The error is summed over the pixels of a map and averaged over the labelled
    joints of a sample. A map of zeros costs about pi sigma^2. The paper says
    mean; a sum does not depend on the size of the map.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` heat maps.

    Raises:
        ValueError: `stride` or `sigma` is not positive, or labels, maps or
            weights of another shape.

    Reference:
        Section 3, H1: "the Gaussian blob has standard deviation sigma = 1".
    """

    def __init__(
        self,
        stride: Stride,
        sigma: float = 1.0,
        name: str = "heatmap_l2",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, sigma, name=name, **kwargs)

    def map_cost(
        self, points: Tensor, scores: Tensor, spatial: Shape
    ) -> Tensor:
        blobs = targets.gaussians(points, spatial, self.sigma)
        return ops.sum(ops.square(blobs - scores), axis=-1)


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianCrossEntropy(SoftmaxLoss):
    """Cross-entropy between a Gaussian of mass 1 and the softmaxed map.

    Formula:

    ```python
    loss = -sum(visible * sum(gaussian * log_softmax(beta * heatmap)))
    loss = loss / sum(visible)
    ```

    A flat map costs log(height * width). ours: the paper's H1 is a squared
    error.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        beta: Factor on the scores, that of `IntegralRegression`.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.
    """

    def __init__(
        self,
        stride: Stride,
        sigma: float = 1.0,
        beta: float = 1.0,
        name: str = "heatmap_ce",
        **kwargs: Any,
    ) -> None:
        super().__init__(stride, sigma, beta, name=name, **kwargs)

    def map_cost(
        self, points: Tensor, scores: Tensor, spatial: Shape
    ) -> Tensor:
        blobs = targets.gaussians(points, spatial, self.sigma)
        # The Gaussian of a joint far outside the map sums to 0.
        mass = ops.maximum(ops.sum(blobs, axis=-1, keepdims=True), 1e-6)
        log_map = ops.log_softmax(integral.scaled(scores, self.beta), axis=-1)
        return -ops.sum(blobs / mass * log_map, axis=-1)


@keras.saving.register_keras_serializable(package="integral_tf")
class OneHotCrossEntropy(HeatmapLoss):
    """Cross-entropy of the softmaxed map with the joint's pixel: loss of H2.

    Formula:

    ```python
    loss = -sum(visible * log_softmax(heatmap)[nearest pixel]) / sum(visible)
    ```

    A flat map costs log(height * width).

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        **kwargs: `cells` and `data_format` of the maps, as in
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.

    Reference:
        Section 3, H2: "a one-hot m x m ground truth mask ... cross-entropy
        loss over an m^2-way softmax output".
    """

    def __init__(
        self, stride: Stride, name: str = "heatmap_one_hot", **kwargs: Any
    ) -> None:
        super().__init__(stride, name=name, **kwargs)

    def map_cost(
        self, points: Tensor, scores: Tensor, spatial: Shape
    ) -> Tensor:
        pixel = targets.nearest_pixel(points, spatial)
        return ops.subtract(
            ops.logsumexp(scores, axis=-1),
            ops.take_along_axis(scores, pixel[..., None], axis=-1)[..., 0],
        )


__getattr__ = former.names(__name__)
