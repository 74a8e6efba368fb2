"""A run's checkpoints as models: each of them, or their average."""

import json
import pathlib

import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf.records import shards
from integral_tf.training import calibration
from integral_tf.training import checkpoint
from integral_tf.training import trainer

_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"


def models(workdir, which):
    """Models of the checkpoints that a run kept; it need not have finished.

    Args:
        workdir: Folder of the run.
        which: `"each"`, or `"average"` for one whose weights, those of batch
            normalisation among them, are the mean over all.

    Yields:
        `(name, model)`: `epoch_3`, or `average_of_2`.

    Raises:
        FileNotFoundError: there is no run, or none of its checkpoints.
    """
    workdir = pathlib.Path(workdir)
    folder = workdir / "checkpoints"
    state = tf.train.get_checkpoint_state(str(folder))
    if state is None or not (workdir / checkpoint.FLAGS).exists():
        raise FileNotFoundError(
            "Checkpoints are what train.py writes to its run's folder. "
            f"Received: --workdir={workdir}"
        )
    # Their names, not their paths: a run's folder may have been moved.
    paths = [
        str(folder / pathlib.Path(path).name)
        for path in state.all_model_checkpoint_paths
    ]
    run = configs.read_flagfile(configs.TrainConfig, workdir / checkpoint.FLAGS)
    model = trainer.build(run, len(shards.read_skeleton(run.data)))
    if which == "average":
        every = [read(path, len(model.variables)) for path in paths]
        weights = [
            np.mean(some, axis=0) for some in zip(*(w for w, _ in every))
        ]
        _fill(model, weights, every[-1][1])
        yield f"average_of_{len(paths)}", model
        return
    for path in paths:
        weights, progress = read(path, len(model.variables))
        _fill(model, weights, progress)
        done = progress["state"]["epoch"]
        name = f"epoch_{done}"
        if progress["step"]:
            name += f"_step_{progress['step']}"
        yield name, model


def read(path, count):
    """A checkpoint's weights, and its progress as a dict.

    Args:
        path: Of the checkpoint.
        count: How many weights the model has.
    """
    reader = tf.train.load_checkpoint(path)
    weights = [reader.get_tensor(f"weights/{i}/{_VALUE}") for i in range(count)]
    text = reader.get_tensor(f"progress/{_VALUE}")
    return weights, json.loads(text.decode())


def _fill(model, weights, progress):
    for variable, weight in zip(model.variables, weights):
        variable.assign(weight)
    if progress["beta"] is not None:
        calibration.set_beta(model, progress["beta"])
