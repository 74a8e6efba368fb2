"""Calibrates a model on the validation split: beta, and scores."""

import contextlib
from collections.abc import Iterator

import keras

from integral_tf import progress
from integral_tf.evaluation import calibrate
from integral_tf.models import reading
from integral_tf.training import batch_norm
from integral_tf.training.validation import Reading


def apply(model: keras.Model, read: Reading) -> None:
    """Gives a model the beta and the calibrated scores of a `Reading`."""
    if read.beta is not None:
        reading.set_beta(model, read.beta)
    for layer in reading.score_layers(model):
        layer.slope, layer.offset = read.slope, read.offset


def reset(model: keras.Model) -> None:
    """Undoes a calibration of scores: a `Reading` is of uncalibrated ones."""
    for layer in reading.score_layers(model):
        layer.slope, layer.offset = 1.0, 0.0


def tell(read: Reading) -> None:
    """Prints a choice of beta, and the error of the scores before and after."""
    if read.beta is not None:
        for beta, auc in zip(calibrate.BETAS, read.aucs):
            progress.write(f"beta {beta:6.2f}: AUC {auc:.2f}")
        progress.write(f"beta: {read.beta}")
    if read.calibration_error:
        before, after = read.calibration_error
        progress.write(
            f"scores: expected calibration error {before:.3f} -> {after:.3f}"
        )


@contextlib.contextmanager
def finished(model: keras.Model, read: Reading | None) -> Iterator[None]:
    """A context in which a model is as that of a finished run.

    It is calibrated, stages that are frozen in this run may be trained in
    another, and its batch normalisation needs no other device. Afterwards it is
    as training has it.

    Args:
        model: The pose model, its scores not calibrated.
        read: Its `Reading`; None without a validation split.
    """
    frozen = [each for each in model._flatten_layers() if not each.trainable]
    betas = [(each, each.beta) for each in reading.integrals_of(model)]
    if read:
        apply(model, read)
    # One by one: Keras ignores `model.trainable = True` where it is True.
    for layer in frozen:
        layer.trainable = True
    try:
        with batch_norm.apart(model):
            yield
    finally:
        for layer in frozen:
            layer.trainable = False
        for layer, beta in betas:
            layer.beta = beta
        reset(model)
