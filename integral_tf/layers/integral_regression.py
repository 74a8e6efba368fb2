"""The Keras layer J_k = I(H_k), Eq. (7). Its arithmetic is `ops.integral`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import keras_version
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.layers import calibrated
from integral_tf.ops import argmax
from integral_tf.ops import background
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.signatures import Shape
from integral_tf.signatures import Stride
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class IntegralRegression(calibrated.Calibrated):
    """Reads one `(x, y)` point per joint out of a stack of heat maps.

    Each map is normalised by a softmax over all of its pixels (Eq. 5), and the
    joint is the expected pixel position (Eq. 6). The layer is differentiable
    everywhere, except where `window` jumps to another maximum. It always
    computes in `float32`. It has no trainable weight unless `learn_beta` is
    set.

    Args:
        stride: Crop pixels spanned by one heat-map pixel. `1` (the default)
            returns heat-map coordinates; `8` returns coordinates in a
            256 x 256 crop from a 32 x 32 map. A tuple gives one stride for
            each axis of the maps in their order: `(height, width)`, `(depth,
            height, width)`.
        beta: Factor on the scores before the softmax. If a map's peak is far
            below 10, beta must be above 1, or the joint is pulled to the map's
            centre. `integral_tf.calibrate` chooses beta. The attribute `beta`
            may be set at any time: it is a non-trainable weight, which files
            of weights include, and which traced functions read anew.
        learn_beta: Train beta, starting from `beta`. Its logarithm is the
            weight `log_beta`, which an optimizer with weight decay should
            exclude.
        background: Score of an empty pixel, 0 in maps of Gaussians. The pull
            of empty pixels is then removed from the joint (`ops.background`;
            Gu et al., 2021). None removes nothing. A joint that is clipped
            to the map's edge has the gradient that it had before.
        window: Side in heat-map pixels, an odd number, of a square around the
            maximum: the expectation is taken over this square only (Pereira et
            al., 2022). Confidence and covariance are those of the entire map.
        confidence: Also return how much of each map agrees with its joint
            (`ops.integral.confidence`).
        covariance: Also return the covariance of each map.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        output_range: `(low, high)`, the coordinates of a map's two edges, in
            place of a stride: `(-1, 1)` or `(0, 1)` for any size of map. ours:
            edges as in DSNT, so the centre of the first of W pixels is `1 / W
            - 1` and not -1. `coordinates.to_convention` converts to the
            conventions of other libraries.
        cells: Where the maps' cells lie in the crop: `"middle"`, or `"first"`
            as Simple Baselines and MMPose train them; see
            `coordinates.heatmap_to_crop`. Ignored with an `output_range`.
        packed: Return all outputs in one tensor, which
            `keras.layers.TimeDistributed` needs; `unpack` separates them.
        **kwargs: Base layer keyword arguments, such as `name`. A `dtype` is
            ignored.

    Call arguments:
        heatmaps: `(batch, height, width, joints)` unnormalised scores. Do not
            apply a sigmoid or softmax first. Volumes `(batch, depth, height,
            width, joints)` and lines `(batch, width, joints)` work too.

    Output shape:
        `(batch, joints, 2)`, ordered `(x, y)`; 3 and `(x, y, z)` for volumes.
        With `confidence` or `covariance`, a dict of `joints` and `confidence`
        `(batch, joints)` in (0, 1] and `covariance` `(batch, joints, 2, 2)`
        in square crop pixels, or squares of the `output_range`'s unit. With
        `packed`, `(batch, joints, channels)`: the coordinates, then the
        confidence, then the rows of the covariance.

    Raises:
        ValueError: `stride` or `beta` is not positive, `stride` has another
            number of axes than the maps, `window` is even or comes with a
            `background`, `output_range` does not rise or comes with a
            `stride`, an argument is no finite number, or an unknown `cells` or
            `data_format`.
        TypeError: the maps are a symbolic tensor of another Keras.

    Example:

    >>> import numpy as np
    >>> heatmaps = np.zeros((1, 4, 4, 1), "float32")
    >>> heatmaps[0, 2, 3, 0] = 50.0  # row 2, column 3
    >>> IntegralRegression()(heatmaps).numpy().tolist()
    [[[3.0, 2.0]]]
    >>> IntegralRegression(stride=8)(heatmaps).numpy().tolist()
    [[[27.5, 19.5]]]

    Reference:
        [Sun et al., 2018](https://arxiv.org/abs/1711.08229), Section 5.
    """

    def __init__(
        self,
        stride: Stride = 1,
        beta: float = 1.0,
        *,
        learn_beta: bool = False,
        background: float | None = None,
        window: int | None = None,
        confidence: bool = False,
        covariance: bool = False,
        data_format: str | None = None,
        output_range: Sequence[float] | None = None,
        cells: str = "middle",
        packed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = checks.stride(stride)
        self.learn_beta = learn_beta
        self.beta = beta
        self.background = _checked_background(background)
        self.window = _checked_window(window, background)
        self.confidence = confidence
        self.covariance = covariance
        self.data_format = keras_version.data_format(data_format)
        self.output_range = _checked_range(output_range, stride)
        self.cells = checks.cells(cells)
        self.packed = packed
        self.input_spec = keras.layers.InputSpec(min_ndim=3)
        self.start()

    @property
    def NUMBERS(self) -> tuple[str, ...]:
        return () if self.learn_beta else ("beta",)

    @property
    def beta(self) -> float:
        """The factor on the scores; if learned, its current value."""
        if not self.learn_beta:
            return self.read_number("beta")
        with keras_version.eagerly():
            return float(np.exp(self.log_beta.numpy()))

    @beta.setter
    def beta(self, beta: float) -> None:
        beta = checks.number(
            "beta",
            beta,
            "`beta` multiplies the scores before the softmax, so it must be "
            "positive and finite; the paper's is 1.",
            above=0,
        )
        if not self.learn_beta:
            self.set_number("beta", float(beta))
        elif hasattr(self, "log_beta"):
            self.log_beta.assign(np.log(beta))
        else:
            self._beta = float(beta)
            # The logarithm, so that beta stays positive.
            self.log_beta = self.add_number("log_beta", np.log(beta), True)

    def save_own_variables(self, store: Any) -> None:
        if self.learn_beta:
            store["0"] = self.log_beta.numpy()
        else:
            super().save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        # A layer with `learn_beta` reads files of one without, and vice versa.
        if "0" in store.keys():
            store = {"beta": np.exp(np.float64(store["0"]))}
        if not self.learn_beta:
            super().load_own_variables(store)
        elif len(store.keys()):
            self.log_beta.assign(np.log(np.float64(store["beta"])))

    def __call__(self, heatmaps: Tensor, *args: Any, **kwargs: Any) -> Any:
        keras_version.check(heatmaps)
        return super().__call__(heatmaps, *args, **kwargs)

    def call(self, heatmaps: Tensor) -> Any:
        scores, axes = layout.arranged(heatmaps, self.data_format)
        spatial = layout.spatial_shape(scores, axes)
        scores, empty = self._scaled(scores, axes)
        if not (self.confidence or self.covariance):
            points = self._points(scores, axes, empty)
            return self._placed(points, spatial)
        masses = integral.masses(scores, axes)
        points = self._points(scores, axes, empty, masses)
        outputs = {"joints": self._placed(points, spatial)}
        if self.confidence:
            outputs["confidence"] = integral.confidence(masses, points, axes)
        if self.covariance:
            middle = integral.expected_coordinates(masses, axes)
            spread = integral.covariance(masses, middle, axes)
            outputs["covariance"] = spread * self._squares(spatial)
        return _packed(outputs) if self.packed else outputs

    def _scaled(self, scores, axes):
        """Scores times beta, and the `background` on the same scale."""
        empty = self.background
        if not self.learn_beta:
            beta = self.number("beta")
            scores = integral.scaled(scores, beta)
        else:
            beta = ops.exp(self.log_beta)
            scores, top = integral.sharpened(scores, axes, beta)
            empty = None if empty is None else empty - top
        return scores, None if empty is None else beta * empty

    def _steps(self, spatial):
        """Output units per heat-map pixel: a number, or `(D,)`, x first."""
        if self.output_range is not None:
            low, high = self.output_range
            lengths = [ops.cast(each, "float32") for each in reversed(spatial)]
            return ops.divide(high - low, ops.stack(lengths))
        steps = coordinates.steps(self.stride, len(spatial))
        if isinstance(steps, tuple):
            steps = ops.convert_to_tensor(steps, dtype="float32")
        return steps

    def _squares(self, spatial):
        """Square output units per square heat-map pixel; or `(D, D)`."""
        steps = self._steps(spatial)
        plain = isinstance(steps, (int, float))
        return steps**2 if plain else steps * steps[:, None]

    def _placed(self, points, spatial):
        """Heat-map points in the crop frame, or in the output's range."""
        steps = self._steps(spatial)
        if self.output_range is None:
            return coordinates.heatmap_to_crop(points, steps, self.cells)
        return coordinates.heatmap_to_range(points, steps, self.output_range[0])

    def _points(self, scores, axes, empty, masses=None):
        """`(B, K, D)` in the heat-map frame; `masses` of `scores`, if known."""
        if self.window is not None:
            near = argmax.near_peaks(scores, axes, self.window)
            return integral.expectation(near, axes)
        if masses is None:
            points = integral.expectation(scores, axes)
        else:
            points = integral.expected_coordinates(masses, axes)
        if empty is None:
            return points
        return background.compensate(points, scores, axes, empty)

    def compute_output_shape(
        self, input_shape: Shape
    ) -> Shape | dict[str, Shape]:
        batch, dimensions = input_shape[0], len(input_shape) - 2
        coordinates.steps(self.stride, dimensions)  # checks their number
        last = self.data_format == "channels_last"
        joints = input_shape[-1 if last else 1]
        points = (batch, joints, dimensions)
        if not (self.confidence or self.covariance):
            return points
        if self.packed:
            return (batch, joints, self._channels(dimensions))
        shapes = {"joints": points}
        if self.confidence:
            shapes["confidence"] = (batch, joints)
        if self.covariance:
            shapes["covariance"] = (*points, dimensions)
        return shapes

    def unpack(self, packed: Tensor) -> dict[str, Tensor]:
        """Separates the tensor that the layer returns with `packed`.

        Args:
            packed: `(..., joints, channels)`, of the layer itself or of a
                wrapper around it.

        Returns:
            Dict of `joints` `(..., joints, D)`, `confidence` `(..., joints)`
            and `covariance` `(..., joints, D, D)`; the last two if the layer
            returns them.

        Raises:
            ValueError: another number of channels than the layer returns.
        """
        channels = packed.shape[-1]
        fitting = [d for d in (1, 2, 3) if self._channels(d) == channels]
        if not fitting:
            raise ValueError(
                "`packed` is what this layer returns with `packed=True`: "
                f"{self._channels(2)} channels of a plane's joints. "
                f"Received: shape={tuple(packed.shape)}"
            )
        (d,) = fitting
        parts, at = {"joints": packed[..., :d]}, d
        if self.confidence:
            parts["confidence"], at = packed[..., d], d + 1
        if self.covariance:
            rows = [packed[..., at + i * d : at + i * d + d] for i in range(d)]
            parts["covariance"] = ops.stack(rows, axis=-2)
        return parts

    def _channels(self, dimensions):
        """The number of packed channels of each joint."""
        spread = dimensions**2 if self.covariance else 0
        return dimensions + int(bool(self.confidence)) + spread

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "stride": self.stride,
            "beta": self._beta,
            "learn_beta": self.learn_beta,
            "background": self.background,
            "window": self.window,
            "confidence": self.confidence,
            "covariance": self.covariance,
            "data_format": self.data_format,
            "output_range": self.output_range,
            "cells": self.cells,
            "packed": self.packed,
        }


