"""Integral Human Pose Regression (Sun et al., 2017) for TensorFlow and Keras.

integral_tf.IntegralRegression   the layer: heat maps to joints
integral_tf.losses               the paper's losses
integral_tf.integralize          an integral at the end of a heat-map network
integral_tf.calibrate            the best beta for a network's maps
integral_tf.pose_model           the paper's networks
integral_tf.PoseEstimator        a trained model on photographs
integral_tf.to_coco              poses as COCO's results
integral_tf.to_supervision       poses as supervision.KeyPoints

The layer and the losses run in Keras 2 and 3 (`keras_version`). The networks
need Keras 3. Exported networks, metrics, coordinates and skeletons need no
Keras. Each name is imported at its first use, and Keras with the first name
that needs Keras.
"""

import importlib
import importlib.util
import sys
import warnings
from typing import TYPE_CHECKING

from integral_tf import former
from integral_tf import lazy
from integral_tf import registration

if TYPE_CHECKING:  # a type checker does not see the lazy imports below
    from integral_tf import coordinates
    from integral_tf import losses
    from integral_tf import metrics
    from integral_tf import skeletons
    from integral_tf.evaluation.calibrate import calibrate
    from integral_tf.inference.estimator import PoseEstimator
    from integral_tf.inference.pose import to_coco
    from integral_tf.inference.pose import to_supervision
    from integral_tf.layers import IntegralRegression
    from integral_tf.models.integralize import integralize
    from integral_tf.models.methods import pose_model

__version__ = "0.2.0.dev0"
__all__ = [
    "IntegralRegression",
    "PoseEstimator",
    "calibrate",
    "coordinates",
    "integralize",
    "losses",
    "metrics",
    "pose_model",
    "skeletons",
    "to_coco",
    "to_supervision",
]

_MODULES = (
    "coordinates",
    "inference",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "skeletons",
)
_OF_KERAS = ("layers", "losses", "ops")
# The modules that define the other names.
_PLACES = {
    "IntegralRegression": "integral_tf.layers",
    "PoseEstimator": "integral_tf.inference.estimator",
    "to_coco": "integral_tf.inference.pose",
    "to_supervision": "integral_tf.inference.pose",
}
# The same for names that need Keras 3.
_KERAS_3 = {
    "calibrate": "integral_tf.evaluation.calibrate",
    "integralize": "integral_tf.models.integralize",
    "pose_model": "integral_tf.models.methods",
}
_LEGACY = (
    f"integral_tf runs in {registration.keras_name()} "
    f"{registration.keras_version()} here: IntegralRegression, losses, "
    f"metrics and skeletons work; {', '.join(_KERAS_3)} need Keras 3."
)


def _is_legacy():
    return registration.keras_version().startswith("2.")


if _is_legacy():
    warnings.warn(_LEGACY, stacklevel=2)
registration.follow_keras()
sys.meta_path.append(former.Modules())


_find = lazy.attributes(__name__, {**_PLACES, **_KERAS_3})


def __getattr__(name):
    if name in _KERAS_3 and _is_legacy():
        raise ImportError(f"{_LEGACY} Received: integral_tf.{name}")
    try:
        if name in _MODULES:
            return importlib.import_module(f"integral_tf.{name}")
        return _find(name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"integral_tf.{name} needs the module {error.name!r}, which is "
            "not installed here."
        ) from error


def __dir__():
    # Without the names that would raise: help() and completion get every name.
    missing = set()
    if not registration.keras_version():
        missing = {*_KERAS_3, "IntegralRegression", *_OF_KERAS}
    elif _is_legacy():
        missing = set(_KERAS_3)
    if not importlib.util.find_spec("PIL"):
        missing |= {"PoseEstimator", "to_coco", "to_supervision"}
    return sorted({*globals(), *__all__} - missing)
