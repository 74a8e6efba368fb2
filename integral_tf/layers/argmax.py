"""The Keras layer J_k = argmax H_k, Eq. (1). Its arithmetic is `ops.argmax`."""

from __future__ import annotations

from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import keras_version
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.layers import float32
from integral_tf.ops import argmax
from integral_tf.ops import dark
from integral_tf.ops import layout
from integral_tf.signatures import Shape
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class Argmax(float32.Float32, keras.layers.Layer):
    """Reads each joint at the maximum of its heat map, Eq. (1). No gradient.

    Args:
        stride: Crop pixels spanned by one heat-map pixel, or, where axes
            differ, `(height, width)`.
        activation: How the loss interprets the scores. The confidence is the
            maximum: `"linear"`, for squared error (H1), clips it to [0, 1];
            `"softmax"`, for cross-entropy over the map (H2), takes its softmax
            over the map; `"sigmoid"`, for cross-entropy of each pixel (H3),
            its sigmoid.
        cells: `"middle"`, or `"first"` to read maps as Simple Baselines and
            MMPose do: see `coordinates.heatmap_to_crop` and
            `ops.argmax.shifted`. With `"first"`, a `"linear"` map that is
            nowhere above 0 gives the crop's first pixel, as in Simple
            Baselines.
        refinement: What is added to the maximum: `"none"`; `"shift"`, a
            quarter of a pixel towards the higher neighbours
            (`ops.argmax.shifted`); `"dark"`, the step to the maximum of a
            Gaussian (`ops.dark`, Zhang et al. 2020), for maps of pictures. None
            is `"shift"` with cells `"first"`, else `"none"`.
        sigma: Standard deviation of DARK's blur in heat-map pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        heatmaps: `(batch, height, width, joints)` scores, or `(batch, joints,
            height, width)`; other numbers of spatial axes work too.

    Output shape:
        Dict of `joints` `(batch, joints, 2)`, x and y in the crop frame, and
        `confidence` `(batch, joints)` in [0, 1].

    Raises:
        ValueError: `stride` is not positive, or has another number of axes
            than the maps; DARK of maps that are no pictures; or an unknown
            `activation`, `cells`, `refinement` or `data_format`.
    """

    def __init__(
        self,
        stride: Stride = 1,
        activation: str = "linear",
        *,
        cells: str = "middle",
        refinement: str | None = None,
        sigma: float = 1.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if activation not in ("linear", "softmax", "sigmoid"):
            raise ValueError(
                "`activation` is 'linear' for maps trained with squared error "
                "(H1), 'softmax' for cross-entropy over the map (H2), "
                "'sigmoid' for cross-entropy of each pixel (H3). "
                f"Received: activation={activation!r}"
            )
        self.stride = checks.stride(stride)
        self.activation = activation
        self.cells = checks.cells(cells)
        if refinement not in (None, "none", "shift", "dark"):
            raise ValueError(
                "`refinement` is 'none' for the maximum itself, 'shift' for a "
                "quarter of a pixel, 'dark' for the maximum of a Gaussian. "
                f"Received: refinement={refinement!r}"
            )
        self.refinement = refinement
        self.sigma = checks.number(
            "sigma",
            sigma,
            "`sigma` is the width of DARK's blur in heat-map pixels, so it "
            "must be positive.",
            above=0,
        )
        self.data_format = keras_version.data_format(data_format)
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def build(self, input_shape: Shape) -> None:
        coordinates.steps(self.stride, len(input_shape) - 2)
        if self.refinement == "dark" and len(input_shape) != 4:
            raise ValueError(
                "DARK reads maps of pictures, (batch, height, width, joints). "
                f"Received: shape={tuple(input_shape)}"
            )
        self.built = True

    def call(self, heatmaps: Tensor) -> dict[str, Tensor]:
        usual = "shift" if self.cells == "first" else "none"
        refinement = self.refinement or usual
        read = argmax.shifted if refinement == "shift" else argmax.argmax
        points, peak = read(heatmaps, self.data_format)
        if refinement == "dark":
            points = dark.refined(
                heatmaps, self.sigma, self.activation, self.data_format
            )
        if self.cells == "first" and self.activation == "linear":
            points = ops.where(peak[..., None] > 0, points, 0.0)
        if self.activation == "softmax":
            scores, axes = layout.arranged(heatmaps, self.data_format)
            confidence = ops.exp(peak - ops.logsumexp(scores, axis=axes))
        elif self.activation == "sigmoid":
            confidence = ops.sigmoid(peak)
        else:
            confidence = ops.clip(peak, 0.0, 1.0)
        steps = coordinates.steps(self.stride, len(heatmaps.shape) - 2)
        if isinstance(steps, tuple):
            steps = ops.convert_to_tensor(steps, dtype="float32")
        return {
            "joints": coordinates.heatmap_to_crop(points, steps, self.cells),
            "confidence": confidence,
        }

    def compute_output_shape(self, input_shape: Shape) -> dict[str, Shape]:
        last = self.data_format == "channels_last"
        batch, joints = input_shape[0], input_shape[-1 if last else 1]
        return {
            "joints": (batch, joints, len(input_shape) - 2),
            "confidence": (batch, joints),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "stride": self.stride,
            "activation": self.activation,
            "cells": self.cells,
            "refinement": self.refinement,
            "sigma": self.sigma,
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Argmax:
        # Older files name no format: it was channels_last.
        return cls(**{"data_format": "channels_last", **config})
