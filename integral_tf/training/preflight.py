"""Checks of a training, before anything is built."""

import dataclasses
import pathlib
from collections.abc import Container

from integral_tf import config as configs
from integral_tf import flagfiles
from integral_tf import halves
from integral_tf import joint_numbers
from integral_tf import progress as bars
from integral_tf import runs
from integral_tf.pipeline import balance
from integral_tf.pipeline import batches
from integral_tf.records import folder
from integral_tf.records.folder import Records
from integral_tf.training import objectives
from integral_tf.training import schedule

# Flags that a resumed run need not be given again.
_STARTS = {"init_from", "weights"}

_WITHOUT_JOINT_LOSS = ("SimCC", *configs.HEATMAP_METHODS)
_WITHOUT_MAPS = ("R1", "SimCC")
# Methods that do not read a flag.
_UNREAD = {
    "joint_loss": _WITHOUT_JOINT_LOSS,
    "joint_weight": _WITHOUT_JOINT_LOSS,
    "heatmap_weight": ("R1", "I*"),
    "heatmap_reading": tuple(m for m in configs.METHODS if m != "I1"),
    "joint_phase": tuple(
        m for m in configs.METHODS if m not in configs.TWO_PHASE_METHODS
    ),
    "cells": _WITHOUT_MAPS,
    "sigma": _WITHOUT_MAPS,
    "negatives": tuple(m for m in configs.METHODS if m not in ("H3", "I3")),
    "beta": _WITHOUT_MAPS,
}


def check_workdir(config: configs.TrainConfig) -> None:
    """Requires that a run's folder is named, and is not one of records.

    Raises:
        ValueError: `workdir` is empty, or the folder holds records.
    """
    if not config.workdir:
        raise ValueError(
            "A run needs a folder of its own. Received: --workdir="
        )
    if (pathlib.Path(config.workdir) / folder.MANIFEST).exists():
        raise ValueError(
            "A run needs a folder of its own, and this one holds records. "
            f"Received: --workdir={config.workdir}"
        )


def remembered(config: configs.TrainConfig) -> configs.TrainConfig:
    """A run's settings with the initial weights that it was started with.

    They are needed once: a resumed run has its weights in its checkpoints.
    A flag that has its default counts as not given.
    """
    path = pathlib.Path(config.workdir) / runs.FLAGS
    if not path.exists():
        return config
    before = flagfiles.read(type(config), path)
    return dataclasses.replace(
        config,
        **{
            field.name: getattr(before, field.name)
            for field in dataclasses.fields(config)
            if field.name in _STARTS
            and getattr(config, field.name) == field.default
        },
    )


def batch_size(config: configs.TrainConfig, records: Records) -> int:
    """People in a step: `--batch_size`, but at most the training split."""
    return min(config.batch_size, records.people("train"))


def open_records(
    config: configs.TrainConfig, known: Container[str] = ()
) -> Records:
    """Opens a run's records, and checks every shard of the training split.

    With `skip_damaged` the shards that are damaged or missing are left out; a
    line names each.

    Args:
        config: A `config.TrainConfig`.
        known: Files of shards that a line has named before.

    Returns:
        The `Records`.

    Raises:
        FileNotFoundError: there are no records, or a shard is missing.
        ValueError: the records are damaged, or are not this run's.
    """
    records = Records.open(config.data)
    runs.check_records(config, records)
    if config.skip_damaged:
        records = records.without_damaged("train")
    for file, reason in records.left_out.items():
        if file not in known:
            bars.write(f"left out: {reason}")
    if records.people("train"):
        records.paths("train")
    return records


def check(config: configs.TrainConfig) -> Records:
    """Opens a run's records, and requires that they fit the run and its flags.

    Prints a line if a batch is smaller than asked for, a line if the joint loss
    has no epoch, and a line if there is nobody to validate on.

    Args:
        config: A `config.TrainConfig`.

    Returns:
        The `Records`.

    Raises:
        FileNotFoundError: there are no records.
        ValueError: the records are damaged, are not this run's, or do not fit
            a flag; or two flags do not fit each other.
    """
    records = open_records(config)
    sigmas = joint_numbers.sigmas(config.sigmas, records.skeleton)
    records = records.with_sigmas(sigmas)
    if records.people("val"):
        _check_validation(config, records)
    if config.balance:
        balance.check(records, config.balance)
    if config.half_body:
        halves.upper(records.skeleton)
    height, width = config.size
    if abs(width / height - records.aspect) > 0.01:
        raise ValueError(
            "The windows of these records are for crops of another shape; "
            "build them with the --image_size and --image_width of the run. "
            f"Received: {height} x {width} pixels, and records for "
            f"{records.aspect:.2f} times as wide as high"
        )
    if not config.epochs and not config.init_from:
        raise ValueError(
            "A run has at least one epoch, or with --init_from none. "
            f"Received: --epochs={config.epochs}"
        )
    _check_losses(config, records)
    if 0 < config.epochs < config.final_epochs and not runs.checkpoints(
        config.workdir
    ):
        raise ValueError(
            "The final epochs are the last of --epochs, and so not more. "
            f"Received: --final_epochs={config.final_epochs} of "
            f"--epochs={config.epochs}"
        )
    _tell(config, records)
    return records


