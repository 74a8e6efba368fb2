"""A run's checkpoints: writes, proves, finds and restores them.

ours: a checkpoint is proven once a loss with its weights is finite. A step with
a finite loss may still have spoilt the weights, which only the next loss shows.
Until a checkpoint is proven, the checkpoints before it stay.

TensorFlow's own list, the file `checkpoint`, is written for TensorFlow's tools.
It is not read here: if it were lost, a run would begin anew.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

import integral_tf
from integral_tf import former
from integral_tf import layers
from integral_tf import runs
from integral_tf import whole
from integral_tf.training import schedule

_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"
# Errors that do not mean that a file is damaged.
_OTHERS = (
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnavailableError,
)


class Progress:
    """A run's state besides weights and optimizer, saved in checkpoints.

    It is saved as one JSON text in one `tf.Variable`, so that it is in the same
    file as the weights.

    Attributes:
        state: The `schedule.State`.
        step: Steps done in the present epoch.
        sums: Dict from a loss's name to its sum over these steps.
        beta: Factor before the softmax, if it was calibrated; else None.
        best: Score of `best.keras`, as `kept_models.score` gives it; None
            before it is written.
        row: The last epoch's row of `log.csv`. The log is written after the
            checkpoint, so that a killed run may lack it.
        versions: Dict from a package to the version that saved the checkpoint
            that was restored; None for a new run, and for one of before 0.2.
    """

    def __init__(self, state: schedule.State) -> None:
        self.state = state
        self.step = 0
        self.sums = {}
        self.beta = None
        self.best = None
        self.row = None
        self.versions = None
        self.text = tf.Variable("", dtype=tf.string, trainable=False)

    def pack(self) -> None:
        fields = {
            "state": dataclasses.asdict(self.state),
            "step": self.step,
            "sums": self.sums,
            "beta": self.beta,
            "best": self.best,
            "row": self.row,
            "versions": _versions(),
        }
        self.text.assign(json.dumps(fields))

    def unpack(self) -> None:
        fields = json.loads(self.text.numpy().decode())
        self.state = schedule.State(**fields.pop("state"))
        for name, value in fields.items():
            setattr(self, name, value)

    def changed(self) -> str:
        """Says which versions are not the checkpoint's; empty if all are."""
        now, before = _versions(), self.versions or {}
        changes = ", ".join(
            f"{name} {version}, now {now[name]}"
            for name, version in before.items()
            if now.get(name, version) != version
        )
        if not changes:
            return ""
        return (
            f"the last checkpoint is of {changes}: the run goes on, and may "
            "differ a little from an uninterrupted one"
        )

    def place(self) -> str:
        """Says where the run resumes; empty for a new run."""
        if self.state.phase == "done":
            return f"finished after {self.state.epoch} epochs"
        if self.state.epoch or self.step:
            return f"resuming at epoch {self.state.epoch + 1}, step {self.step}"
        return ""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        workdir: Folder of the run.
        keep: How many proven checkpoints stay.
        model: The pose model.
        optimizer: Its optimizer, built.
        progress: The run's `Progress`.
        average: Average weights, as of `averages.Average`; empty for none.
    """

    def __init__(
        self,
        workdir: str | os.PathLike,
        keep: int,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        progress: Progress,
        average: Sequence[tf.Variable] = (),
    ) -> None:
        self.folder = pathlib.Path(workdir) / runs.CHECKPOINTS
        self.keep = keep
        self.progress = progress
        self.kept = runs.checkpoints(workdir)
        self.unproven = []
        self.restored = None
        self._clear()
        # Variables are listed one by one: `tf.train.Checkpoint(model)` misses
        # layers that a Keras layer keeps in a Python list. Calibrated numbers
        # are in `progress`, because older checkpoints lack their variables.
        self.saved = tf.train.Checkpoint(
            weights=[v.value for v in layers.network_weights(model)],
            optimizer=[variable.value for variable in optimizer.variables],
            progress=progress.text,
            **({"average": list(average)} if average else {}),
        )

    def restore(self) -> None:
        """Restores the newest undamaged checkpoint; renames damaged ones.

        Raises:
            ValueError: every checkpoint is damaged, or the newest is another
                network's.
        """
        damaged = []
        for path in reversed(self.kept):
            try:
                self.saved.restore(path).assert_consumed()
                break
            except (AssertionError, ValueError):
                raise ValueError(
                    "This checkpoint is of another network, or of another "
                    f"version of this package. Received: {path}"
                ) from None
            except (tf.errors.OpError, IndexError) as error:
                if isinstance(error, _OTHERS):
                    raise
                damaged.append(path)
        else:
            raise ValueError(
                "No checkpoint of this run is whole, so it cannot go on; name "
                "another --workdir, or delete this one. "
                f"Received: {', '.join(damaged)}"
            )
        for path in damaged:
            print(f"{path} is damaged; the checkpoint before it is taken")
            for file in _files(path):
                file.rename(file.with_name(f"damaged-{file.name}"))
            self.kept.remove(path)
        self.restored = path
        self.unproven = [path]
        self._list()
        self.progress.unpack()
        if changed := self.progress.changed():
            print(changed)

    def save(self) -> None:
        """Writes a checkpoint, not yet proven.

        Raises:
            whole.DiskFull: there is no space; those before it stay.
        """
        self.progress.pack()
        number = int(self.saved.save_counter) + 1
        try:
            with whole.naming(self.folder / f"ckpt-{number}"):
                path = self.saved.save(str(self.folder / "ckpt"))
        except whole.DiskFull:
            self._clear()
            raise
        if path not in self.kept:
            self.kept.append(path)
        self.unproven.append(path)
        self._list()

    def prove(self) -> None:
        """Marks the checkpoints as proven, and deletes old ones.

        Call it when a loss with the present weights is finite.
        """
        if self.unproven:
            self.unproven = []
            for path in self.kept[: -self.keep]:
                _delete(path)
            self.kept = self.kept[-self.keep :]
            self._list()

    def reject(self) -> str | None:
        """Deletes the checkpoints that are not proven.

        If the only checkpoint left is the restored one, it stays.

        Returns:
            Path of the newest checkpoint left, or None.
        """
        for path in self.unproven:
            if self.kept != [self.restored]:
                _delete(path)
                self.kept.remove(path)
        self.unproven = []
        self._list()
        return self.kept[-1] if self.kept else None

    def _clear(self):
        """Deletes the temporary folders of saves that were cut short."""
        for left in self.folder.glob("ckpt-*_temp"):
            shutil.rmtree(left, ignore_errors=True)

    def _list(self):
        """Writes TensorFlow's list, a `CheckpointState` in text form."""
        names = [pathlib.Path(path).name for path in self.kept]
        lines = [f'model_checkpoint_path: "{name}"' for name in names[-1:]]
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
        path = self.folder / "checkpoint"
        if lines:
            with whole.file(path) as partial:
                partial.write_text("\n".join(lines) + "\n")
        else:
            path.unlink(missing_ok=True)


