"""Adam, with frozen stages and a learning rate of the backbone's own."""

from collections.abc import Sequence
from typing import Any

import keras

from integral_tf import config as configs
from integral_tf import models


def optimizer(
    config: configs.TrainConfig, model: keras.Model
) -> keras.optimizers.Optimizer:
    """Freezes a model's first stages, and makes the optimizer of the rest.

    Args:
        config: A `config.TrainConfig`.
        model: The run's `pose_model`; its first `frozen_stages` are frozen.

    Returns:
        An optimizer, built on the model's trainable weights.

    Raises:
        ValueError: `frozen_stages` or `backbone_rate` is set for a network
            with several stages of Figure 1.
    """
    models.freeze(model, config.frozen_stages)
    slowed = []
    if config.backbone_rate != 1:
        slowed = models.body(model).trainable_variables
    adam = Adam(config.learning_rate, slowed, config.backbone_rate)
    if config.mixed_precision == "mixed_float16":
        # Small gradients would vanish in float16.
        adam = keras.optimizers.LossScaleOptimizer(adam)
    # Built before a checkpoint is restored, or its moments would be lost.
    adam.build(model.trainable_variables)
    return adam


class Adam(keras.optimizers.Adam):
    """Adam with another learning rate for some of the variables.

    Args:
        learning_rate: The learning rate.
        slowed: List of variables with another learning rate.
        factor: Factor on the learning rate of these variables.
    """

    def __init__(
        self,
        learning_rate: float,
        slowed: Sequence[keras.Variable] = (),
        factor: float = 1.0,
    ) -> None:
        super().__init__(learning_rate)
        self._slowed = {self._var_key(each) for each in slowed}
        self._factor = factor

    def update_step(
        self, gradient: Any, variable: keras.Variable, learning_rate: Any
    ) -> None:
        if self._var_key(variable) in self._slowed:
            learning_rate = learning_rate * self._factor
        super().update_step(gradient, variable, learning_rate)
