"""Registers this package's classes with Keras, without importing Keras first.

A saved model names its classes, such as `integral_tf>IntegralRegression`, and
Keras finds only classes whose modules are imported. `import integral_tf` does
not import Keras. So the classes are imported together with Keras, whether Keras
is imported before or after this package, and `keras.saving.load_model` finds
them. The last line of `keras_version` imports the modules below.
"""

import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import os
import sys

KERAS_VERSION = "integral_tf.keras_version"
_CLASSES = ("layers", "losses", "metrics.joint_distance")
# Only in Keras 3.
_NETWORKS = ("models.pose",)


def keras_name() -> str:
    """Name of the Keras module that this process uses."""
    setting = os.environ.get("TF_USE_LEGACY_KERAS")  # TensorFlow's own
    if setting in ("1", "true", "True"):
        found = importlib.util.find_spec("tf_keras")
        return "tf_keras" if found else "keras"
    return "keras"


def keras_version() -> str:
    """Version of that Keras, without importing it; empty if not installed."""
    try:
        return importlib.metadata.version(keras_name())
    except importlib.metadata.PackageNotFoundError:
        return ""


def register(legacy: bool) -> None:
    """Imports the modules whose classes Keras must find.

    Args:
        legacy: Whether this is Keras 2, which has no networks.
    """
    for name in _CLASSES if legacy else _CLASSES + _NETWORKS:
        importlib.import_module(f"integral_tf.{name}")


def follow_keras() -> None:
    """Imports `keras_version` now, or as soon as Keras is imported."""
    if keras_name() in sys.modules:
        importlib.import_module(KERAS_VERSION)
    elif not any(isinstance(each, _Follower) for each in sys.meta_path):
        sys.meta_path.insert(0, _Follower(keras_name()))


class _Follower(importlib.abc.MetaPathFinder):
    """Finds Keras as Python would, and imports `keras_version` after Keras."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        others = [each for each in sys.meta_path if each is not self]
        found = (each.find_spec(name, path, target) for each in others)
        spec = next((each for each in found if each is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = self._followed(spec.loader.exec_module)
        return spec

    def _followed(self, execute):
        def exec_module(module):
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            # If `keras_version` imports Keras, it must not wait for itself.
            if KERAS_VERSION not in sys.modules:
                importlib.import_module(KERAS_VERSION)

        return exec_module
