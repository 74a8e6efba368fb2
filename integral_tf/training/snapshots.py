"""A run's checkpoints as models: each of them, or their average."""

import dataclasses
import pathlib

import numpy as np

from integral_tf import layers
from integral_tf import runs
from integral_tf.evaluation import predictions
from integral_tf.models import reading
from integral_tf.training import calibration
from integral_tf.training import checkpoint
from integral_tf.training import trainer
from integral_tf.training import validation


def models(workdir, which):
    """Models of the checkpoints that a run kept; it need not have finished.

    Each is calibrated on the run's own validation split, as a finished model
    is: its beta, if the flags leave it open, and its scores.

    Args:
        workdir: Folder of the run.
        which: `"each"`, or `"average"` for one whose weights, those of batch
            normalisation among them, are the mean over all.

    Yields:
        `(name, model)`: `epoch_3`, or `average_of_2`.

    Raises:
        FileNotFoundError: there is no run, none of its checkpoints, or no
            records of it.
        ValueError: none of its checkpoints is whole, or its records are others
            than it was trained on.
    """
    workdir = pathlib.Path(workdir)
    paths = runs.checkpoints(workdir)
    if not paths or not (workdir / runs.FLAGS).exists():
        raise FileNotFoundError(
            "Checkpoints are what `integral-tf train` writes to its run's "
            "folder. "
            f"Received: --workdir={workdir}"
        )
    opened = runs.Run.open(workdir)
    run, records = opened.config, opened.own_records()
    # The backbone's first weights are not needed again, nor perhaps there.
    model = trainer.build(
        dataclasses.replace(run, weights=""), len(records.skeleton)
    )
    network = layers.network_weights(model)
    kept = {}
    for path in paths:
        try:
            weights, progress = checkpoint.read(path, len(network))
        except ValueError as error:
            print(f"left out: {error}")
            continue
        name = f"epoch_{progress['state']['epoch']}"
        if progress["step"]:
            name += f"_step_{progress['step']}"
        # One epoch may be saved twice, the second time with its beta.
        kept[name] = weights, progress["beta"]
    if not kept:
        raise ValueError(
            f"No checkpoint of this run is whole. Received: {workdir}"
        )
    if which == "average":
        every = [weights for weights, _ in kept.values()]
        mean = [np.mean(some, axis=0) for some in zip(*every)]
        kept = {f"average_of_{len(every)}": (mean, list(kept.values())[-1][1])}
    validator = validation.Validator(
        run, predictions.Observer(model, records.skeleton), records
    )
    has_val = records.people("val")
    for name, (weights, beta) in kept.items():
        for variable, weight in zip(network, weights):
            variable.assign(weight)
        if has_val and calibration.chooses_beta(run):
            beta, _ = calibration.best_beta(validator)
        if beta is not None:
            reading.set_beta(model, beta)
        if has_val:
            calibration.calibrate_scores(model, validator)
        yield name, model
