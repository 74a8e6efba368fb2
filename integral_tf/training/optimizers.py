"""What of a network is trained, and at which rate."""

import keras

from integral_tf import models


def optimizer(config, model):
    """Adam for a `pose_model`, whose first stages it freezes as they shall be.

    Args:
        config: A `config.TrainConfig`.
        model: The network of it.

    Returns:
        An optimizer that is built on the model's trainable weights.

    Raises:
        ValueError: a network of several stages of Figure 1 cannot have some of
            its backbone's frozen, or a rate of the backbone's own.
    """
    models.freeze(model, config.frozen_stages)
    slowed = []
    if config.backbone_rate != 1:
        slowed = models.body(model).trainable_variables
    adam = Adam(config.learning_rate, slowed, config.backbone_rate)
    if config.mixed_precision == "mixed_float16":
        # Small gradients would vanish in float16.
        adam = keras.optimizers.LossScaleOptimizer(adam)
    # Built before it is restored, or its moments would be lost.
    adam.build(model.trainable_variables)
    return adam


class Adam(keras.optimizers.Adam):
    """Adam whose rate is multiplied by a factor for some of the weights.

    Args:
        learning_rate: The rate of all others.
        slowed: List of variables.
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
