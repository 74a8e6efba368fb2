"""The workers of a run, which take every step together.

Every worker runs the whole training on its share of each batch. The first, the
chief, writes the run's folder. The others do the same in a temporary folder of
their own, which begins as a copy of the run's: so all resume from the chief's
checkpoint. A figure that decides how the run goes on is the chief's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import runs
from integral_tf.records.folder import Records
from integral_tf.training import checkpoint
from integral_tf.training import interrupts
from integral_tf.training import strategy as strategies

# What a collective operation fails with where a worker is gone.
_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
# What a worker needs of a run to resume it.
_COPIED = (runs.FLAGS, runs.RECORDS, runs.SKELETON, runs.STOPPED, runs.MODEL)


class Ended(ConnectionError):
    """Another worker has ended, so that no further step can be taken."""


class Workers:
    """The workers of a run, seen from one of them.

    Args:
        place: This worker's `strategy.Place`.
        strategy: The run's `tf.distribute.Strategy`.
    """

    def __init__(
        self, place: strategies.Place, strategy: tf.distribute.Strategy
    ) -> None:
        self.place, self.strategy = place, strategy

    @property
    def chief(self) -> bool:
        """Whether this worker writes the run's folder."""
        return self.place.index == 0

    def of_chief(self, value: float) -> float:
        """The chief's value, on every worker. All workers call it together."""
        return float(self._sum([float(value) if self.chief else 0.0])[0])

    def meet(self) -> None:
        """Waits until every worker has come here."""
        self.of_chief(0)

    def check(self, listener: interrupts.Listener) -> None:
        """Raises `interrupts.Interrupted` if a signal came to any worker."""
        if self.place.count > 1:
            came = self._sum(np.arange(65) == listener.number)[1:]
            if came.any():
                listener.number = int(np.argmax(came)) + 1
        listener.check()

    def check_records(self, records: Records) -> None:
        """Requires that this worker has the chief's records.

        Raises:
            ValueError: it has others.
        """
        self._same(
            "Every worker reads the same records, and this one has others than "
            "the first.",
            int(records.digest[:12], 16),
        )

    def check_place(self, progress: checkpoint.Progress) -> None:
        """Requires that this worker has resumed where the chief has.

        Raises:
            ValueError: it has not.
        """
        self._same(
            "--workdir is to be one folder that all workers share, and this "
            "worker finds another checkpoint in it than the first.",
            progress.state.epoch + progress.step / 2**20,
        )

    def _same(self, sentence, number):
        if self.of_chief(number) != number:
            raise ValueError(
                f"{sentence} Received: worker {self.place.index + 1} of "
                f"{self.place.count}"
            )

    def _sum(self, values):
        """The sum over workers of a vector of numbers."""
        mine = np.asarray(values, np.float64)
        if self.place.count == 1:
            return mine

        def value(context):
            # A worker speaks on the first of its devices only.
            devices = self.strategy.num_replicas_in_sync // self.place.count
            first = context.replica_id_in_sync_group % devices == 0
            return tf.constant(mine if first else 0 * mine)

        values = self.strategy.experimental_distribute_values_from_function(
            value
        )
        total = tf.distribute.ReduceOp.SUM
        return self.strategy.reduce(total, values, None).numpy()


@contextlib.contextmanager
def joined(
    config: configs.TrainConfig,
) -> Iterator[tuple[Workers, configs.TrainConfig]]:
    """A context in which this process is one of the run's workers.

    Args:
        config: A `config.TrainConfig`.

    Yields:
        The `Workers`, and the settings with the folder that this worker writes.

    Raises:
        Ended: another worker has ended.
        ValueError: `TF_CONFIG` cannot be used, or a flag does not fit it.
    """
    place = strategies.place()
    if place.count > 1 and config.skip_damaged:
        raise ValueError(
            "Workers read the same people, and with --skip_damaged each might "
            f"leave out others. Received: {place.count} workers"
        )
    crew = Workers(place, strategies.create(config.devices, place.count))
    if place.count == 1:
        yield crew, config
        return
    try:
        if crew.chief:
            crew.meet()
            yield crew, config
            crew.meet()
        else:
            print(
                f"worker {place.index + 1} of {place.count}: the first worker "
                "writes the run and tells of it"
            )
            with _silent(), tempfile.TemporaryDirectory() as folder:
                _copy(config.workdir, folder)
                crew.meet()
                yield crew, _of_follower(config, folder)
                crew.meet()
    except interrupts.Interrupted as asked:
        crew.meet()  # The chief has saved.
        if crew.chief:
            raise
        raise interrupts.Interrupted(
            "the first worker has saved the place", asked.number
        ) from None
    except FloatingPointError as error:
        if crew.chief:
            raise
        # The rest is of this worker's own folder.
        what = str(error).partition(";")[0]
        raise FloatingPointError(f"{what}; the first worker tells more") from (
            None
        )
    except _GONE as error:
        raise Ended(
            "Another worker has ended, or cannot be reached, so this one ends, "
            "too; the same command on all of them goes on from the last "
            f"checkpoint. Received: {str(error).splitlines()[0][:200]}"
        ) from None


def _of_follower(config, folder):
    """The settings of a worker that is not the chief."""
    return dataclasses.replace(
        config,
        workdir=folder,
        tensorboard=False,
        keep_checkpoints=1,
        checkpoint_steps=2**31 - 1,
    )


def _copy(workdir, folder):
    """Copies of a run what a worker needs to resume it."""
    source, out = pathlib.Path(workdir), pathlib.Path(folder)
    for name in _COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, out / name)
    for path in runs.checkpoints(source):
        (out / runs.CHECKPOINTS).mkdir(exist_ok=True)
        for file in pathlib.Path(path).parent.glob(
            f"{os.path.basename(path)}.*"
        ):
            shutil.copyfile(file, out / runs.CHECKPOINTS / file.name)


@contextlib.contextmanager
def _silent():
    """A context that prints nothing."""
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
