"""Keras layers, each one serialisable under the package's name."""

from integral_tf import former
from integral_tf.layers.argmax import Argmax
from integral_tf.layers.calibrated import calibrated_weights
from integral_tf.layers.calibrated import network_weights
from integral_tf.layers.covariance_calibration import CovarianceCalibration
from integral_tf.layers.heads import AxisHead
from integral_tf.layers.heads import HeatmapHead
from integral_tf.layers.heads import JointHead
from integral_tf.layers.imagenet_normalization import ImageNetNormalization
from integral_tf.layers.integral_regression import IntegralRegression
from integral_tf.layers.person_crop import PersonCrop
from integral_tf.layers.photometric import Photometric
from integral_tf.layers.score_calibration import ScoreCalibration

__all__ = [
    "Argmax",
    "AxisHead",
    "CovarianceCalibration",
    "HeatmapHead",
    "ImageNetNormalization",
    "IntegralRegression",
    "JointHead",
    "PersonCrop",
    "Photometric",
    "ScoreCalibration",
    "calibrated_weights",
    "network_weights",
]


__getattr__ = former.names(__name__)
