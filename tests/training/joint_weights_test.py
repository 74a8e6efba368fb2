"""Tests for what flags of single joints do to a training."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.training import preflight
from integral_tf.training import trainer

HANDS = skeletons.MPII.indices(["right_wrist", "left_wrist"])


def columns(model):
    """The last layer's weights of each joint, `(K, N)`."""
    found = model.get_layer("heatmap_head").weights
    (kernel,) = [each for each in found if each.path.endswith("scores/kernel")]
    return np.asarray(kernel).reshape(-1, 16).T


@pytest.fixture
def settings(settings, unvalidated):
    return dataclasses.replace(
        settings,
        method="I*",
        joint_loss="OKS",
        epochs=1,
        data=str(unvalidated),
    )


def test_a_joint_of_weight_0_is_not_taught_and_oks_has_the_flags_sigmas(
    settings, sgd, capsys
):
    settings = dataclasses.replace(
        settings, joint_weights="wrist=0", sigmas="0.5"
    )
    path = trainer.train(settings)
    keras.utils.set_random_seed(settings.seed)
    before = columns(trainer.build(settings, 16))
    after = columns(loading.load(path))
    same = (before == after).all(axis=1)
    assert np.flatnonzero(same).tolist() == sorted(HANDS)
    assert archive.read_skeleton(path).sigmas == (0.5,) * 16
    said = capsys.readouterr().out
    assert "of the joints: right_wrist 0, left_wrist 0, others 1\n" in said
    assert "deviations of OKS: all 0.5\n" in said
    log = (path.parent / "log.csv").read_text().splitlines()
    row = dict(zip(log[0].split(","), log[1].split(",")))
    assert 0 < float(row["train_joint"]) < 1


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"joint_weights": "nose=2"}, "'nose=2' in --joint_weights"),
        ({"joint_weights": "wrist=-2"}, "number from 0"),
        ({"sigmas": "wrist"}, "=0.5, or one number for all joints"),
    ],
)
def test_a_bad_text_leaves_no_run(settings, changes, said):
    settings = dataclasses.replace(settings, **changes)
    with pytest.raises(ValueError, match=said):
        trainer.train(settings)
    assert not (pathlib.Path(settings.workdir) / "flags.cfg").exists()


@pytest.mark.parametrize(
    "method, flags",
    [
        ("H1", {"joint_loss": "OKS"}),
        ("SimCC", {"joint_weight": 2.0, "beta": 3.0, "sigma": 2.0}),
        ("R1", {"heatmap_weight": 2.0, "cells": "first"}),
        ("I2", {"heatmap_reading": "gaussian", "negatives": 2}),
        ("I*", {"joint_phase": "joint"}),
        ("I1", {}),
    ],
)
def test_a_flag_that_the_method_does_not_read_is_named(
    settings, capsys, method, flags
):
    changes = {"joint_loss": "L1", **flags}
    preflight.check(dataclasses.replace(settings, method=method, **changes))
    said = capsys.readouterr().out
    assert said.count("does nothing") == len(flags)
    for name, value in flags.items():
        assert (
            f"--{name}={value} does nothing: --method={method} does not "
            "read it\n"
        ) in said
