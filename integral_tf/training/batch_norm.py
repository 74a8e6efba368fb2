"""Batch normalisation over the people of all devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


def synchronize(model: keras.Model) -> None:
    """Makes every batch normalisation of a model one over all devices."""
    for layer in _norms(model):
        layer.synchronized = True


@contextlib.contextmanager
def apart(model: keras.Model) -> Iterator[None]:
    """A context in which a model's layers name no other devices.

    Keras loads a synchronized layer in TensorFlow only.
    """
    together = [each for each in _norms(model) if each.synchronized]
    for layer in together:
        layer.synchronized = False
    try:
        yield
    finally:
        for layer in together:
            layer.synchronized = True


def _norms(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
