"""Tests for runs that may not go on: spoilt weights, folders that moved."""

import dataclasses
import pathlib
import shutil

import pytest
import tensorflow as tf

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import ownership
from integral_tf import runs
from integral_tf.records import manifests
from integral_tf.training import account
from integral_tf.training import trainer
from tests import drawn

pytestmark = pytest.mark.usefixtures("sgd")


def test_a_loss_that_is_not_finite_leaves_the_last_good_weights(
    settings, unvalidated, monkeypatch, capsys
):
    # The third step's loss, and so the weights after the second, are spoilt.
    settings = dataclasses.replace(
        settings,
        method="H1",
        epochs=1,
        batch_size=4,
        checkpoint_steps=1,
        keep_checkpoints=1,
        data=str(unvalidated),
    )
    real = account.Account._count

    def spoilt(run, before, costs, gradients):
        if before == 2:
            costs = {name: cost + float("nan") for name, cost in costs.items()}
        real(run, before, costs, gradients)

    with monkeypatch.context() as patch:
        patch.setattr(account.Account, "_count", spoilt)
        with pytest.raises(
            FloatingPointError,
            match=r"heatmap loss is nan at epoch 1, step 3, of "
            r"(0\d{7}(, )?){4}; lower --learning_rate. "
            r"The last good checkpoint is .*ckpt-1$",
        ):
            trainer.train(settings)
    workdir = pathlib.Path(settings.workdir)
    assert [p[-6:] for p in runs.checkpoints(workdir)] == ["ckpt-1"]
    lower = dataclasses.replace(settings, learning_rate=1e-4)
    # The second owner of the folder is refused, and the first goes on.
    with ownership.of(workdir):
        with pytest.raises(BlockingIOError, match="Another process"):
            trainer.train(lower)
    # Nor do other records go on, wherever they lie.
    with monkeypatch.context() as patch:
        patch.setattr(manifests, "digest", lambda manifest: "another")
        with pytest.raises(ValueError, match="a run on other records"):
            trainer.train(lower)
    trainer.train(lower)
    assert "resuming at epoch 1, step 1" in capsys.readouterr().out
    saved = flagfiles.read(config.TrainConfig, workdir / "flags.cfg")
    assert saved == lower
    assert not (workdir / "stopped.txt").exists()


def test_without_validation_the_last_weights_are_tried(
    settings, unvalidated, monkeypatch
):
    settings = dataclasses.replace(
        settings, method="H1", batch_size=16, epochs=1, data=str(unvalidated)
    )
    real = account.Account._count

    def spoilt(run, *args):
        real(run, *args)
        for variable in run.model.trainable_variables:
            variable.assign(tf.fill(variable.shape, 1e30))

    monkeypatch.setattr(account.Account, "_count", spoilt)
    with pytest.raises(
        FloatingPointError, match="training split is (nan|inf) at the end, ep"
    ):
        trainer.train(settings)
    assert not (pathlib.Path(settings.workdir) / "model.keras").exists()


def test_a_validation_loss_that_is_nan_is_said_at_once(
    settings, monkeypatch, capsys
):
    real = trainer.validation.Validator.read

    def spoilt(validator, losses=None):
        read = real(validator, losses)
        read.figures["loss"] = float("nan")
        return read

    monkeypatch.setattr(trainer.validation.Validator, "read", spoilt)
    with pytest.raises(FloatingPointError, match="loss is nan at the end"):
        trainer.train(dataclasses.replace(settings, method="H1"))
    assert "validation loss is nan: if it is so" in capsys.readouterr().out


@pytest.mark.parametrize(
    "what, message",
    [
        ("records", "a run on other records"),
        ("run", "was moved or deleted while.*Received: --workdir="),
    ],
)
def test_what_is_moved_while_a_run_trains_ends_it(
    settings, unvalidated, monkeypatch, tmp_path, what, message
):
    data = shutil.copytree(unvalidated, tmp_path / "data")
    settings = dataclasses.replace(settings, method="H1", data=str(data))
    real = trainer._Run._end_epoch

    def moved(run, *args):
        real(run, *args)
        if what == "run":
            run.workdir.rename(tmp_path / "moved")
            return
        data.rename(tmp_path / "old")
        drawn.records(data, 8, 0.0, first=8)

    monkeypatch.setattr(trainer._Run, "_end_epoch", moved)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        trainer.train(settings)
    assert what == "records" or not pathlib.Path(settings.workdir).exists()
