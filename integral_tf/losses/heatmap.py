"""Heat-map losses of Section 3.

    H1  squared error to a Gaussian                      GaussianSquaredError
    H2  m^2-way cross-entropy with one pixel             OneHotCrossEntropy
    H3  binary cross-entropy of pixels near and far      BinaryCrossEntropy
    -   cross-entropy of the softmaxed map with a blob   GaussianCrossEntropy

The last is ours: it supervises the map that Eq. (6) averages, where H1's own
loss leaves that map nearly flat (docs/choices.md).
"""

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import generation
from integral_tf.generation import keras
from integral_tf.generation import ops
from integral_tf.losses import labelled
from integral_tf.ops import integral
from integral_tf.ops import labels
from integral_tf.ops import targets


class HeatmapLoss(labelled.LabelledLoss):
    """Labelled crop points against maps of pictures, lines or volumes.

    Labels are those of `losses.JointL1`; `visible` in the formulas is 1 where a
    label's visibility is above 0, else 0.

    Args:
        stride: Crop pixels that one heat-map pixel spans: a number, or one for
            each axis of the maps in their order, `(height, width)`.
        cells, data_format: Of the maps, as of `IntegralRegression`.
        **kwargs: Base loss keyword arguments, such as `name`.
    """

    def __init__(self, stride, *, cells="middle", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.stride = coordinates.checked_stride(stride)
        self.cells = coordinates.checked_cells(cells)
        self.data_format = generation.data_format(data_format)

    def people(self, y_pred):
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

    def cost(self, points, y_pred):
        scores, spatial = integral.flatten_maps(y_pred, self.data_format)
        points = self._on_maps(points, len(spatial))
        return self.map_cost(points, scores, spatial)

    def _on_maps(self, points, dimensions):
        """Points of the crop in the heat-map frame."""
        steps = coordinates.steps(self.stride, dimensions)
        if isinstance(steps, tuple):
            steps = ops.convert_to_tensor(steps, dtype="float32")
        return coordinates.crop_to_heatmap(points, steps, self.cells)

    def map_cost(self, points, scores, spatial):
        """`(B, K)` costs of the flat maps of joints in the heat-map frame.

        Args:
            points: `(B, K, D)`.
            scores, spatial: `(B, K, N)` and the maps' spatial shape, from
                `integral.flatten_maps`.
        """
        raise NotImplementedError

    def get_config(self):
        return {
            **super().get_config(),
            "stride": self.stride,
            "cells": self.cells,
            "data_format": self.data_format,
        }


class GaussianLoss(HeatmapLoss):
    """One whose target is a Gaussian around each joint."""

    def __init__(self, stride, sigma=1.0, **kwargs):
        super().__init__(stride, **kwargs)
        self.sigma = checks.number(
            "sigma",
            sigma,
            "`sigma` is the Gaussian's width in heat-map pixels, so it must be "
            "positive.",
            above=0,
        )

    def get_config(self):
        return {**super().get_config(), "sigma": self.sigma}


class SoftmaxLoss(GaussianLoss):
    """One that reads the map as the integral does, by a softmax."""

    def __init__(self, stride, sigma=1.0, beta=1.0, **kwargs):
        super().__init__(stride, sigma, **kwargs)
        self.beta = checks.number(
            "beta",
            beta,
            "`beta` is that of the IntegralRegression that reads the maps, so "
            "it is positive.",
            above=0,
        )

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianSquaredError(GaussianLoss):
    """H1: squared distance of each map to a Gaussian around its joint.

    Formula:

    ```python
    loss = sum(visible * sum((gaussian - heatmap)**2)) / sum(visible)
    ```

    Summed over the pixels of a map and averaged over the labelled joints of a
    sample: an empty map costs about pi sigma^2. A sum, where the paper says
    mean, so that its size does not depend on the map's.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        **kwargs: `cells` and `data_format` of the maps, as of
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` heat maps.

    Reference:
        Section 3, H1: "the Gaussian blob has standard deviation sigma = 1".
    """

    def __init__(self, stride, sigma=1.0, name="heatmap_l2", **kwargs):
        super().__init__(stride, sigma, name=name, **kwargs)

    def map_cost(self, points, scores, spatial):
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

    It costs log(height * width) on a flat map.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        beta: Factor on the scores, that of `IntegralRegression`.
        **kwargs: `cells` and `data_format` of the maps, as of
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.
    """

    def __init__(
        self, stride, sigma=1.0, beta=1.0, name="heatmap_ce", **kwargs
    ):
        super().__init__(stride, sigma, beta, name=name, **kwargs)

    def map_cost(self, points, scores, spatial):
        blobs = targets.gaussians(points, spatial, self.sigma)
        # Of a joint far off the map nothing is left to normalise.
        mass = ops.maximum(ops.sum(blobs, axis=-1, keepdims=True), 1e-6)
        log_map = ops.log_softmax(integral.scaled(scores, self.beta), axis=-1)
        return -ops.sum(blobs / mass * log_map, axis=-1)


@keras.saving.register_keras_serializable(package="integral_tf")
class OneHotCrossEntropy(HeatmapLoss):
    """H2: cross-entropy of the softmaxed map with the joint's one pixel.

    Formula:

    ```python
    loss = -sum(visible * log_softmax(heatmap)[nearest pixel]) / sum(visible)
    ```

    It costs log(height * width) on a flat map.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        **kwargs: `cells` and `data_format` of the maps, as of
            `IntegralRegression`, and base loss keyword arguments, such as
            `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.

    Reference:
        Section 3, H2: "a one-hot m x m ground truth mask ... cross-entropy
        loss over an m^2-way softmax output".
    """

    def __init__(self, stride, name="heatmap_one_hot", **kwargs):
        super().__init__(stride, name=name, **kwargs)

    def map_cost(self, points, scores, spatial):
        pixel = targets.nearest_pixel(points, spatial)
        return ops.subtract(
            ops.logsumexp(scores, axis=-1),
            ops.take_along_axis(scores, pixel[..., None], axis=-1)[..., 0],
        )


@keras.saving.register_keras_serializable(package="integral_tf")
class BinaryCrossEntropy(HeatmapLoss):
    """H3: each pixel near its joint or not, over a share of the far ones.

    Formula:

    ```python
    near = distance to the joint <= radius
    counted = near | drawn  # `negatives` drawn for each near pixel
    cost = softplus(heatmap) - near * heatmap
    loss = sum(visible * mean(cost[counted])) / sum(visible)
    ```

    ours: negatives are drawn map by map, without replacement; where a map has
    fewer, all are taken, and where no pixel is near, nothing is counted. Which
    ones is a function of `seed` and the joint's position, so that a resumed
    run draws what it would have drawn, and a person seen twice without
    augmentation costs the same. Any float type in, float32 out.

    Args:
        stride: Crop pixels that one heat-map pixel spans, or one number for
            each axis of the maps, `(height, width)`.
        radius: Crop pixels within which a pixel's centre is near.
        negatives: Far pixels drawn for each near one.
        seed: Seed of the draw.
        **kwargs: `cells` and `data_format` of the maps, as of
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
        stride,
        radius=15.0,
        negatives=3,
        seed=0,
        name="heatmap_binary",
        **kwargs,
    ):
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

    def cost(self, points, y_pred):
        scores, spatial = integral.flatten_maps(y_pred, self.data_format)
        near, drawn = self._masks(points, spatial)
        counted = ops.add(near, drawn)
        # Not counted or not near is 0 times a score, which must be finite.
        scores = ops.clip(scores, -integral.LARGEST, integral.LARGEST)
        cost = ops.multiply(
            counted, ops.softplus(scores) - ops.multiply(near, scores)
        )
        count = ops.maximum(ops.sum(counted, axis=-1), 1.0)
        return ops.sum(cost, axis=-1) / count

    def draw(self, y_true, y_pred):
        """The pixels that count: near ones, and the negatives drawn.

        Returns:
            Two `(batch, joints, height * width)` masks of 0 and 1.
        """
        points, _ = labels.parted(y_true, *self.people(y_pred))
        _, spatial = integral.flatten_maps(y_pred, self.data_format)
        return self._masks(points, spatial)

    def _masks(self, points, spatial):
        near = targets.disks(
            self._on_maps(points, len(spatial)),
            spatial,
            self.radius,
            coordinates.steps(self.stride, len(spatial)),
        )
        noise = _noise(points, integral.product(spatial), self.seed)
        # Far pixels first, in random order: a pixel's rank tells if it is in.
        order = ops.argsort(ops.where(near > 0, 2**31 - 1, noise), axis=-1)
        rank = ops.cast(ops.argsort(order, axis=-1), "float32")
        wanted = self.negatives * ops.sum(near, axis=-1, keepdims=True)
        drawn = ops.cast(rank < wanted, "float32")
        return near, ops.multiply(drawn, 1.0 - near)

    def get_config(self):
        config = {
            "radius": self.radius,
            "negatives": self.negatives,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}


def _noise(points, pixels, seed):
    """Random numbers for each pixel, a function of the point and the seed.

    Args:
        points: `(B, K, D)` in the crop frame.
        pixels: How many for each point.
        seed: Any integer.

    Returns:
        `(B, K, pixels)` int32 in [0, 2**31 - 1).
    """
    # Sub-pixel steps, so that every augmented copy of a joint draws anew.
    steps = ops.cast(ops.round(ops.clip(points, -1e5, 1e5) * 4096), "int32")
    key = _mix(ops.convert_to_tensor(seed % 2**31, dtype="int32"))
    for axis in range(points.shape[-1]):
        key = _mix(ops.bitwise_xor(key, steps[..., axis]))
    noise = _mix(ops.bitwise_xor(key[..., None], _mix(ops.arange(pixels))))
    return ops.minimum(ops.bitwise_and(noise, 2**31 - 1), 2**31 - 2)


def _mix(x):
    """A bijection of int32 that scatters it: a multiply-xorshift hash."""
    x = _xor_shifted(x, 16)
    x = _xor_shifted(ops.multiply(x, 0x21F0AAAD), 15)
    return _xor_shifted(ops.multiply(x, 0xD35A2D97 - 2**32), 15)


def _xor_shifted(x, count):
    # Masked, because a shift of a negative number brings its sign along.
    shifted = ops.bitwise_and(ops.right_shift(x, count), 2 ** (32 - count) - 1)
    return ops.bitwise_xor(x, shifted)
