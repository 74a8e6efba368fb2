"""One step of a training: augmentation, losses, gradients, update."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.training import spoilt
from integral_tf.training.objectives import Objective


class Step:
    """Takes steps on one device or many.

    Args:
        config: A `config.TrainConfig`.
        strategy: The `tf.distribute.Strategy`, in whose scope this is made.
        model: The pose model.
        optimizer: Its optimizer.
        skeleton: The `skeletons.Skeleton` of the records.
    """

    def __init__(
        self,
        config: configs.TrainConfig,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        skeleton: skeletons.Skeleton,
    ) -> None:
        self.config, self.strategy = config, strategy
        self.model, self.optimizer = model, optimizer
        self.crop = layers.PersonCrop(
            *config.size,
            skeleton.mirrored_order,
            rotation=config.rotation,
            scale=config.scale,
            flip=config.flip,
            seed=config.seed,
        )
        self.shade = layers.Photometric(config.photometric)
        # Always compiled: on a CPU that makes the warp 6 times faster.
        self.augment = tf.function(self._augmented, jit_compile=True)

    def of_phase(self, objectives: dict[str, Objective]) -> Any:
        """The compiled step with the losses of a phase.

        Args:
            objectives: From `objectives.objectives`.

        Returns:
            A function from a distributed batch to a dict of losses, of which
            `loss` is the weighted sum; and the `spoilt.sizes` of the gradients.
        """

        def step(batch):
            costs, sizes = self.strategy.run(
                self._replica, args=(batch, objectives)
            )
            total = tf.distribute.ReduceOp.SUM
            sizes = self.strategy.reduce(total, sizes, None)
            return {
                name: self.strategy.reduce(total, cost, None)
                for name, cost in costs.items()
            }, sizes

        return tf.function(
            step, autograph=False, jit_compile=self.config.jit_compile or None
        )

    def _augmented(self, people):
        crops = self.crop(people, training=True)
        if self.config.photometric:
            crops["images"] = self.shade(crops["images"], people["shades"])
        return crops

    def _replica(self, people, objectives):
        crops = self.augment(people)
        with tf.GradientTape() as tape:
            outputs = self.model(crops["images"], training=True)
            costs = self._costs(objectives, people, crops, outputs)
            # Summed over replicas, gradients are the global batch's.
            scaled = self.optimizer.scale_loss(costs["loss"])
        variables = self.model.trainable_variables
        gradients = tape.gradient(scaled, variables)
        sizes = spoilt.sizes(gradients, self.optimizer)
        self.optimizer.apply(gradients, variables)
        return costs, sizes

    def _costs(self, objectives, people, crops, outputs):
        """This replica's part of each loss and of their weighted sum."""
        costs, total = {}, 0.0
        for name, objective in objectives.items():
            each = objective.costs(people, crops, outputs)
            costs[name] = tf.reduce_sum(each * people["share"])
            total = total + objective.weight * costs[name]
        return {"loss": total, **costs}
