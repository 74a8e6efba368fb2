"""Losses of the paper, each one serialisable under the package's name."""

from integral_tf.losses.heatmap import GaussianCrossEntropy
from integral_tf.losses.heatmap import GaussianSquaredError
from integral_tf.losses.joint import JointL1

__all__ = ["GaussianCrossEntropy", "GaussianSquaredError", "JointL1"]
