"""Tests for the training loop: devices, interruption, refusals."""

import csv
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import layers
from integral_tf import ownership
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.evaluation import calibrate
from integral_tf.pipeline import batches
from integral_tf.records import manifests
from integral_tf.records import shards
from integral_tf.records import synthetic
from integral_tf.training import optimizers
from integral_tf.training import strategy
from integral_tf.training import trainer

ROOT = pathlib.Path(__file__).parent.parent.parent


def drawn(index):
    return synthetic.person(0, index)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "synthetic"
    people = [(f"{i:08d}", i) for i in range(40)]
    shards.write(people, drawn, out, skeletons.MPII, 64, 0.2, "", shards=2)
    return out


@pytest.fixture
def settings(data, tmp_path):
    return config.TrainConfig(
        method="I1",
        backbone="resnet18",
        width=0.125,
        image_size=64,
        head_channels=8,
        batch_size=8,
        epochs=2,
        heatmap_epochs=1,
        final_epochs=0,
        data=str(data),
        workdir=str(tmp_path / "run"),
    )


def test_two_devices_take_the_step_that_one_takes(settings, monkeypatch):
    # Both halves of every batch are alike, so that each device's batch
    # statistics are those of the whole batch, and nothing else may differ.
    # Plain SGD shows a wrong scale of the gradients; Adam would hide it.
    settings = dataclasses.replace(
        settings, learning_rate=1e-2, flip=False, rotation=0.0, scale=0.0
    )
    monkeypatch.setattr(
        optimizers, "Adam", lambda rate, *_: keras.optimizers.SGD(rate)
    )
    real = batches.train_batches

    def twins(*args):
        def twin(people):
            return {
                name: tf.concat([value[:4], value[:4]], axis=0)
                for name, value in people.items()
            }

        return real(*args).map(twin)

    monkeypatch.setattr(batches, "train_batches", twins)
    weights = []
    for count in (1, 2):
        devices = [f"CPU:{i}" for i in range(count)]
        monkeypatch.setattr(
            strategy,
            "mirrored",
            lambda devices=devices: tf.distribute.MirroredStrategy(devices),
        )
        one = dataclasses.replace(
            settings, workdir=f"{settings.workdir}{count}"
        )
        model = keras.saving.load_model(trainer.train(one), compile=False)
        weights.append(model.get_weights())
    for alone, together in zip(*weights):
        np.testing.assert_allclose(together, alone, atol=2e-4, rtol=1e-3)


