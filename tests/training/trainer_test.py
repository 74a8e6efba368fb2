"""Tests for the training loop: devices, interruption, refusals."""

import csv
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import skeletons
from integral_tf.evaluation import calibrate
from integral_tf.pipeline import batches
from integral_tf.training import logs
from integral_tf.training import preflight
from integral_tf.training import trainer
from tests import untrained

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """A run's settings, and its `model.keras`."""
    workdir = tmp_path_factory.mktemp("finished") / "run"
    settings = dataclasses.replace(tiny, workdir=str(workdir), tensorboard=True)
    return settings, trainer.train(settings)


def signalled(command, folder, number):
    """Sends a signal to a training after its next checkpoint; returns it."""
    before = set(folder.glob("checkpoints/*.index"))
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.time() + 240
    while time.time() < deadline:
        if set(folder.glob("checkpoints/*.index")) - before:
            break
        time.sleep(0.02)
    process.send_signal(number)
    return process, process.communicate()[1]


def test_a_killed_run_ends_with_the_weights_of_one_left_alone(
    data, tiny, tmp_path
):
    # Stopped by Ctrl-C and killed, in the middle of an epoch.
    def command(workdir):
        return [
            sys.executable, "-m", "integral_tf", "train", "--method=I1",
            f"--backbone={tiny.backbone}", "--image_size=64",
            "--head_channels=8", "--batch_size=4", "--epochs=2",
            "--heatmap_epochs=1", "--final_epochs=0", "--checkpoint_steps=2",
            f"--data={data}", f"--workdir={workdir}",
        ]  # fmt: skip

    alone, killed = tmp_path / "alone", tmp_path / "killed"
    subprocess.run(command(alone), check=True, capture_output=True)
    # 32 people or so: 8 steps, checkpoints at 2, 4, 6 and the epoch's end.
    process, told = signalled(command(killed), killed, signal.SIGINT)
    assert process.returncode == 130
    assert re.fullmatch(
        r"train: interrupted; saved at epoch \d, step \d; the same command "
        "goes on from there",
        told.splitlines()[-1],
    )
    assert "stopping after this step" in told and "Traceback" not in told
    process, _ = signalled(command(killed), killed, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "model.keras").exists()
    loud = {k: v for k, v in os.environ.items() if "TF_CPP" not in k}
    again = subprocess.run(
        command(killed), check=True, capture_output=True, text=True, env=loud
    )
    assert "resuming at epoch" in again.stdout
    # None of TensorFlow's lines.
    first, *bar = again.stderr.splitlines()
    assert re.fullmatch(
        r"integral-tf \S+ train · TensorFlow \S+, Keras \S+ · .+", first
    )
    others = [
        x for x in bar if not re.match(r"(train|epoch \d/2 \w+).*:.*steps", x)
    ]
    assert others == []
    assert any("epoch 2/2 main, compiling" in line for line in bar)
    assert any("epoch 2/2 main, validating" in line for line in bar)
    models = [
        keras.saving.load_model(path / "model.keras", compile=False)
        for path in (alone, killed)
    ]
    for left, right in zip(*[model.get_weights() for model in models]):
        np.testing.assert_allclose(right, left, atol=1e-6)
    rows = [(path / "log.csv").read_text() for path in (alone, killed)]
    assert rows[0] == rows[1]


def test_a_run_leaves_logs_and_flags_and_refuses_other_flags(finished):
    settings, path = finished
    workdir = path.parent
    rows = list(csv.DictReader((workdir / "log.csv").read_text().splitlines()))
    assert [row["phase"] for row in rows] == ["heatmap", "main"]
    assert float(rows[0]["val_heatmap"]) > 0
    for split in ("train", "val"):
        board = event_accumulator.EventAccumulator(
            str(workdir / "tensorboard" / split)
        )
        board.Reload()
        steps = [event.step for event in board.Tensors("loss/total")]
        assert steps == [1, 2]
    assert [event.step for event in board.Images("people")] == [1, 2]
    saved = flagfiles.read(config.TrainConfig, workdir / "flags.cfg")
    assert saved == settings
    with pytest.raises(ValueError, match="Received: --seed=1"):
        trainer.train(dataclasses.replace(settings, seed=1))
    # Finished: nothing changes, whatever the records are now.
    before = {p: p.stat().st_mtime_ns for p in workdir.rglob("*")}
    gone = dataclasses.replace(settings, data="nowhere")
    assert trainer.train(settings) == trainer.train(gone) == path
    assert {p: p.stat().st_mtime_ns for p in workdir.rglob("*")} == before


@pytest.mark.parametrize("reading", ["softmax", "gaussian"])
def test_beta_is_calibrated_and_saved_with_the_model(
    request, settings, sgd, reading
):
    if reading == "softmax":
        _, path = request.getfixturevalue("finished")
    else:
        path = trainer.train(
            dataclasses.replace(settings, heatmap_reading=reading)
        )
    model = keras.saving.load_model(path, compile=False)
    # The maps are nearly empty after one epoch: any of the candidates may be
    # best, but it is one of them, and saved with the model.
    assert model.get_layer("integral").beta in calibrate.BETAS


@pytest.mark.parametrize("method", ["H3", "I1", "I3"])
def test_two_stages_train_and_log_the_losses_of_each(
    settings, sgd, method, capsys
):
    settings = dataclasses.replace(
        settings,
        **untrained.TINY,
        method=method,
        stages=2,
        joint_phase="joint",
    )
    path = trainer.train(settings)
    rows = list(
        csv.DictReader((path.parent / "log.csv").read_text().splitlines())
    )
    # The second phase has other columns than the first.
    name = "heatmap" if method == "H3" else "joint"
    for column in (f"train_stage1_{name}", f"val_{name}"):
        assert np.isfinite(float(rows[-1][column]))
    assert np.isfinite(float(rows[0]["val_stage1_heatmap"]))
    line = "epoch 2/2: the joint loss takes the place of the heat-map loss\n"
    assert (line in capsys.readouterr().out) == (method != "H3")


