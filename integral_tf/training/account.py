"""The account of a run's steps: their losses, and what is not finite.

A step's losses stay on the device, which goes on; the host reads those of
several steps at once. ours: a checkpoint is saved only after every loss before
it was read, so that steps after a bad one are lost, and nothing else.
"""

from __future__ import annotations

import pathlib
from typing import Any
from typing import NoReturn

import keras
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import runs
from integral_tf import whole
from integral_tf.training import spoilt
from integral_tf.training.checkpoint import Checkpoints
from integral_tf.training.checkpoint import Progress
from integral_tf.training.feed import Feed

READ_EVERY = 10  # ours


class Account:
    """Counts steps, saves checkpoints that are due, and stops a spoilt run.

    Args:
        config: A `config.TrainConfig`.
        model: The pose model.
        feed: The run's `Feed`.
        progress: Its `Progress`: `step` counts the steps that were taken, and
            `sums` has the losses of those that were read.
        checkpoints: Its `Checkpoints`.

    Attributes:
        loss: The last loss that was read; None before the first.
    """

    def __init__(
        self,
        config: configs.TrainConfig,
        model: keras.Model,
        feed: Feed,
        progress: Progress,
        checkpoints: Checkpoints,
    ) -> None:
        self.config, self.model, self.feed = config, model, feed
        self.progress, self.checkpoints = progress, checkpoints
        self.loss: float | None = None
        self._unread: list[tuple[dict[str, tf.Tensor], tf.Tensor]] = []

    def add(self, costs: dict[str, tf.Tensor], gradients: tf.Tensor) -> None:
        """Adds a step; reads losses, or saves a checkpoint, if that is due.

        Args:
            costs, gradients: What `step.Step.of_phase`'s function returns.

        Raises:
            FloatingPointError: as in `read`.
        """
        progress = self.progress
        self._unread.append((costs, gradients))
        progress.step += 1
        due = progress.step % self.config.checkpoint_steps == 0
        if due and progress.step < self.feed.steps:
            self.save()
        elif len(self._unread) == READ_EVERY:
            self.read()

    def read(self) -> None:
        """Waits for the steps that were taken, and reads their losses.

        Raises:
            FloatingPointError: a loss or a gradient is not finite.
        """
        unread, self._unread = self._unread, []
        first = self.progress.step - len(unread)
        for before, (costs, gradients) in enumerate(unread, first):
            self._count(before, costs, gradients)

    def save(self) -> None:
        """Saves a checkpoint, after `read`."""
        self.read()
        runs.check_there(self.config)
        self.checkpoints.save()

    def stop(self, what: str, before: int | None = None) -> NoReturn:
        """Ends a run with spoilt weights; unproven checkpoints are deleted.

        Args:
            what: What is not finite.
            before: Steps of the epoch before the bad one; None at the end.
        """
        epoch = self.progress.state.epoch
        where = f"at the end, epoch {epoch}"
        if before is not None:
            self.progress.step = before
            where = f"at epoch {epoch + 1}, step {before + 1}, of "
            where += spoilt.people(self.feed.names(self.progress))
        last = self.checkpoints.reject()
        then = "No checkpoint is before it: the run will begin anew"
        if last:
            then = f"The last good checkpoint is {last}"
        sentence = f"{what} {where}; lower --learning_rate. {then}"
        path = pathlib.Path(self.config.workdir) / runs.STOPPED
        with whole.file(path) as partial:
            partial.write_text(sentence + "\n")
        raise FloatingPointError(sentence)

    def _count(self, before: int, costs: Any, gradients: Any) -> None:
        costs = {name: float(cost) for name, cost in costs.items()}
        if what := spoilt.loss(costs):
            self.stop(what, before)
        runs.check_there(self.config)
        # These losses are finite with weights from after the last checkpoint.
        self.checkpoints.prove()
        variables = self.model.trainable_variables
        if what := spoilt.gradient(gradients.numpy(), variables):
            self.stop(what, before)
        self.loss = costs["loss"]
        sums = self.progress.sums
        for name, cost in costs.items():
            sums[name] = sums.get(name, 0.0) + cost
