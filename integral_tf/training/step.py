"""One step of a training: augmentation, losses, gradients, update.

With `--accumulate` the gradients of several micro-batches are summed. They are
separate calls: in a single graph TensorFlow would compute several at once, with
the memory of all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import halves
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.training import averages
from integral_tf.training import spoilt
from integral_tf.training.objectives import Objective


@contextlib.contextmanager
def as_traced() -> Iterator[None]:
    """Leaves graphs as they are traced, where a run has no GPU.

    ours: TensorFlow's optimizer of graphs takes four seconds for the step of
    ResNet-50 on two CPU cores, and the step is no faster (docs/performance.md).
    On GPUs it chooses the layout of convolutions.
    """
    if tf.config.list_logical_devices("GPU"):
        yield
        return
    name = "disable_meta_optimizer"
    before = tf.config.optimizer.get_experimental_options().get(name, False)
    tf.config.optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})


def _of_any_size(batch):
    """The signature of any number of people, where one device has them all."""
    if not isinstance(batch, dict):  # gradients
        return None
    if not all(map(tf.is_tensor, batch.values())):
        return None
    return [
        {
            name: tf.TensorSpec([None, *values.shape[1:]], values.dtype, name)
            for name, values in batch.items()
        }
    ]


class Step:
    """Takes steps on one device or many.

    Args:
        config: A `config.TrainConfig`.
        strategy: The `tf.distribute.Strategy`, in whose scope this is made.
        model: The pose model.
        optimizer: Its optimizer.
        average: The `averages.Average` of its weights, or None.
        skeleton: The `skeletons.Skeleton` of the records.
    """

    def __init__(
        self,
        config: configs.TrainConfig,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        average: averages.Average | None = None,
        *,
        skeleton: skeletons.Skeleton,
    ) -> None:
        self.config, self.strategy = config, strategy
        self.model, self.optimizer = model, optimizer
        self.average = average
        self.crop = layers.PersonCrop(
            *config.size,
            skeleton.mirrored_order,
            rotation=config.rotation,
            scale=config.scale,
            flip=config.flip,
            half_body=config.half_body,
            upper_body=halves.upper(skeleton) if config.half_body else (),
            seed=config.seed,
        )
        self.shade = layers.Photometric(config.photometric)
        # Always compiled: on a CPU that makes the warp 6 times faster.
        self.augment = tf.function(
            self._augmented, autograph=False, jit_compile=True
        )

    def of_phase(self, objectives: dict[str, Objective]) -> Any:
        """The compiled step with the losses of a phase.

        Args:
            objectives: From `objectives.objectives`.

        Returns:
            A function from a distributed batch to a dict of losses, of which
            `loss` is the weighted sum; and the `spoilt.sizes` of the gradients.
        """

        if self.config.accumulate > 1:
            return self._accumulating(objectives)

        def step(batch):
            costs, gradients = self._summed(batch, objectives)
            return costs, self._updated(gradients)

        return self._compiled(step)

    def _accumulating(self, objectives):
        """The step of several micro-batches, one after another."""
        micro = self._compiled(lambda part: self._summed(part, objectives))
        update = self._compiled(self._updated)
        divide = tf.function(self._parts, autograph=False)
        add = tf.function(self._added, autograph=False)

        def step(batch):
            sums = None
            for part in divide(batch):
                each = micro(part)
                sums = each if sums is None else add(sums, each)
            costs, gradients = sums
            return costs, update(gradients)

        return step

    def _compiled(self, function):
        """A function that is traced once, though steps have two sizes."""
        graphs = []

        def call(batch):
            if not graphs:
                graph = tf.function(
                    function,
                    input_signature=_of_any_size(batch),
                    autograph=False,
                    jit_compile=self.config.jit_compile or None,
                )
                graphs.append(graph)
            return graphs[0](batch)

        return call

    def _parts(self, batch):
        """Divides a distributed batch into `accumulate` parts."""
        count = self.config.accumulate

        def part(people, number):
            size = people["boxes"].shape[0]
            own = slice(size * number // count, size * (number + 1) // count)
            return {name: values[own] for name, values in people.items()}

        return [
            self.strategy.run(part, (batch, number)) for number in range(count)
        ]

    def _added(self, sums, parts):
        """Adds a part's losses, and each replica's gradients, to the sums."""
        costs = {name: cost + parts[0][name] for name, cost in sums[0].items()}

        def add(left, right):
            return [a + b for a, b in zip(left, right, strict=True)]

        return costs, self.strategy.run(add, (sums[1], parts[1]))

    def _summed(self, batch, objectives):
        """Losses over all replicas, and each replica's gradients."""
        costs, gradients = self.strategy.run(
            self._gradients, args=(batch, objectives)
        )
        total = tf.distribute.ReduceOp.SUM
        costs = {
            name: self.strategy.reduce(total, cost, None)
            for name, cost in costs.items()
        }
        return costs, gradients

    def _updated(self, gradients):
        """Takes the step; returns the `spoilt.sizes` of the gradients."""
        sizes = self.strategy.run(self._apply, args=(gradients,))
        if self.average:
            self.average.update(self.strategy)
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, sizes, None)

    def _augmented(self, people):
        crops = self.crop(people, training=True)
        if self.config.photometric:
            crops["images"] = self.shade(crops["images"], people["shades"])
        return crops

    def _gradients(self, people, objectives):
        crops = self.augment(people)
        with tf.GradientTape() as tape:
            outputs = self.model(crops["images"], training=True)
            costs = self._costs(objectives, people, crops, outputs)
            # Summed over replicas, gradients are the global batch's.
            scaled = self.optimizer.scale_loss(costs["loss"])
        return costs, tape.gradient(scaled, self.model.trainable_variables)

    def _apply(self, gradients):
        # Those of another call have no device, and could not be reduced.
        gradients = [
            each if each is None else tf.identity(each) for each in gradients
        ]
        sizes = spoilt.sizes(gradients, self.optimizer)
        if self.config.clip_norm:
            gradients = self._clipped(gradients)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return sizes

    def _clipped(self, gradients):
        """Clips the global batch's gradients; returns this replica's share."""
        # Keras's `global_clipnorm` clips each replica's before their sum.
        replica = tf.distribute.get_replica_context()
        known = [each for each in gradients if each is not None]
        known = replica.all_reduce(tf.distribute.ReduceOp.SUM, known)
        most = self.optimizer.scale_loss(self.config.clip_norm)
        known, _ = tf.clip_by_global_norm(known, most)
        share = iter(each / replica.num_replicas_in_sync for each in known)
        return [None if each is None else next(share) for each in gradients]

    def _costs(self, objectives, people, crops, outputs):
        """This replica's part of each loss and of their weighted sum."""
        costs, total = {}, 0.0
        for name, objective in objectives.items():
            each = objective.costs(people, crops, outputs)
            costs[name] = tf.reduce_sum(each * people["share"])
            total = total + objective.weight * costs[name]
        return {"loss": total, **costs}
