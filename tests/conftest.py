"""Session-wide test setup."""

import tensorflow as tf

# Two logical CPUs, so MirroredStrategy really mirrors on a machine with no GPU.
_CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    _CPU, [tf.config.LogicalDeviceConfiguration()] * 2
)
