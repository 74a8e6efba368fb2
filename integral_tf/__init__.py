"""Integral Human Pose Regression (Sun et al., 2017) for TensorFlow and Keras.

integral_tf.IntegralRegression   the layer: heat maps to joints
integral_tf.pose_model           the paper's networks
integral_tf.PoseEstimator        a trained model on photographs
"""

from integral_tf import losses
from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.inference.estimator import PoseEstimator
from integral_tf.layers import IntegralRegression
from integral_tf.models import pose_model

__version__ = "0.1.0"
__all__ = [
    "IntegralRegression",
    "PoseEstimator",
    "losses",
    "metrics",
    "pose_model",
    "skeletons",
]
