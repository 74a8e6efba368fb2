"""The paper's functions, stateless, on `keras.ops`."""

# First, because `generation` imports modules that import the modules here.
from integral_tf import generation  # noqa: F401
