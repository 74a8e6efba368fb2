"""Metrics of the paper, on plain arrays, and one of Keras for `fit`."""

from typing import TYPE_CHECKING

from integral_tf import lazy
from integral_tf.metrics.average_precision import coco_keypoint_ap
from integral_tf.metrics.calibration import calibration_error
from integral_tf.metrics.calibration import cross_fitted
from integral_tf.metrics.calibration import distances
from integral_tf.metrics.calibration import halves
from integral_tf.metrics.calibration import platt
from integral_tf.metrics.calibration import reliability
from integral_tf.metrics.calibration import spearman
from integral_tf.metrics.calibration import student_t
from integral_tf.metrics.pckh import ALPHAS
from integral_tf.metrics.pckh import Pckh
from integral_tf.metrics.pckh import pckh
from integral_tf.metrics.pckh import reference_lengths
from integral_tf.metrics.pycocotools_ap import pycocotools_ap

if TYPE_CHECKING:
    from integral_tf.metrics.joint_distance import JointDistance

__all__ = [
    "ALPHAS",
    "JointDistance",
    "Pckh",
    "calibration_error",
    "coco_keypoint_ap",
    "cross_fitted",
    "distances",
    "halves",
    "pckh",
    "platt",
    "pycocotools_ap",
    "reference_lengths",
    "reliability",
    "spearman",
    "student_t",
]

__getattr__ = lazy.attributes(
    __name__, {"JointDistance": "integral_tf.metrics.joint_distance"}
)
