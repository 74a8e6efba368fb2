"""Layers with numbers that are calibrated: floats outside, weights inside.

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
        check: Of a value; returns it as a plain number, or raises.
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

    Each is an attribute that is read and set as a float. Under it is a weight,
    so that files of weights, checkpoints and `set_weights` have it, a function
    that was traced before follows it, and no optimizer touches it. What the
    constructor was given, `_slope` of a `slope`, is for the config, so that a
    clone starts anew.

    A subclass names its numbers and ends its constructor with `start`. It has
    no `build`: torch.compile takes no new weights where it traces.
    """

    NUMBERS: tuple[str, ...] = ()

    def start(self) -> None:
        """Says that nothing is left to build, unless a subclass has more."""
        if type(self).build is keras.layers.Layer.build:
            self.build(None)

    def number(self, name: str) -> float | Tensor:
        """The number as what computes needs it."""
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
        """Sets it; the first time, in the constructor, makes its weight."""
        weight = getattr(self, f"_{name}_weight", None)
        if weight is not None:
            weight.assign(value)
            return
        setattr(self, f"_{name}", value)
        try:
            # Not `beta`, by which people find those of batch normalisation.
            weight = self.add_number(f"calibrated_{name}", value, False)
        except ValueError as error:
            # A layer that is made anew in each trace has a constant: there
            # TensorFlow takes no new variable.
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
        # Files of before have no such weights: the config's numbers stay.
        if len(store.keys()):
            for name in self.NUMBERS:
                self.number(name).assign(np.asarray(store[name]))


def calibrated_weights(model: keras.Model) -> list[keras.Variable]:
    """The weights of a model that hold calibrated numbers, as a list."""
    return [
        layer.number(name)
        for layer in model._flatten_layers()
        if isinstance(layer, Calibrated)
        for name in layer.NUMBERS
    ]


def network_weights(model: keras.Model) -> list[keras.Variable]:
    """All other weights of a model, in their order, as a list."""
    numbers = {id(weight) for weight in calibrated_weights(model)}
    return [weight for weight in model.weights if id(weight) not in numbers]
