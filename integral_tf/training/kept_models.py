"""The models that a run keeps while it trains: `last.keras` and `best.keras`.

Both are what the run would give if it finished now: calibrated on the
validation split. ours: the best epoch is the one with the least NME, where the
records name the length that divides errors; else the highest AP, where they
hold COCO's ground truth; else the highest PCKh@0.5. Of equal ones, the one with
the higher AUC is the best. Without a validation split there is no best epoch.
"""

from __future__ import annotations

import os
import pathlib
import shutil

import keras

from integral_tf import runs
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.training import after_training
from integral_tf.training.checkpoint import Progress
from integral_tf.training.validation import Reading
from integral_tf.training.validation import Validator


def score(reading: Reading) -> list[float]:
    """NME, AP or PCKh@0.5, and AUC; of two lists the larger is the better."""
    figures = reading.figures
    if "nme" in figures:
        return [-figures["nme"], figures["auc"]]
    names = ("ap", "pckh@0.5", "pck@0.5")
    first = next(figures[name] for name in names if name in figures)
    return [first, figures["auc"]]


def keep(
    model: keras.Model,
    reading: Reading | None,
    progress: Progress,
    workdir: str | os.PathLike,
    skeleton: skeletons.Skeleton,
) -> None:
    """Writes `last.keras`, and `best.keras` if this epoch is the best so far.

    Args:
        model: The pose model, as training has it.
        reading: Its `validation.Reading`; None without a validation split.
        progress: The run's `checkpoint.Progress` after the epoch; its `best`
            is set.
        workdir: The run's folder.
        skeleton: Its `skeletons.Skeleton`.
    """
    last = _save(model, reading, progress, workdir, skeleton, runs.LAST)
    if reading and (progress.best is None or score(reading) > progress.best):
        progress.best = score(reading)
        with whole.file(last.with_name(runs.BEST)) as partial:
            shutil.copyfile(last, partial)


def finish(
    model: keras.Model,
    reading: Reading | None,
    progress: Progress,
    workdir: str | os.PathLike,
    skeleton: skeletons.Skeleton,
) -> pathlib.Path:
    """Writes `model.keras`, of which `last.keras` is the same; as `keep`.

    Returns:
        Path of `model.keras`.
    """
    path = _save(model, reading, progress, workdir, skeleton, runs.MODEL)
    path.with_name(runs.LAST).unlink(missing_ok=True)
    return path


def reopen(
    workdir: str | os.PathLike,
    progress: Progress,
    validator: Validator | None,
) -> None:
    """Makes the `model.keras` of a run that is lengthened its `last.keras`.

    A run of before there was a `best.keras` gets it: its finished model.

    Args:
        workdir: The run's folder.
        progress: Its `checkpoint.Progress`; its `best` is set if it has none.
        validator: The `validation.Validator` of the finished model, not
            calibrated; None without a validation split.
    """
    path = pathlib.Path(workdir) / runs.MODEL
    if not path.exists():
        return  # killed after this, before
    if validator and progress.best is None:
        progress.best = score(validator.read())
        with whole.file(path.with_name(runs.BEST)) as partial:
            shutil.copyfile(path, partial)
    path.replace(path.with_name(runs.LAST))


def _save(model, reading, progress, workdir, skeleton, name):
    with after_training.finished(model, reading):
        return runs.save_model(
            model, workdir, skeleton, name, epoch=progress.state.epoch
        )
