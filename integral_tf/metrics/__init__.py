"""The paper's metrics, on plain arrays, and a Keras metric for `fit`."""

from typing import Any
from typing import TYPE_CHECKING

from integral_tf import former
from integral_tf import lazy
from integral_tf.metrics.average_precision import coco_keypoint_ap
from integral_tf.metrics.calibration import calibration_error
from integral_tf.metrics.calibration import reliability
from integral_tf.metrics.calibration import spearman
from integral_tf.metrics.hotcoco import hotcoco_ap
from integral_tf.metrics.normalised import Nme
from integral_tf.metrics.normalised import nme
from integral_tf.metrics.normalised import normalised_errors
from integral_tf.metrics.pckh import ALPHAS
from integral_tf.metrics.pckh import Pckh
from integral_tf.metrics.pckh import pckh
from integral_tf.metrics.pckh import reference_lengths

if TYPE_CHECKING:
    from integral_tf.metrics.joint_distance import JointDistance

__all__ = [
    "ALPHAS",
    "JointDistance",
    "Nme",
    "Pckh",
    "calibration_error",
    "coco_keypoint_ap",
    "hotcoco_ap",
    "nme",
    "normalised_errors",
    "pckh",
    "reference_lengths",
    "reliability",
    "spearman",
]

_lazy = lazy.attributes(
    __name__, {"JointDistance": "integral_tf.metrics.joint_distance"}
)
_former = former.names(__name__)


def __getattr__(name: str) -> Any:
    return (_lazy if name in __all__ else _former)(name)
