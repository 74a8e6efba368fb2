"""An exponential moving average of a network's weights: `--ema`.

Keras's optimizers average trainable weights alone. Here batch normalisation's
moving averages are averaged, too, since they belong to the weights of their
time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from integral_tf import layers


class Average:
    """The average of a network's weights over its steps.

    Args:
        model: The pose model.
        optimizer: Its optimizer, which counts the steps.
        momentum: Share of the average that stays in a step. ours: at step n
            from 1 at most (n - 1) / (n + 8), so that the first step's weights
            are taken whole, and random ones of the start are soon forgotten.

    Attributes:
        variables: The averages, in the order of `layers.network_weights`.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        momentum: float,
    ) -> None:
        self._optimizer, self._momentum = optimizer, momentum
        self._weights = layers.network_weights(model)
        self.variables = [
            tf.Variable(weight.numpy(), trainable=False)
            for weight in self._weights
        ]

    def begin(self) -> None:
        """Takes the weights of the network for the average."""
        for average, weight in zip(self.variables, self._weights, strict=True):
            average.assign(weight.numpy())

    def update(self, strategy: tf.distribute.Strategy) -> None:
        """Adds the weights after a step; call it outside of the replicas.

        Args:
            strategy: The `tf.distribute.Strategy` of the weights.
        """
        number = tf.cast(self._optimizer.iterations.value, tf.float32)
        stays = tf.clip_by_value(
            (number - 1) / (number + 8), 0.0, self._momentum
        )

        def add(average, weight):
            average.assign(stays * average + (1 - stays) * weight)

        for average, weight in zip(self.variables, self._weights, strict=True):
            strategy.extended.update(average, add, args=(weight.value,))

    def _exchange(self):
        for average, weight in zip(self.variables, self._weights, strict=True):
            trained = weight.numpy()
            weight.assign(average.numpy())
            average.assign(trained)


@contextlib.contextmanager
def applied(average: Average | None) -> Iterator[None]:
    """A context in which the network has its average weights.

    Args:
        average: The network's `Average`; None leaves its weights.
    """
    if average is None:
        yield
        return
    average._exchange()
    try:
        yield
    finally:
        average._exchange()
