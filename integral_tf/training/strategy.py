"""Which devices a run computes on."""

import tensorflow as tf


def mirrored():
    """`MirroredStrategy` over every visible GPU, else over the CPU.

    Create it before any other TensorFlow operation.
    """
    gpus = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy(
        [gpu.name for gpu in gpus] or ["CPU:0"]
    )
