"""Tests for runs that are given more epochs, and for runs not yet finished."""

import csv
import dataclasses
import json
import pathlib

import pytest

import integral_tf
from integral_tf import config
from integral_tf import flagfiles
from integral_tf.models import archive
from integral_tf.training import account
from integral_tf.training import checkpoint
from integral_tf.training import trainer
from tests import in_process

pytestmark = pytest.mark.usefixtures("sgd")


def epochs(workdir):
    """Dict from a model's file to the epoch that it holds."""
    return {
        path.name: archive.read_epoch(path)
        for path in pathlib.Path(workdir).glob("*.keras")
    }


def rows(workdir):
    text = (pathlib.Path(workdir) / "log.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def killed(*_):
    raise KeyboardInterrupt


@pytest.fixture
def finished(settings):
    """Settings of a run that has finished after an epoch of heat maps alone."""
    settings = dataclasses.replace(settings, epochs=1, final_epochs=0)
    trainer.train(settings)
    return settings


def test_a_finished_run_trains_on_with_more_epochs(
    finished, monkeypatch, capsys
):
    workdir = finished.workdir
    found = epochs(workdir)
    assert found == {"model.keras": 1, "best.keras": 1}
    longer = dataclasses.replace(finished, epochs=3, final_epochs=1)
    with pytest.raises(ValueError, match="Received: --final_epochs=1"):
        trainer.train(longer)
    assert epochs(workdir) == found
    longer = dataclasses.replace(finished, epochs=2)
    capsys.readouterr()
    # Killed before the new epoch's first checkpoint, and before its first step.
    for owner, name in (
        (checkpoint.Checkpoints, "save"),
        (account.Account, "add"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killed)
            with pytest.raises(KeyboardInterrupt):
                trainer.train(longer)
        assert epochs(workdir) == {"last.keras": 1, "best.keras": 1}
        line = "lengthened from 1 to 2 epochs: the learning rate is 0.001"
        assert line in capsys.readouterr().out
    path = trainer.train(longer)
    printed = capsys.readouterr().out
    assert "resuming at epoch 2, step 0" in printed
    assert "lengthened" not in printed and "to go: 1 main, 0 final" in printed
    assert [row["phase"] for row in rows(workdir)] == ["heatmap", "main"]
    found = epochs(workdir)
    assert found["model.keras"] == 2 and "last.keras" not in found
    saved = flagfiles.read(config.TrainConfig, path.parent / "flags.cfg")
    assert saved == longer
    # The bar stays where the first epoch put it.
    best = max(rows(workdir), key=lambda row: float(row["val_pckh@0.5"]))
    if len({row["val_pckh@0.5"] for row in rows(workdir)}) > 1:
        assert found["best.keras"] == int(best["epoch"])
    assert trainer.train(longer) == path
    with pytest.raises(ValueError, match="Received: --epochs=1"):
        trainer.train(finished)


def test_a_lengthening_that_never_began_is_finished_as_before(
    finished, monkeypatch
):
    longer = dataclasses.replace(finished, epochs=2)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoints, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(longer)
    trainer.train(finished)
    assert epochs(finished.workdir) == {"model.keras": 1, "best.keras": 1}
    assert len(rows(finished.workdir)) == 1


def test_the_models_of_an_unfinished_run_are_taken_and_named(
    settings, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_check_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(settings)
    workdir = pathlib.Path(settings.workdir)
    assert epochs(workdir) == {"last.keras": 1, "best.keras": 1}
    capsys.readouterr()
    integral_tf.PoseEstimator(workdir)
    line = f"{workdir} has not finished: best.keras, of epoch 1, is taken\n"
    assert capsys.readouterr().out == line
    integral_tf.PoseEstimator(workdir / "last.keras")
    assert capsys.readouterr().out == ""
    for more, name in (([], "best"), (["--weights=last"], "last")):
        out = tmp_path / name
        done = in_process.run(
            "evaluate", f"--workdir={workdir}", f"--out={out}", *more
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(line) == (not more)
        figures = json.loads((out / "metrics.json").read_text())
        assert figures["model"] == f"{name}.keras"
    done = in_process.run(
        "evaluate", f"--workdir={workdir}", "--weights=finished"
    )
    assert done.returncode == 1
    assert "has no model.keras; it has best.keras and last.keras" in done.stderr
    # Resumed: the epoch's row is that of the model.
    trainer.train(settings)
    row = rows(workdir)[0]
    assert float(row["val_pckh@0.5"]) == pytest.approx(figures["@0.5"])
    assert float(row["val_auc"]) == pytest.approx(figures["AUC"], abs=1e-3)
    assert row["val_beta"]
