"""Heat-map losses of Section 3.

    H1  squared error to a Gaussian                      GaussianSquaredError
    -   cross-entropy of the softmaxed map with one      GaussianCrossEntropy

The second is ours: it supervises the map that Eq. (6) averages, where H1's own
loss leaves that map nearly flat (docs/choices.md).
"""

import keras
from keras import ops

from integral_tf import coordinates
from integral_tf.ops import integral
from integral_tf.ops import targets


class _GaussianLoss(keras.losses.Loss):
    """What both losses share: labelled points in, Gaussian maps out."""

    def __init__(self, stride, sigma=1.0, **kwargs):
        super().__init__(**kwargs)
        if stride <= 0 or sigma <= 0:
            raise ValueError(
                "`stride` is the crop pixels one heat-map pixel spans and "
                "`sigma` the Gaussian's width in heat-map pixels; both are "
                f"positive. Received: stride={stride}, sigma={sigma}"
            )
        self.stride = stride
        self.sigma = sigma

    def _gaussians(self, y_true, heatmaps):
        _, height, width, _ = ops.shape(heatmaps)
        # An unlabelled joint may be NaN, which no zero weight would mask.
        points = ops.where(y_true[..., 2:] > 0, y_true[..., :2], 0.0)
        points = coordinates.crop_to_heatmap(points, self.stride)
        return targets.gaussians(points, height, width, self.sigma)

    def get_config(self):
        config = {"stride": self.stride, "sigma": self.sigma}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianSquaredError(_GaussianLoss):
    """H1: squared distance of each map to a Gaussian around its joint.

    Formula:

    ```python
    loss = sum(visible * sum((gaussian - heatmap)**2)) / sum(visible)
    ```

    Summed over the pixels of a map and averaged over the labelled joints of a
    sample: an empty map costs about pi sigma^2. A sum, where the paper says
    mean, so that its size does not depend on the map's.

    Args:
        stride: Crop pixels that one heat-map pixel spans.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        **kwargs: Base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` heat maps.

    Reference:
        Section 3, H1: "the Gaussian blob has standard deviation sigma = 1".
    """

    def __init__(self, stride, sigma=1.0, name="heatmap_l2", **kwargs):
        super().__init__(stride, sigma, name=name, **kwargs)

    def call(self, y_true, y_pred):
        y_pred = ops.cast(y_pred, "float32")
        error = ops.square(self._gaussians(y_true, y_pred) - y_pred)
        return _mean_over_labelled(ops.sum(error, axis=(1, 2)), y_true)


@keras.saving.register_keras_serializable(package="integral_tf")
class GaussianCrossEntropy(_GaussianLoss):
    """Cross-entropy between a Gaussian of mass 1 and the softmaxed map.

    Formula:

    ```python
    loss = -sum(visible * sum(gaussian * log_softmax(beta * heatmap)))
    loss = loss / sum(visible)
    ```

    It costs log(height * width) on a flat map.

    Args:
        stride: Crop pixels that one heat-map pixel spans.
        sigma: Standard deviation of the Gaussian in heat-map pixels.
        beta: Factor on the scores, that of `IntegralRegression`.
        **kwargs: Base loss keyword arguments, such as `name`.

    Call arguments:
        y_true: `(batch, joints, 3)`: x, y in the crop frame and visibility.
        y_pred: `(batch, height, width, joints)` unnormalised scores.
    """

    def __init__(
        self, stride, sigma=1.0, beta=1.0, name="heatmap_ce", **kwargs
    ):
        super().__init__(stride, sigma, name=name, **kwargs)
        self.beta = beta

    def call(self, y_true, y_pred):
        scores, _ = integral.flatten_maps(y_pred)
        blobs, _ = integral.flatten_maps(self._gaussians(y_true, y_pred))
        # An unlabelled joint may lie so far away that nothing of its blob is
        # left; it is masked below, and must not be NaN until then.
        mass = ops.maximum(ops.sum(blobs, axis=-1, keepdims=True), 1e-6)
        log_map = ops.log_softmax(scores * self.beta, axis=-1)
        entropy = -ops.sum(blobs / mass * log_map, axis=-1)
        return _mean_over_labelled(entropy, y_true)

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


def _mean_over_labelled(per_joint, y_true):
    """`(B, K)` costs to `(B,)`; nobody labelled costs 0, not NaN."""
    visible = y_true[..., 2]
    total = ops.sum(visible * per_joint, axis=-1)
    return total / ops.maximum(ops.sum(visible, axis=-1), 1.0)
