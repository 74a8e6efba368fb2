"""Adam, with another rate for some of the weights."""

import keras


class Adam(keras.optimizers.Adam):
    """Adam whose rate is multiplied by a factor for the weights named.

    Args:
        learning_rate: The rate of all other weights.
        slowed: Variables.
        factor: What their rate is multiplied by.
    """

    def __init__(self, learning_rate, slowed=(), factor=1.0):
        super().__init__(learning_rate)
        self._slowed = {self._var_key(each) for each in slowed}
        self._factor = factor

    def update_step(self, gradient, variable, learning_rate):
        if self._var_key(variable) in self._slowed:
            learning_rate = learning_rate * self._factor
        super().update_step(gradient, variable, learning_rate)
