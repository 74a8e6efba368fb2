"""Trained models to what servers and other runtimes load, checked first."""
