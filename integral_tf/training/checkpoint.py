"""What a run folder holds, and how it is taken up again.

flags.cfg     the resolved flags; `--flagfile` takes it back
checkpoints/  weights, optimizer and schedule, while training
log.csv       a line per epoch
beta.csv      AUC over beta, each time that beta was calibrated
tensorboard/  the same figures for TensorBoard
skeleton.json what the model's joints are
model.keras   the trained model; written whole, at the end
"""

import csv
import dataclasses
import json
import os
import pathlib

import tensorflow as tf

from integral_tf import config as configs
from integral_tf import whole
from integral_tf.models import archive
from integral_tf.training import schedule

FLAGS, SKELETON, MODEL = "flags.cfg", archive.SKELETON, "model.keras"
LOG, BETAS = "log.csv", "beta.csv"
# What may differ between a run and its continuation.
_TAKEN = "A run is not overwritten; name another folder."
_FREE = {"workdir", "data", "tensorboard", "keep_checkpoints"}


class Progress:
    """The part of a run that is neither weights nor optimizer, checkpointed.

    It is one JSON text in one `tf.Variable`, so that it is saved with the
    weights in the same instant.

    Attributes:
        state: The `schedule.State`.
        step: Steps done in the present epoch.
        sums: Losses summed over those steps.
        beta: Factor before the softmax, if it was calibrated.
    """

    def __init__(self, state):
        self.state = state
        self.step = 0
        self.sums = {}
        self.beta = None
        self.text = tf.Variable("", dtype=tf.string, trainable=False)

    def pack(self):
        fields = {
            "state": dataclasses.asdict(self.state),
            "step": self.step,
            "sums": self.sums,
            "beta": self.beta,
        }
        self.text.assign(json.dumps(fields))

    def unpack(self):
        fields = json.loads(self.text.numpy().decode())
        self.state = schedule.State(**fields.pop("state"))
        for name, value in fields.items():
            setattr(self, name, value)


def claim(config):
    """Makes the run folder, or checks that it is this run's.

    Raises:
        ValueError: the folder holds a run with other flags.
    """
    workdir = pathlib.Path(config.workdir)
    path = workdir / FLAGS
    if path.exists():
        before = configs.read_flagfile(type(config), path)
        for name, value in dataclasses.asdict(config).items():
            old = getattr(before, name)
            if name not in _FREE and old != value:
                raise ValueError(
                    f"{workdir} holds a run with --{name}={old}; resume it "
                    "with the same flags, or name another --workdir. "
                    f"Received: --{name}={value}"
                )
        return
    workdir.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    configs.write_flagfile(config, partial)
    os.replace(partial, path)


def manager(config, model, optimizer, progress):
    """The `tf.train.CheckpointManager` of a run."""
    # The variables themselves: of a Keras model, TensorFlow's checkpoint does
    # not find the layers that another layer keeps in a list.
    saved = tf.train.Checkpoint(
        weights=[variable.value for variable in model.variables],
        optimizer=[variable.value for variable in optimizer.variables],
        progress=progress.text,
    )
    return tf.train.CheckpointManager(
        saved,
        str(pathlib.Path(config.workdir) / "checkpoints"),
        max_to_keep=config.keep_checkpoints,
    )


def save_skeleton(skeleton, workdir):
    """Writes `skeleton.json`, whole or not at all."""
    path = pathlib.Path(workdir) / SKELETON
    partial = path.with_suffix(".partial")
    partial.write_text(archive.to_json(skeleton))
    os.replace(partial, path)


def save_run(model, config, skeleton, out):
    """Writes a new run's folder, as a finished training leaves it.

    It appears whole or not at all.

    Args:
        model: The pose model.
        config: Its `config.TrainConfig`.
        skeleton: Its `skeletons.Skeleton`.
        out: Folder to write.

    Raises:
        FileExistsError: there is one.
    """
    with whole.folder(out, taken=_TAKEN) as partial:
        configs.write_flagfile(config, partial / FLAGS)
        save_skeleton(skeleton, partial)
        save_model(model, partial, skeleton)


def check_new(out):
    """Requires that a run's folder is not there yet.

    Raises:
        FileExistsError: it is.
    """
    if pathlib.Path(out).exists():
        raise FileExistsError(f"{_TAKEN} Received: {str(out)!r}")


def save_model(model, workdir, skeleton):
    """Writes `model.keras`, whole or not at all; returns its path.

    The file holds the skeleton, too, so that a copy knows its joints.
    """
    path = pathlib.Path(workdir) / MODEL
    partial = path.with_name("partial.keras")
    model.save(partial)
    archive.write_skeleton(partial, skeleton)
    os.replace(partial, path)
    return path


def append_log(workdir, row):
    """Adds one epoch's figures to `log.csv`.

    An epoch that was logged but not checkpointed is replaced, so that a run
    taken up again has each epoch once.
    """
    _replace_from(pathlib.Path(workdir) / LOG, [row])


def append_betas(workdir, state, betas, aucs):
    """Adds the curve of one calibration to `beta.csv`."""
    rows = [
        {"epoch": state.epoch, "beta": float(beta), "auc": auc}
        for beta, auc in zip(betas, aucs)
    ]
    _replace_from(pathlib.Path(workdir) / BETAS, rows)


def _replace_from(path, rows):
    """Puts rows after the earlier epochs of a CSV file, whole or not at all."""
    kept = [r for r in read_rows(path) if int(r["epoch"]) < rows[0]["epoch"]]
    # Phases differ in their losses, and so in their columns.
    names = dict.fromkeys(name for row in kept + rows for name in row)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(kept + rows)
    os.replace(partial, path)


def read_rows(path):
    """The rows of a CSV file as dicts of text; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
