"""The first line of a command: program, versions, device."""

import os
import platform
import sys

import integral_tf

SEPARATOR = " · "


def announce(name: str, uses: str) -> None:
    """Writes the line to stderr; its end follows when TensorFlow has started.

    Args:
        name: Name of the command.
        uses: "tensorflow", "python", or "" for no line.

    Raises:
        ImportError: TensorFlow cannot be imported.
    """
    if not uses:
        return
    out = sys.stderr
    out.write(f"integral-tf {integral_tf.__version__} {name}")
    out.flush()
    parts = [f"Python {platform.python_version()}", _cores()]
    try:
        if uses == "tensorflow":
            parts = _tensorflow()
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if backend != "tensorflow" and "tensorflow" not in str(error):
            raise ImportError(
                "Keras cannot start with the backend that the environment "
                "names: install it, or unset KERAS_BACKEND. "
                f"Received: KERAS_BACKEND={backend}, {error}"
            ) from error
        raise ImportError(
            "TensorFlow is needed here, and cannot be imported; `integral-tf "
            f"doctor` says more. Received: {error}"
        ) from error
    finally:
        out.write("".join(SEPARATOR + each for each in parts) + "\n")
        out.flush()


def _tensorflow():
    import keras
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in gpus
    ]
    device = f"{len(gpus)} x {names[0]}" if gpus else f"CPU, {_cores()}"
    return [f"TensorFlow {tf.__version__}, Keras {keras.__version__}", device]


def _cores():
    count = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )
    return f"{count} core" if count == 1 else f"{count} cores"