def test_epochs_that_leave_the_joint_loss_none_are_told(settings, capsys):
    preflight.check(settings)
    assert "joint loss" not in capsys.readouterr().out
    preflight.check(dataclasses.replace(settings, heatmap_epochs=70))
    line = "--heatmap_epochs=70 of --epochs=2 leave it no epoch"
    assert line in capsys.readouterr().out


def test_half_of_a_skeleton_without_halves_is_refused(
    settings, unvalidated, tmp_path
):
    other = tmp_path / "records"
    shutil.copytree(unvalidated, other)
    manifest = json.loads((other / "manifest.json").read_text())
    fields = json.dumps(skeletons.to_dict(skeletons.MPII))
    fields = fields.replace("mpii", "cat").replace("right_knee", "right_paw")
    manifest["skeleton"] = json.loads(fields)
    (other / "manifest.json").write_text(json.dumps(manifest))
    settings = dataclasses.replace(settings, data=str(other))
    preflight.check(settings)
    with pytest.raises(ValueError, match="'cat' with the joint 'right_paw'$"):
        preflight.check(dataclasses.replace(settings, half_body=0.3))


def test_a_batch_larger_than_the_training_split_shrinks_to_it(
    settings, unvalidated, sgd, monkeypatch, capsys
):
    settings = dataclasses.replace(
        settings, method="H1", batch_size=1000, data=str(unvalidated)
    )
    real = logs.append_log
    batch_sizes = []
    took = batches.train_batches

    def killed(workdir, row):
        raise KeyboardInterrupt

    def seen(records, batch_size, *args, **division):
        batch_sizes.append(batch_size)
        return took(records, batch_size, *args, **division)

    monkeypatch.setattr(batches, "train_batches", seen)
    monkeypatch.setattr(logs, "append_log", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings)
    line = "the whole training split, 16 people, because it has fewer than"
    assert f"{line} --batch_size=1000" in capsys.readouterr().out
    # The flags are those that were asked for, and so the run goes on.
    workdir = pathlib.Path(settings.workdir)
    saved = flagfiles.read(config.TrainConfig, workdir / "flags.cfg")
    assert saved == settings
    monkeypatch.setattr(logs, "append_log", real)
    trainer.train(settings)
    printed = capsys.readouterr().out
    assert line in printed and "1 steps an epoch" in printed
    assert "resuming at epoch 2, step 0" in printed
    assert batch_sizes == [16, 16]
    # It is the run of a batch of 16, whose line is not printed.
    plain = dataclasses.replace(
        settings, batch_size=16, workdir=f"{workdir}_16"
    )
    path = trainer.train(plain)
    assert "whole training split" not in capsys.readouterr().out
    rows = [
        (folder / "log.csv").read_text() for folder in (workdir, path.parent)
    ]
    assert rows[0] == rows[1] and rows[0].count("main") == 2


def test_without_a_validation_split_none_is_shown(
    settings, unvalidated, sgd, capsys
):
    settings = dataclasses.replace(
        settings, method="H1", batch_size=16, epochs=1, data=str(unvalidated)
    )
    path = trainer.train(settings)
    printed = capsys.readouterr().out
    told = printed.index("no validation split")
    assert "--val_share" in printed[told:].splitlines()[0]
    assert told < printed.index("1 steps an epoch") < printed.index("epoch   1")
    assert "val_" not in printed.replace("--val_share", "")
    log = (path.parent / "log.csv").read_text()
    assert "train_loss" in log and "val_" not in log


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_leaves_the_policy_as_it_was(
    settings, unvalidated, policy
):
    settings = dataclasses.replace(
        settings,
        **untrained.TINY,
        epochs=1,
        data=str(unvalidated),
        mixed_precision=policy,
    )
    model = keras.saving.load_model(trainer.train(settings), compile=False)
    assert keras.config.dtype_policy().name == "float32"
    convolution = model.get_layer("resnet18").get_layer("conv1_conv")
    assert convolution.dtype_policy.name == policy
    assert model.output["joints"].dtype == "float32"
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"workdir": ""}, "Received: --workdir="),
        ({"epochs": 0}, "Received: --epochs=0"),
        ({"final_epochs": 3}, "Received: --final_epochs=3 of --epochs=2"),
        ({"heatmap_weight": 0.0}, "only heatmap in a phase. Received: --heat"),
        (
            {"joint_weight": 0.0, "joint_phase": "joint"},
            "only joint in a phase. Received: --heatmap_weight=1.0 --joint_w",
        ),
        (
            {"joint_loss": "laplace", "method": "H1"},
            "a map that is integrated.*--joint_loss=laplace --method=H1",
        ),
    ],
)
def test_refuses_what_cannot_be_trained(settings, change, message):
    with pytest.raises(ValueError, match=message):
        trainer.train(dataclasses.replace(settings, **change))


def test_refuses_to_train_in_a_folder_of_records(settings):
    with pytest.raises(ValueError, match="holds records. Received: --workdir"):
        trainer.train(dataclasses.replace(settings, workdir=settings.data))


def test_refuses_a_folder_that_is_not_records(settings, tmp_path):
    settings = dataclasses.replace(settings, data=str(tmp_path))
    with pytest.raises(FileNotFoundError, match="manifest.json"):
        trainer.train(settings)
