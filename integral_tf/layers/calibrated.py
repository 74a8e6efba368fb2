"""Layers with calibrated numbers: floats for callers, weights for Keras.

ours: the paper calibrates nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from integral_tf import keras_version
from integral_tf.keras_version import keras
from integral_tf.layers import float32
from integral_tf.signatures import Tensor


class Number:
    """An attribute of a `Calibrated` layer, checked when it is set.

    Args:
        check: Function that returns a value as a plain number, or raises.
    """

    def __init__(self, check: Callable[[float], float]) -> None:
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else layer.read_number(self._name)

    def __set__(self, layer: Calibrated, value: float) -> None:
        layer.set_number(self._name, self._check(value))


class Calibrated(float32.Float32, keras.layers.Layer):
    """Base of layers with numbers that are set after training, not trained.

    Each number is an attribute that callers read and set as a float. A
    non-trainable weight holds its value. Files of weights, checkpoints and
    `set_weights` therefore include it, and functions that are already traced
    use its new value. The config holds the constructor's argument, e.g.
    `_slope`, so that a clone starts from that.

    A subclass lists its numbers in `NUMBERS` and ends its constructor with
    `start`. It makes no weights in `build`, because torch.compile allows no new
    weights during a trace.
    """

    NUMBERS: tuple[str, ...] = ()

    def start(self) -> None:
        """Marks the layer as built, unless the subclass has a `build`."""
        if type(self).build is keras.layers.Layer.build:
            self.build(None)

    def number(self, name: str) -> float | Tensor:
        """The number for `call`: its weight, or a float if it has none."""
        weight = getattr(self, f"_{name}_weight", None)
        return getattr(self, f"_{name}") if weight is None else weight

    def read_number(self, name: str) -> float:
        """The number as a float."""
        number = self.number(name)
        if isinstance(number, (int, float)):
            return number
        with keras_version.eagerly():
            number = number.numpy()
        # The shortest decimal of the float32: 2.51, not 2.5099999904632568.
        return float(str(np.float32(number)))

    def set_number(self, name: str, value: float) -> None:
        """Sets a number. The first call, in the constructor, adds its weight.

        Raises:
            ValueError: Keras refuses the weight.
        """
        weight = getattr(self, f"_{name}_weight", None)
        if weight is not None:
            weight.assign(value)
            return
        setattr(self, f"_{name}", value)
        try:
            # Not `beta`, the name of a weight of batch normalisation.
            weight = self.add_number(f"calibrated_{name}", value, False)
        except ValueError as error:
            # A layer constructed inside a tf.function has a constant instead:
            # TensorFlow allows no new variable there.
            if "tf.function" not in str(error):
                raise
        setattr(self, f"_{name}_weight", weight)

    def add_number(
        self, name: str, value: float, trainable: bool
    ) -> keras.Variable:
        """A scalar weight, float32 under any policy."""
        return self.add_weight(
            name=name,
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(value),
            trainable=trainable,
            **keras_version.NOT_CAST,
        )

    def save_own_variables(self, store: Any) -> None:
        for name in self.NUMBERS:
            store[name] = np.float32(self.read_number(name))

    def load_own_variables(self, store: Any) -> None:
        # Older files have no such weights: the config's numbers stay.
        if len(store.keys()):
            for name in self.NUMBERS:
                self.number(name).assign(np.asarray(store[name]))


def calibrated_weights(model: keras.Model) -> list[keras.Variable]:
    """Lists the weights of a model that hold calibrated numbers."""
    return [
        layer.number(name)
        for layer in model._flatten_layers()
        if isinstance(layer, Calibrated)
        for name in layer.NUMBERS
    ]


def network_weights(model: keras.Model) -> list[keras.Variable]:
    """Lists all other weights of a model, in their order."""
    numbers = {id(weight) for weight in calibrated_weights(model)}
    return [weight for weight in model.weights if id(weight) not in numbers]