def _packed(outputs):
    """All outputs side by side in one `(B, K, C)` tensor."""
    parts = [outputs["joints"]]
    if "confidence" in outputs:
        parts.append(outputs["confidence"][..., None])
    if "covariance" in outputs:
        spread = outputs["covariance"]
        parts += [spread[..., i, :] for i in range(spread.shape[-1])]
    return ops.concatenate(parts, axis=-1)


def _checked_window(window, background):
    if window is None:
        return None
    sentence = (
        "`window` is the side of a square around the maximum, an odd number of "
        "heat-map pixels from 3."
    )
    window = checks.whole("window", window, sentence, least=3)
    if window % 2 != 1:
        raise ValueError(f"{sentence} Received: window={window}")
    if background is not None:
        raise ValueError(
            "`window` leaves the empty pixels out, so there is no `background` "
            "to take out: give one of them. "
            f"Received: window={window}, background={background}"
        )
    return window


def _checked_background(background):
    if background is None:
        return None
    return checks.number(
        "background",
        background,
        "`background` is the score of an empty pixel, a finite number, 0 in "
        "maps of Gaussians; or it is None.",
    )


def _checked_range(output_range, stride):
    if output_range is None:
        return None
    sentence = (
        "`output_range` is (low, high), the coordinates of a map's two edges: "
        "(-1, 1) or (0, 1)."
    )
    pair = checks.several("output_range", output_range, sentence)
    if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] >= pair[1]:
        raise ValueError(f"{sentence} Received: output_range={output_range!r}")
    if stride != 1:
        raise ValueError(
            "`output_range` is the same for every `stride`: give one of them. "
            f"Received: output_range={output_range}, stride={stride}"
        )
    return pair