def _check_losses(config, records):
    """Requires a loss in each phase, and a map of one that reads maps."""
    later = objectives.reads_gaussian(config) and not config.beta
    if config.joint_loss in configs.OF_MAPS and (
        config.method in ("R1", *_WITHOUT_JOINT_LOSS) or later
    ):
        raise ValueError(
            "This joint loss reads a map that is integrated: it is for I1 to "
            "I3 and I*, and with --heatmap_reading=gaussian wants a --beta. "
            f"Received: --joint_loss={config.joint_loss} "
            f"--method={config.method} --beta={config.beta:g}"
        )
    for phase in (schedule.start(config).phase, "main"):
        losses = objectives.objectives(config, phase, records.skeleton)
        if not any(each.weight for each in losses.values()):
            raise ValueError(
                f"A loss of weight 0 teaches nothing, and --method="
                f"{config.method} has only {' and '.join(losses)} in a phase. "
                f"Received: --heatmap_weight={config.heatmap_weight} "
                f"--joint_weight={config.joint_weight}"
            )


def _check_validation(config, records):
    """Requires that the first validation people are labelled."""
    with records.reading("val"):
        first = next(iter(batches.eval_batches(records, "val", 64)))
    known = first["visible"].numpy() + first["negative"].numpy()[:, None]
    if not known.any():
        raise ValueError(
            "The validation records have no labelled joints, as those of a "
            "detector's boxes: train on records with annotated boxes, and "
            f"evaluate on these. Received: --data={config.data}"
        )
    measured = first["head_size"].numpy() + first["negative"].numpy()
    if records.unit and not measured.any():
        raise ValueError(
            "None of the first validation people has the length that "
            f"divides errors, {records.unit.words}: build the records with "
            f"another --normalise_by. Received: --data={config.data}"
        )


def _tell(config, records):
    """Prints how a run departs from its flags, or does without something."""
    skeleton = records.skeleton
    if weights := joint_numbers.weights(config.joint_weights, skeleton):
        said = joint_numbers.described(weights, skeleton)
        print(f"weights of the joints: {said}")
    if config.sigmas or config.joint_loss == "OKS":
        sigmas = joint_numbers.usual_sigmas(skeleton)
        said = joint_numbers.described(sigmas, skeleton)
        print(f"standard deviations of OKS: {said}")
    _tell_unread(config)
    if config.joint_loss in configs.LIKELIHOODS:
        print("the joint loss, a negative log-likelihood, may fall below 0")
    if config.balance:
        print(balance.described(records, config.balance))
    if count := records.negatives("train"):
        teach = [
            "empty"
            in objectives.objectives(config, phase, skeleton, negatives=True)
            for phase in (schedule.start(config).phase, "main")
        ]
        what = "these losses have no empty map, so that they teach nothing"
        if any(teach):
            what = "their maps are to be empty"
        print(f"{count} of the training records show nobody: {what}")
    people = batch_size(config, records)
    if people < config.batch_size:
        print(
            f"a batch is the whole training split, {people} people, because "
            f"it has fewer than --batch_size={config.batch_size}"
        )
    if (
        schedule.start(config).phase == "heatmap"
        and config.phased().heatmap_epochs >= config.epochs
    ):
        print(
            "the joint loss joins only if the heat-map loss saturates early: "
            f"--heatmap_epochs={config.heatmap_epochs} of "
            f"--epochs={config.epochs} leave it no epoch"
        )
    if not records.people("val"):
        print(
            "no validation split: nothing is validated or calibrated, and the "
            "training loss decides when a phase ends; build the records with "
            "--val_share, or with a larger one"
        )


def _tell_unread(config):
    """Names the flags that were set, and that the method does not read."""
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if config.method in _UNREAD.get(each.name, ()) and (
            value != each.default
        ):
            print(
                f"--{each.name}={value} does nothing: "
                f"--method={config.method} does not read it"
            )
