"""Integral Human Pose Regression (Sun et al., 2017) for TensorFlow and Keras.

integral_tf.IntegralRegression   the layer: heat maps to joints
integral_tf.losses               the paper's losses
integral_tf.integralize          any heat-map network, read by an integral
integral_tf.calibrate            the beta that suits its maps
integral_tf.pose_model           the paper's networks
integral_tf.PoseEstimator        a trained model on photographs

The layer and the losses run in every Keras (`generation`), the rest in Keras 3;
what needs more than Keras and NumPy is imported when it is first asked for.
"""

import importlib
import importlib.util
import warnings

from integral_tf import generation
from integral_tf import losses
from integral_tf.layers import IntegralRegression

__version__ = "0.2.0.dev0"
__all__ = [
    "IntegralRegression",
    "PoseEstimator",
    "calibrate",
    "integralize",
    "losses",
    "metrics",
    "pose_model",
    "skeletons",
]

_MODULES = ("inference", "metrics", "skeletons")
# Where the names are that want Keras 3.
_KERAS_3 = {
    "PoseEstimator": "integral_tf.inference.estimator",
    "calibrate": "integral_tf.inference.calibrate",
    "integralize": "integral_tf.models.integralize",
    "pose_model": "integral_tf.models.methods",
}
_LEGACY = (
    f"integral_tf runs in {generation.NAME} here: IntegralRegression, losses, "
    f"metrics and skeletons work; {', '.join(_KERAS_3)} need Keras 3."
)

if generation.LEGACY:
    warnings.warn(_LEGACY, stacklevel=2)
else:
    # Keras finds the class of a saved model by its name only.
    importlib.import_module("integral_tf.models.pose")


def __getattr__(name):
    if name not in (*_MODULES, *_KERAS_3):
        raise AttributeError(f"module 'integral_tf' has no attribute {name!r}")
    if generation.LEGACY and name in _KERAS_3:
        raise ImportError(f"{_LEGACY} Received: integral_tf.{name}")
    try:
        if name in _MODULES:
            return importlib.import_module(f"integral_tf.{name}")
        found = getattr(importlib.import_module(_KERAS_3[name]), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"integral_tf.{name} needs the module {error.name!r}, which is "
            "not installed here; the layer and the losses need Keras only."
        ) from error
    globals()[name] = found
    return found


def __dir__():
    # Not what could only raise: help() and completion ask for every name.
    missing = set(_KERAS_3) if generation.LEGACY else set()
    if not importlib.util.find_spec("tensorflow"):
        missing.add("PoseEstimator")
    return sorted({*globals(), *__all__} - missing)
