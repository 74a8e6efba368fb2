"""Tells Keras of this package's classes, without importing Keras first.

A saved model names its classes, such as `integral_tf>IntegralRegression`, and
Keras knows those whose modules are imported. `import integral_tf` imports no
Keras. So that `keras.saving.load_model` finds the classes after it all the
same, they are imported with Keras, whichever of the two comes first:
`keras_version`, which takes Keras, imports the modules below in its last line.
"""

import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import os
import sys

KERAS_VERSION = "integral_tf.keras_version"
_CLASSES = ("layers", "losses", "metrics.joint_distance")
# Of Keras 3 alone.
_NETWORKS = ("models.pose",)


def keras_name() -> str:
    """The name of the Keras module that the process has settled for."""
    setting = os.environ.get("TF_USE_LEGACY_KERAS")  # TensorFlow's own
    if setting in ("1", "true", "True"):
        found = importlib.util.find_spec("tf_keras")
        return "tf_keras" if found else "keras"
    return "keras"


def keras_version() -> str:
    """Its version, before it is imported; empty where there is none."""
    try:
        return importlib.metadata.version(keras_name())
    except importlib.metadata.PackageNotFoundError:
        return ""


def register(legacy: bool) -> None:
    """Imports the modules whose classes Keras is to know.

    Args:
        legacy: Whether it is Keras 2, in which networks are not to be had.
    """
    for name in _CLASSES if legacy else _CLASSES + _NETWORKS:
        importlib.import_module(f"integral_tf.{name}")


def follow_keras() -> None:
    """Has `keras_version` imported with Keras: now, or as soon as that is."""
    if keras_name() in sys.modules:
        importlib.import_module(KERAS_VERSION)
    elif not any(isinstance(each, _Follower) for each in sys.meta_path):
        sys.meta_path.insert(0, _Follower(keras_name()))


class _Follower(importlib.abc.MetaPathFinder):
    """Finds Keras as ever, and imports `keras_version` after it."""

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
            # Where that is what imports Keras, it is not to wait for itself.
            if KERAS_VERSION not in sys.modules:
                importlib.import_module(KERAS_VERSION)

        return exec_module
