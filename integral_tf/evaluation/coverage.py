"""Whether covariances are as wide as the errors are.

Shape letter: M labelled joints with a covariance.
"""

from __future__ import annotations

import keras
import numpy as np

from integral_tf import layers
from integral_tf.evaluation.predictions import Predictions
from integral_tf.models import reading

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def coverage(
    predicted: Predictions, model: keras.Model | None = None
) -> dict[str, float]:
    """The share of true joints inside the ellipses of their covariances.

    An ellipse should hold a share of the true joints: of a normal
    distribution, or of that of the model's last `CovarianceCalibration`.

    Args:
        predicted: `predictions.Predictions` with `sigmas_off`.
        model: The model; None for a normal distribution.

    Returns:
        Dict from each of `SHARES`, as text, to the share that was counted.
        Empty without a covariance or a labelled joint.
    """
    known = predicted.visible > 0
    if predicted.sigmas_off is None or not known.any():
        return {}
    scale = reading.covariance_layer(model) or layers.CovarianceCalibration()
    distances = predicted.sigmas_off[known]
    # A joint that is NaN is in no ellipse.
    return {
        f"{share:g}": float(np.mean(distances <= scale.radius(share)))
        for share in SHARES
    }
