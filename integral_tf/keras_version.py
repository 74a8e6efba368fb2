"""The Keras of this process: Keras 3, or the Keras 2 of older worlds.

The package is written for Keras 3. Its layer and losses also work in tf_keras,
which TensorFlow Model Garden builds on, and in the Keras 2.15 that
tensorflow-addons needs; they import `keras` and `ops` from here.

    keras    the module whose classes layers and losses derive from
    ops      `keras.ops`, or the subset in `keras2` on Keras 2
    LEGACY   whether this is Keras 2
    NAME     name and version of this Keras, for messages
    BACKEND  Keras's array library: tensorflow, jax or torch
    NOT_CAST keyword that keeps a weight's dtype under a half-precision policy

tf_keras is chosen as TensorFlow chooses it: TF_USE_LEGACY_KERAS=1 was set
before Python started. An earlier import of tf_keras does not count: the order
of imports would decide then.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any
from typing import TYPE_CHECKING

from integral_tf import registration

if TYPE_CHECKING:
    import keras  # so that editors know the bases of layers and losses
else:
    keras = importlib.import_module(registration.keras_name())
LEGACY = keras.__version__.startswith("2.")
NAME = f"{keras.__name__} {keras.__version__}"
NOT_CAST = {"experimental_autocast" if LEGACY else "autocast": False}
if LEGACY:
    from integral_tf import keras2 as ops
else:
    ops = keras.ops
BACKEND = "tensorflow" if LEGACY else keras.backend.backend()

__all__ = [
    "BACKEND",
    "LEGACY",
    "NAME",
    "NOT_CAST",
    "check",
    "data_format",
    "eagerly",
    "keras",
    "ops",
]


def check(tensor: Any) -> None:
    """Requires that a symbolic tensor is of this Keras.

    Raises:
        TypeError: the tensor is of the other Keras.
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


def eagerly() -> contextlib.AbstractContextManager:
    """A context in which weights have values, even while TensorFlow traces."""
    if LEGACY or keras.backend.backend() == "tensorflow":
        return importlib.import_module("tensorflow").init_scope()
    return contextlib.nullcontext()


def data_format(data_format: str | None) -> str:
    """Returns a valid `data_format`; Keras's own setting for None.

    Raises:
        ValueError: neither None, `"channels_last"` nor `"channels_first"`.
    """
    if data_format is None:
        return keras.backend.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "`data_format` is 'channels_last' or 'channels_first', or None for "
            "what `keras.config.image_data_format()` says. "
            f"Received: data_format={data_format!r}"
        )
    return data_format


registration.register(LEGACY)