def read(
    path: str | os.PathLike, count: int = 0
) -> tuple[list[np.ndarray], dict]:
    """Reads a checkpoint's weights, the average ones of `--ema`, and progress.

    Args:
        path: Path of the checkpoint.
        count: How many weights to read, from the first.

    Returns:
        List of `count` arrays; and the `Progress` as a dict.

    Raises:
        ValueError: the checkpoint is damaged.
    """
    try:
        reader = tf.train.load_checkpoint(path)
        averaged = reader.has_tensor(f"average/0/{_VALUE}")
        group = "average" if averaged else "weights"
        weights = [
            reader.get_tensor(f"{group}/{i}/{_VALUE}") for i in range(count)
        ]
        text = reader.get_tensor(f"progress/{_VALUE}")
    except (tf.errors.OpError, IndexError, ValueError) as error:
        if isinstance(error, _OTHERS):
            raise
        raise ValueError(f"This checkpoint is damaged. Received: {path}") from (
            None
        )
    return weights, json.loads(text.decode())


def _versions():
    """Versions of the packages that the figures of a run may depend on."""
    return {
        "integral_tf": integral_tf.__version__,
        "TensorFlow": tf.__version__,
        "Keras": keras.__version__,
    }


def _files(path):
    """The files of one checkpoint, the index first."""
    folder = pathlib.Path(path).parent
    name = re.escape(pathlib.Path(path).name)
    pattern = re.compile(rf"{name}\.(?:index|data-\d+-of-\d+)")
    files = [file for file in folder.iterdir() if pattern.fullmatch(file.name)]
    return sorted(files, key=lambda file: file.suffix != ".index")


def _delete(path):
    for file in _files(path):
        file.unlink(missing_ok=True)


__getattr__ = former.names(__name__)
