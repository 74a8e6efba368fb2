"""The devices that a run computes on."""

import json
import os

import tensorflow as tf


def check_alone() -> None:
    """Requires that `TF_CONFIG` names no cluster; a run uses one machine.

    Raises:
        ValueError: `TF_CONFIG` names several workers, or cannot be parsed.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return
    try:
        hosts = json.loads(text).get("cluster", {}).values()
        count = sum(map(len, hosts))
    except (ValueError, AttributeError, TypeError, RecursionError):
        count = None
    if count is None or count > 1:
        raise ValueError(
            "A run computes on one machine, on all of its GPUs, and TF_CONFIG "
            "announces others: unset it, or leave one worker in it. "
            f"Received: TF_CONFIG={text}"
        )


def mirrored() -> tf.distribute.Strategy:
    """`MirroredStrategy` over every visible GPU, else over the CPU.

    Create it before any other TensorFlow operation.
    """
    gpus = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy(
        [gpu.name for gpu in gpus] or ["CPU:0"]
    )
