"""Tests for runs that start from the weights of another."""

import csv
import dataclasses
import pathlib
import shutil

import keras
import numpy as np
import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import layers
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.evaluation import calibrate
from integral_tf.training import trainer
from tests import untrained


def run_of(settings, method):
    """A run of another method, of new weights, that can be started from."""
    folder = pathlib.Path(f"{settings.workdir}_{method}")
    other = dataclasses.replace(settings, method=method, workdir=str(folder))
    keras.utils.set_random_seed(1)  # not those that `settings` begin with
    joints = len(skeletons.MPII)
    model = trainer.build(other, joints)
    runs.save_run(model, other, skeletons.MPII, folder)
    return folder


def test_a_heat_map_model_becomes_integral_without_training(settings):
    before = run_of(settings, "H1")
    settings = dataclasses.replace(
        settings,
        init_from=str(before),
        heatmap_reading="gaussian",
        epochs=0,
    )
    path = trainer.train(settings)
    old, new = (
        keras.saving.load_model(p, compile=False)
        for p in (before / "model.keras", path)
    )
    for left, right in zip(
        layers.network_weights(old), layers.network_weights(new), strict=True
    ):
        np.testing.assert_array_equal(left, right)
    # The curve that beta was chosen from is kept.
    rows = list(
        csv.DictReader((path.parent / "beta.csv").read_text().splitlines())
    )
    curve = {float(row["beta"]): float(row["auc"]) for row in rows}
    assert sorted(curve) == sorted(calibrate.BETAS)
    assert new.get_layer("integral").beta == max(curve, key=curve.get)


def test_the_joint_phase_starts_from_the_maps_of_another_run(settings):
    maps = run_of(settings, "H2")
    before = keras.saving.load_model(maps / "model.keras", compile=False)
    settings = dataclasses.replace(
        settings,
        method="I2",
        init_from=str(maps),
        epochs=1,
        learning_rate=1e-12,
    )
    path = trainer.train(settings)
    rows = list(
        csv.DictReader((path.parent / "log.csv").read_text().splitlines())
    )
    assert [row["phase"] for row in rows] == ["main"]
    # At a rate of almost 0, Adam leaves the weights where they were.
    after = keras.saving.load_model(path, compile=False)
    for left, right in zip(
        before.trainable_weights, after.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(left, right, atol=1e-9)


def test_a_run_starts_from_one_of_another_head_and_says_so(settings, capsys):
    settings = dataclasses.replace(settings, **untrained.TINY)
    other = run_of(settings, "R1")
    settings = dataclasses.replace(
        settings,
        method="H1",
        init_from=str(other),
        epochs=1,
        learning_rate=1e-12,
    )
    path = trainer.train(settings)
    printed = capsys.readouterr().out
    assert "--init_from: 120 of 132 tensors taken" in printed
    assert "resnet18 120 of 120, heatmap_head 0 of 12; 12 left" in printed
    old, new = (
        keras.saving.load_model(p, compile=False).get_layer("resnet18")
        for p in (other / "model.keras", path)
    )
    for left, right in zip(
        old.trainable_weights, new.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(left, right, atol=1e-9)


def test_what_is_not_trained_must_fit_whole(settings):
    other = run_of(settings, "R1")
    settings = dataclasses.replace(settings, init_from=str(other), epochs=0)
    with pytest.raises(ValueError, match="every tensor must fit; 12 do not"):
        trainer.train(settings)
    assert not pathlib.Path(settings.workdir).exists()


def test_refuses_to_start_from_a_network_with_other_preprocessing(settings):
    other = run_of(settings, "H1")
    settings = dataclasses.replace(
        settings, init_from=str(other), preprocessing="torch"
    )
    with pytest.raises(ValueError, match="a network with the same prepro"):
        trainer.train(settings)
    assert not pathlib.Path(settings.workdir).exists()


def test_a_resumed_run_has_its_weights_from_its_checkpoints(
    settings, sgd, monkeypatch, capsys
):
    # The folder of the initial weights is gone when the run is resumed.
    first = run_of(settings, "H1")
    given = dataclasses.replace(
        settings, method="H1", epochs=2, final_epochs=0, init_from=str(first)
    )
    real = trainer._Run._check_epoch

    def killed(run, *args):
        real(run, *args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_check_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(given)
    shutil.rmtree(first)
    capsys.readouterr()
    path = trainer.train(dataclasses.replace(given, init_from=""))
    assert "resuming at epoch 2, step 0" in capsys.readouterr().out
    saved = flagfiles.read(config.TrainConfig, path.parent / "flags.cfg")
    assert saved == given
    with pytest.raises(ValueError, match="Received: --init_from=other"):
        trainer.train(dataclasses.replace(given, init_from="other"))
