"""Session-wide test setup."""

import concurrent.futures
import importlib.util
import os

# In tests/worlds there may be no TensorFlow.
if importlib.util.find_spec("tensorflow"):
    # Tests compile much and compute little: machine code that is made quickly
    # is worth more than code that runs quickly. What a test starts has it too.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

    import tensorflow as tf

    # Two logical CPUs, so MirroredStrategy really mirrors on a machine with no
    # GPU.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    # Nor are graphs rewritten before they run; those of the processes that some
    # tests start are.
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Each process has a core for itself.
        tf.config.threading.set_intra_op_parallelism_threads(1)

    if "WORLD" not in os.environ:
        from integral_tf.records import writing

        # Records are written by threads: processes take seconds to start.
        writing._processes = concurrent.futures.ThreadPoolExecutor
