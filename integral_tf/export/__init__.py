"""Trained models to what servers and other runtimes load, checked first."""

from integral_tf import former

__getattr__ = former.names(__name__)
