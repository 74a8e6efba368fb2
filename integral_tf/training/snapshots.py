"""A run's checkpoints as models: one model each, or the average of all."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

import keras
import numpy as np

from integral_tf import layers
from integral_tf import runs
from integral_tf.evaluation import predictions
from integral_tf.models import reading
from integral_tf.training import after_training
from integral_tf.training import checkpoint
from integral_tf.training import trainer
from integral_tf.training import validation


def models(
    workdir: str | os.PathLike, which: str
) -> Iterator[tuple[str, keras.Model]]:
    """Yields models of the checkpoints that a run kept.

    The run need not have finished. Each model is calibrated on the run's own
    validation split, like a finished model: beta, if the flags leave it open,
    and scores.

    Args:
        workdir: Folder of the run.
        which: `"each"` for a model per checkpoint; `"average"` for one model
            with the mean of their weights, batch normalisation's included.

    Yields:
        `(name, model)`; a name is `epoch_3` or `average_of_2`. It is the same
        model with other weights each time.

    Raises:
        FileNotFoundError: there is no run, or it has no checkpoints or no
            records.
        ValueError: every checkpoint is damaged, or the run was trained on
            other records.
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
    # The checkpoints have the weights; the backbone's file may be gone.
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
        # An epoch may have two checkpoints; the later has a calibrated beta.
        kept[name] = weights, progress["beta"]
    if not kept:
        raise ValueError(
            f"No checkpoint of this run is whole. Received: {workdir}"
        )
    if which == "average":
        every = [weights for weights, _ in kept.values()]
        mean = [np.mean(each, axis=0) for each in zip(*every)]
        kept = {f"average_of_{len(every)}": (mean, list(kept.values())[-1][1])}
    validator = validation.Validator(
        run, predictions.Observer(model, records.skeleton), records
    )
    has_val = records.people("val")
    for name, (weights, beta) in kept.items():
        for variable, weight in zip(network, weights):
            variable.assign(weight)
        if beta is not None:
            reading.set_beta(model, beta)
        if has_val:
            after_training.reset(model)
            read = validator.read()
            after_training.tell(read)
            after_training.apply(model, read)
        yield name, model
