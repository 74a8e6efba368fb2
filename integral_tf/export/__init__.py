"""Exports trained models for servers and other runtimes, with checks."""

from integral_tf import former

__getattr__ = former.names(__name__)
