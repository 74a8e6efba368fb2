"""A run's TensorBoard: figures of training and validation, and eight people.

TensorBoard draws figures of one name from two folders in one chart, and shows
those of one group, the part before "/", together:

    tensorboard/train   loss/total, loss/heatmap, loss/joint,
                        schedule/learning_rate
    tensorboard/val     the same losses, accuracy/pckh@0.5, accuracy/pckh@0.1,
                        accuracy/auc, accuracy/nme, accuracy/ap,
                        schedule/beta; the people

A step is an epoch. The people are of the validation split, or of the training
split where there is no validation; every epoch shows the same ones.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import runs
from integral_tf import whole
from integral_tf.evaluation import predictions
from integral_tf.evaluation import report
from integral_tf.pipeline import batches
from integral_tf.training import validation

PEOPLE = 8
_COLUMNS = 4
_SPLITS = ("train", "val")


class Board:
    """Writes a run's figures and pictures for TensorBoard.

    Args:
        workdir: Folder of the run.
        epoch: Epochs that the run has finished. Later ones, which an
            interrupted run has logged and trains again, are removed.
        people: The `Watched` people.
    """

    def __init__(
        self, workdir: str | os.PathLike, epoch: int, people: Watched
    ) -> None:
        folder = pathlib.Path(workdir) / runs.TENSORBOARD
        self._people = people
        self._writers = {}
        for split in dict.fromkeys(("train", people.split)):
            _forget(folder / split, epoch + 1)
            self._writers[split] = tf.summary.create_file_writer(
                str(folder / split)
            )

    def write(self, row: dict[str, Any]) -> None:
        """Writes an epoch.

        Args:
            row: The epoch's row of `log.csv`.
        """
        epoch = row["epoch"]
        for name, value in row.items():
            if isinstance(value, float):
                split, tag = _place(name, row)
                with self._writers[split].as_default(step=epoch):
                    tf.summary.scalar(tag, value)
        with self._writers[self._people.split].as_default(step=epoch):
            picture = _encoded("people", self._people.sheet())
            tf.summary.experimental.write_raw_pb(picture)
        for writer in self._writers.values():
            writer.flush()


class Watched:
    """People of a run's records whose poses are drawn after each epoch.

    Args:
        validator: The run's `validation.Validator`, whose last predictions are
            drawn.
        observer: The `predictions.Observer` of the model, whose answers on
            these people are drawn without a validation split.

    Attributes:
        split: The split of these people.
        names: List of their names in the dataset, as bytes.
    """

    def __init__(
        self,
        validator: validation.Validator,
        observer: predictions.Observer,
    ) -> None:
        records = validator.records
        self.split = "val" if records.people("val") else "train"
        self._validator, self._observer = validator, observer
        self._skeleton = records.skeleton
        self._places, people = batches.spread(
            records, self.split, PEOPLE, negatives=False
        )
        with records.reading(self.split):
            self._people = next(people.batch(PEOPLE).as_numpy_iterator())
        self.names = self._people["source_id"].tolist()

    def sheet(self) -> np.ndarray:
        """`(H, W, 3)` uint8 RGB: truth and prediction of each person."""
        places, predicted = self._places, self._validator.predicted
        if predicted is None:
            places = range(len(places))
            people, crops, found = self._observer.batch(self._people)
            predicted = predictions.of_batch(
                people,
                found["joints"],
                found["scores"],
                crops["to_window"],
                reference=self._validator.records.unit,
            )
        names = [name.decode(errors="replace") for name in self.names]
        windows = zip(self._people["windows"], self._people["to_image"])
        shown = list(zip(names, places, windows))
        return report.sheet(shown, predicted, self._skeleton, _COLUMNS)


def opened(
    config: configs.TrainConfig,
    epoch: int,
    validator: validation.Validator,
    observer: predictions.Observer,
) -> Callable[[dict[str, Any]], None]:
    """Opens a run's board, if the flags want one and TensorBoard is there.

    Args:
        config: A `config.TrainConfig`.
        epoch: As `Board` takes it.
        validator, observer: As `Watched` takes them.

    Returns:
        `Board.write`, or a function that does nothing.
    """
    if config.tensorboard and importlib.util.find_spec("tensorboard"):
        people = Watched(validator, observer)
        return Board(config.workdir, epoch, people).write
    if config.tensorboard:
        print(
            "TensorBoard logs are not written: they need "
            "`pip install integral_tf[tensorboard]`."
        )
    return lambda row: None


def _place(name, row):
    """The split and the tag of a column of `log.csv`."""
    split, _, tag = name.partition("_")
    if split not in _SPLITS:
        return "train", f"schedule/{name}"
    # The training has no other figures than losses.
    if f"train_{tag}" in row:
        return split, "loss/total" if tag == "loss" else f"loss/{tag}"
    group = "schedule" if tag == "beta" else "accuracy"
    return split, f"{group}/{tag}"


def _forget(folder, epoch):
    """Removes this epoch and later ones from a folder's files of events.

    TensorBoard would show both an epoch that is trained again and the first
    one. What follows a damaged event is removed, too.
    """
    for path in folder.glob("events.out.*"):
        events, dropped = [], False
        try:
            for event in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if tf.compat.v1.Event.FromString(event).step < epoch:
                    events.append(event)
                else:
                    dropped = True
        except tf.errors.DataLossError:
            dropped = True
        if dropped:
            with (
                whole.file(path) as partial,
                tf.io.TFRecordWriter(str(partial)) as writer,
            ):
                for event in events:
                    writer.write(event)


def _encoded(tag, picture):
    """A picture as a serialised summary."""
    # `tf.summary.image` would write PNG, which is six times as large.
    summary = tf.compat.v1.Summary
    height, width, _ = picture.shape
    image = summary.Image(
        height=height,
        width=width,
        colorspace=3,
        encoded_image_string=tf.io.encode_jpeg(picture, quality=90).numpy(),
    )
    value = summary.Value(tag=tag, image=image)
    return summary(value=[value]).SerializeToString()
