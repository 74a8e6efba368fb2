"""The Keras of this process: Keras 3, or the Keras 2 of older worlds.

The package is written for Keras 3. Its layer and losses also work in tf_keras,
which TensorFlow Model Garden builds on, and in the Keras 2.15 that
tensorflow-addons needs; they take `keras` and `ops` from here.

    keras    the module that layers and losses derive from
    ops      `keras.ops`, or what of it they need, written for Keras 2
    LEGACY   whether it is Keras 2
    NAME     its name and version, for messages
    BACKEND  the array library below: tensorflow, jax or torch

tf_keras is taken where TensorFlow takes it, too: TF_USE_LEGACY_KERAS=1 is set
before Python starts. That it is imported already does not count, or the order
of imports would decide.
"""

import importlib
import importlib.util
import os


def _named():
    """The name of the Keras module that the process has settled for."""
    setting = os.environ.get("TF_USE_LEGACY_KERAS")  # TensorFlow's own
    if setting in ("1", "true", "True"):
        found = importlib.util.find_spec("tf_keras")
        return "tf_keras" if found else "keras"
    return "keras"


keras = importlib.import_module(_named())
LEGACY = keras.__version__.startswith("2.")
NAME = f"{keras.__name__} {keras.__version__}"
if LEGACY:
    from integral_tf import keras2 as ops
else:
    ops = keras.ops
BACKEND = "tensorflow" if LEGACY else keras.backend.backend()

__all__ = ["BACKEND", "LEGACY", "NAME", "check", "keras", "ops"]


def check(tensor):
    """Requires that a symbolic tensor is of this Keras.

    Raises:
        TypeError: it is one of the other Keras.
    """
    if type(tensor).__name__ != "KerasTensor":
        return
    theirs = type(tensor).__module__.partition(".")[0]
    if theirs != keras.__name__:
        raise TypeError(
            f"This layer is of {NAME}, the tensor is of another Keras; set "
            f"TF_USE_LEGACY_KERAS={0 if LEGACY else 1} before Python starts, "
            f"and both are of one. Received: a KerasTensor of {theirs}"
        )
