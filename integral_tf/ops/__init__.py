"""The paper's functions, stateless, on `keras.ops`."""

# First, because `keras_version` imports modules that import the modules here.
from integral_tf import keras_version  # noqa: F401
