"""The paper's functions, stateless, on `keras.ops`."""

# First: it imports modules that need the ones here whole.
from integral_tf import keras_version  # noqa: F401
