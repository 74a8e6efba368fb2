"""Adam, with frozen stages, a learning rate of the backbone's own, and more."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

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
    adam = Adam(
        config.learning_rate,
        slowed,
        config.backbone_rate,
        # Biases and normalisation have one axis.
        [each for each in model.trainable_variables if len(each.shape) > 1],
        config.weight_decay,
        config.warmup_steps,
    )
    if config.mixed_precision == "mixed_float16":
        # Small gradients would vanish in float16.
        adam = keras.optimizers.LossScaleOptimizer(adam)
    # Built before a checkpoint is restored, or its moments would be lost.
    adam.build(model.trainable_variables)
    return adam


class Adam(keras.optimizers.Adam):
    """Adam with another learning rate, or weight decay, for some variables.

    Each variable is updated by one operation of TensorFlow. Keras's own Adam
    has 40 for each, which take longer to trace, and read and write the moments
    several times. Keras's own `weight_decay` would not know the learning rates
    of `slowed`, and Keras's schedules of a learning rate do not let it be set.

    Args:
        learning_rate: The learning rate.
        slowed: List of variables with another learning rate.
        factor: Factor on the learning rate of these variables.
        decayed: List of variables that decay, as in AdamW.
        decay: Share of these variables that a step with a learning rate of 1
            would take away.
        warmup_steps: Steps in which the learning rate rises evenly from 0.
    """

    def __init__(
        self,
        learning_rate: float,
        slowed: Sequence[keras.Variable] = (),
        factor: float = 1.0,
        decayed: Sequence[keras.Variable] = (),
        decay: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(learning_rate)
        self._slowed = {self._var_key(each) for each in slowed}
        self._factor = factor
        self._decayed = {self._var_key(each) for each in decayed if decay}
        self._decay = decay
        self._warmup_steps = warmup_steps

    def apply(
        self,
        grads: Sequence[Any],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        """Takes a step; the numbers that all variables share are found once."""
        number = tf.cast(self.iterations, tf.float32) + 1
        self._share = tf.constant(1.0)
        if self._warmup_steps:
            self._share = tf.minimum(number / self._warmup_steps, 1.0)
        # Both moments begin with 0.
        self._unbiased = tf.sqrt(1 - self.beta_2**number)
        self._unbiased /= 1 - self.beta_1**number
        # `_unbiased` corrects the learning rate; powers of 0 correct nothing.
        self._adam = functools.partial(
            tf.raw_ops.ResourceApplyAdam,
            beta1_power=tf.constant(0.0),
            beta2_power=tf.constant(0.0),
            beta1=tf.constant(self.beta_1),
            beta2=tf.constant(self.beta_2),
            epsilon=tf.constant(self.epsilon),
        )
        super().apply(grads, trainable_variables)

    def update_step(
        self, gradient: Any, variable: tf.Variable, learning_rate: Any
    ) -> None:
        rate = tf.cast(learning_rate, tf.float32) * self._share
        if self._var_key(variable) in self._slowed:
            rate *= self._factor
        if self._var_key(variable) in self._decayed:
            self.assign_sub(variable, variable * (rate * self._decay))
        place = self._get_variable_index(variable)
        self._adam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            lr=rate * self._unbiased,
            grad=tf.convert_to_tensor(gradient),
        )
