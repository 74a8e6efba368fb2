"""The people of a training, epoch by epoch, from records that are checked.

The records are opened anew for each epoch: they may have been built again, or
damaged, since the last one. ours: a damaged shard stops a run, unless the user
says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from integral_tf.training import preflight
from integral_tf.training.checkpoint import Progress


class Damaged(ValueError):
    """A shard was damaged, or went missing, while an epoch was read."""


class Feed:
    """Gives the batches of an epoch.

    Args:
        config: A `config.TrainConfig`.
        records: The `Records`, from `preflight.check`.
        strategy: The `tf.distribute.Strategy`.

    Attributes:
        records: The `Records` as they were opened last.
        batch_size: People in a step at most, over all devices.
        steps: Steps of an epoch.
    """

    def __init__(
        self,
        config: configs.TrainConfig,
        records: Records,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.config, self.strategy = config, strategy
        self.batch_size = preflight.batch_size(config, records)
        self._take(records)

    def rest(self, progress: Progress) -> Iterator[Any]:
        """The distributed batches of the present epoch that are to come.

        With `skip_damaged` an epoch in which a shard is damaged goes on without
        the shard, from the step that is reached: its other people are then in
        another order.

        Args:
            progress: The run's `checkpoint.Progress`.

        Raises:
            Damaged: a shard was damaged while it was read.
            ValueError: the records are damaged, or not this run's.
            FileNotFoundError: the records, or a shard, are missing.
        """
        while True:
            self._open()
            people = self.strategy.distribute_datasets_from_function(
                lambda context: self._of_worker(context, progress)
            )
            try:
                with self.records.reading("train"):
                    yield from people
                return
            except (ValueError, FileNotFoundError) as error:
                if not self.config.skip_damaged:
                    raise Damaged(str(error)) from None

    def names(self, progress: Progress) -> np.ndarray:
        """The source_ids `(B,)` of the step that `progress` is at.

        They are not sent to the device, so they are read again.
        """
        people = next(iter(self._people(progress)))
        return people["source_id"].numpy()

    def _open(self):
        self._take(preflight.open_records(self.config, self.records.left_out))

    def _take(self, records):
        """Requires that every device has somebody in every step."""
        self.records, people = records, records.people("train")
        devices = self.strategy.num_replicas_in_sync
        smallest = 0
        if people:
            bounds = batches.division(people, self.batch_size, devices)
            self.steps, smallest = len(bounds), np.diff(bounds).min()
        if not smallest:
            raise ValueError(
                "Every device has somebody in every step: build the records "
                "with more people, or give --batch_size or --devices another "
                f"number. Received: {people} people, {devices} device(s), "
                f"--batch_size={self.config.batch_size}"
            )
        if self.config.accumulate > smallest:
            raise ValueError(
                "Each micro-batch of --accumulate has somebody of every "
                f"device. Received: --accumulate={self.config.accumulate}, and "
                f"{smallest} people of a device in the smallest step"
            )

    def _of_worker(self, context, progress):
        """The parts of the batches that are for this worker's devices."""
        devices = context.num_replicas_in_sync
        count = devices // context.num_input_pipelines
        first = context.input_pipeline_id * count
        people = self._people(
            progress, parts=devices, own=range(first, first + count)
        )
        return people.map(batches.for_device)

    def _people(self, progress, **division):
        return batches.train_batches(
            self.records,
            self.batch_size,
            self.config.seed,
            progress.state.epoch,
            progress.step,
            self.config.balance,
            **division,
        )