def test_a_killed_run_ends_with_the_weights_of_one_left_alone(data, tmp_path):
    # Killed in the middle of an epoch, after a checkpoint inside it.
    def command(workdir):
        return [
            sys.executable, "-m", "integral_tf", "train", "--method=I1",
            "--backbone=resnet18", "--width=0.125", "--image_size=64",
            "--head_channels=8", "--batch_size=4", "--epochs=2",
            "--heatmap_epochs=1", "--final_epochs=0", "--checkpoint_steps=2",
            f"--data={data}", f"--workdir={workdir}",
        ]  # fmt: skip

    alone, killed = tmp_path / "alone", tmp_path / "killed"
    subprocess.run(command(alone), check=True, capture_output=True)
    process = subprocess.Popen(
        command(killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # 32 people or so: 8 steps, checkpoints at 2, 4, 6 and the epoch's end.
    wanted = killed / "checkpoints" / "ckpt-2.index"
    deadline = time.time() + 120
    while not wanted.exists() and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
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
    logs = [(path / "log.csv").read_text() for path in (alone, killed)]
    assert logs[0] == logs[1]


def test_a_run_leaves_logs_and_flags_and_refuses_other_flags(settings):
    settings = dataclasses.replace(settings, epochs=1)
    path = trainer.train(settings)
    workdir = path.parent
    rows = list(csv.DictReader((workdir / "log.csv").open()))
    assert [row["phase"] for row in rows] == ["heatmap"]
    assert float(rows[0]["val_heatmap"]) > 0
    assert list((workdir / "tensorboard").iterdir())
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
def test_beta_is_calibrated_and_saved_with_the_model(settings, reading):
    settings = dataclasses.replace(settings, heatmap_reading=reading)
    model = keras.saving.load_model(trainer.train(settings), compile=False)
    # The maps are nearly empty after one epoch: any of the candidates may be
    # best, but it is one of them, and saved with the model.
    assert model.get_layer("integral").beta in calibrate.BETAS


def test_a_heat_map_model_becomes_integral_without_training(settings):
    heatmaps = dataclasses.replace(
        settings, method="H1", workdir=f"{settings.workdir}_h1"
    )
    before = trainer.train(heatmaps)
    settings = dataclasses.replace(
        settings,
        init_from=str(before.parent),
        heatmap_reading="gaussian",
        epochs=0,
    )
    path = trainer.train(settings)
    old, new = (
        keras.saving.load_model(p, compile=False) for p in (before, path)
    )
    for left, right in zip(
        layers.network_weights(old), layers.network_weights(new), strict=True
    ):
        np.testing.assert_array_equal(left, right)
    # The curve that beta was chosen from is kept.
    rows = list(csv.DictReader((path.parent / "beta.csv").open()))
    curve = {float(row["beta"]): float(row["auc"]) for row in rows}
    assert sorted(curve) == sorted(calibrate.BETAS)
    assert new.get_layer("integral").beta == max(curve, key=curve.get)


def test_the_joint_phase_starts_from_the_maps_of_another_run(settings):
    heatmaps = dataclasses.replace(
        settings, method="H2", workdir=f"{settings.workdir}_h2"
    )
    before = keras.saving.load_model(trainer.train(heatmaps), compile=False)
    settings = dataclasses.replace(
        settings,
        method="I2",
        init_from=heatmaps.workdir,
        epochs=1,
        learning_rate=1e-12,
    )
    path = trainer.train(settings)
    rows = list(csv.DictReader((path.parent / "log.csv").open()))
    assert [row["phase"] for row in rows] == ["main"]
    # At a rate of almost 0, Adam leaves the weights where they were.
    after = keras.saving.load_model(path, compile=False)
    for left, right in zip(
        before.trainable_weights, after.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(left, right, atol=1e-9)


def test_refuses_to_start_from_another_network(settings):
    other = dataclasses.replace(
        settings, method="R1", epochs=1, workdir=f"{settings.workdir}_r1"
    )
    trainer.train(other)
    settings = dataclasses.replace(settings, init_from=other.workdir)
    with pytest.raises(ValueError, match="a run of the same network"):
        trainer.train(settings)
    assert not pathlib.Path(settings.workdir).exists()


@pytest.mark.parametrize("method", ["H3", "I1", "I3"])
def test_two_stages_train_and_log_the_losses_of_each(settings, method):
    settings = dataclasses.replace(
        settings, method=method, stages=2, joint_phase="joint"
    )
    path = trainer.train(settings)
    rows = list(csv.DictReader((path.parent / "log.csv").open()))
    # The second phase has other columns than the first.
    name = "heatmap" if method == "H3" else "joint"
    for column in (f"train_stage1_{name}", f"val_{name}"):
        assert np.isfinite(float(rows[-1][column]))
    assert np.isfinite(float(rows[0]["val_stage1_heatmap"]))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_leaves_the_policy_as_it_was(
    settings, policy
):
    settings = dataclasses.replace(settings, epochs=1, mixed_precision=policy)
    model = keras.saving.load_model(trainer.train(settings), compile=False)
    assert keras.config.dtype_policy().name == "float32"
    convolution = model.get_layer("resnet18").get_layer("conv1_conv")
    assert convolution.dtype_policy.name == policy
    assert model.output["joints"].dtype == "float32"
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_loss_that_is_not_finite_leaves_the_last_good_weights(
    settings, monkeypatch, capsys
):
    # The third step's loss, and so the weights after the second, are spoilt.
    settings = dataclasses.replace(
        settings,
        method="H1",
        epochs=1,
        batch_size=4,
        checkpoint_steps=1,
        keep_checkpoints=1,
        tensorboard=False,
    )
    real = trainer._Run._count

    def spoilt(run, costs):
        if run.progress.step == 2:
            costs = {name: cost + float("nan") for name, cost in costs.items()}
        real(run, costs)

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_count", spoilt)
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


@pytest.fixture
def unvalidated(settings, tmp_path):
    """A run of two epochs without a validation split, in little time."""
    out = tmp_path / "unvalidated"
    people = [(f"{i:08d}", i) for i in range(8)]
    shards.write(people, drawn, out, skeletons.MPII, 64, 0.0, "", shards=1)
    return dataclasses.replace(
        settings, method="H1", tensorboard=False, data=str(out)
    )


def test_without_validation_the_last_weights_are_tried(
    unvalidated, monkeypatch
):
    real = trainer._Run._count

    def spoilt(run, costs):
        real(run, costs)
        for variable in run.model.trainable_variables:
            variable.assign(tf.fill(variable.shape, 1e30))

    monkeypatch.setattr(trainer._Run, "_count", spoilt)
    with pytest.raises(
        FloatingPointError, match="training split is (nan|inf) at the end, ep"
    ):
        trainer.train(dataclasses.replace(unvalidated, epochs=1))
    assert not (pathlib.Path(unvalidated.workdir) / "model.keras").exists()


def test_a_validation_loss_that_is_nan_is_said_at_once(
    settings, monkeypatch, capsys
):
    real = trainer.validation.Validator.figures
    monkeypatch.setattr(
        trainer.validation.Validator,
        "figures",
        lambda self, losses: {**real(self, losses), "loss": float("nan")},
    )
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
    unvalidated, monkeypatch, tmp_path, what, message
):
    real = trainer._Run._report

    def moved(run, *args):
        real(run, *args)
        if what == "run":
            run.workdir.rename(tmp_path / "moved")
            return
        path = pathlib.Path(run.config.data)
        path.rename(tmp_path / "old")
        people = [(f"{i:08d}", i + 8) for i in range(8)]
        shards.write(people, drawn, path, skeletons.MPII, 64, 0.0, "", shards=1)

    monkeypatch.setattr(trainer._Run, "_report", moved)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        trainer.train(unvalidated)
    assert what == "records" or not pathlib.Path(unvalidated.workdir).exists()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"batch_size": 1000}, "Received: --batch_size=1000"),
        ({"workdir": ""}, "Received: --workdir="),
        ({"epochs": 0}, "Received: --epochs=0"),
        ({"final_epochs": 3}, "Received: --final_epochs=3 of --epochs=2"),
        ({"heatmap_weight": 0.0}, "only heatmap in a phase. Received: --heat"),
        (
            {"joint_weight": 0.0, "joint_phase": "joint"},
            "only joint in a phase. Received: --heatmap_weight=1.0 --joint_w",
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
