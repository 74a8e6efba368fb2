"""Session-wide test setup."""

import importlib.util

# Two logical CPUs, so MirroredStrategy really mirrors on a machine with no GPU.
# In tests/worlds there may be no TensorFlow.
if importlib.util.find_spec("tensorflow"):
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
