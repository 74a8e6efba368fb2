"""Tests for initial weights: which tensors fit, and from which files."""

import functools
import pathlib
import shutil

import numpy as np
import pytest

from integral_tf import layers
from integral_tf import runs
from integral_tf.models import loading
from integral_tf.training import checkpoint
from integral_tf.training import initial_weights
from tests import untrained

# Their tensors are counted here.
network = functools.partial(untrained.network, backbone="resnet18")
INTERRUPTED = pathlib.Path(__file__).parent.parent / "saved" / "interrupted"


def numbered(model, first):
    """Fills each tensor of a network with a number of its own."""
    for number, weight in enumerate(layers.network_weights(model), first):
        weight.assign(np.full(weight.shape, number))
    return model


def values(part):
    """The number that fills each tensor."""
    return [np.unique(weight).item() for weight in part.weights]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A finished run of 16 joints, with tensors 1 to 132, and beta 2.5."""
    model = numbered(network("I1", 16), 1)
    model.get_layer("integral").beta = 2.5
    return untrained.run(tmp_path_factory.mktemp("source") / "run", model=model)


def test_of_another_skeleton_all_but_the_last_layer_is_taken(source):
    model = numbered(network("I1", 5), 1001)
    line = initial_weights.take(model, source)
    # The last two tensors are the kernel and the bias of the scores.
    assert values(model.get_layer("resnet18")) == list(range(1, 121))
    assert sorted(values(model.get_layer("heatmap_head"))) == [
        *range(121, 131), 1131, 1132,
    ]  # fmt: skip
    assert model.get_layer("integral").beta == 1.0
    assert line == (
        "--init_from: 130 of 132 tensors taken, such as conv1_conv/kernel: "
        "resnet18 120 of 120, heatmap_head 10 of 12; 2 left, such as "
        "scores/kernel ((1, 1, 8, 5) here, (1, 1, 8, 16) there)"
    )


def test_of_the_same_network_every_tensor_is_taken(source):
    model = numbered(network("H1", 16), 1001)
    line = initial_weights.take(model, source / "model.keras")
    assert values(model.get_layer("resnet18")) == list(range(1, 121))
    assert "132 of 132" in line and "left" not in line


def test_stages_start_from_the_only_stage_of_another_run(source):
    model = numbered(network("I1", 16, stages=2), 1001)
    initial_weights.take(model, source)
    first, second = (
        model.get_layer(f"stage{stage}_conv4_conv5") for stage in (1, 2)
    )
    assert max(values(first)) < 1000
    # Its first convolutions have the maps as inputs, too, and are new.
    new = [w.path for w in second.weights if np.max(w) > 1000]
    assert [path.split("/")[-2] for path in new] == [
        "conv4_block1_1_conv", "conv4_block1_0_conv",
    ]  # fmt: skip
    assert max(values(model.get_layer("stage2_heatmap_head"))) < 1000


def test_the_starter_models_backbone_and_deconvolutions_are_taken():
    model = network(
        "I1",
        5,
        backbone="efficientnet_lite0",
        width_multiplier=1.0,
        preprocessing="lite",
        head_channels=96,
    )
    line = initial_weights.take(model, "starter")
    starter = loading.load(loading.STARTER)
    for ours, theirs in zip(
        model.get_layer("efficientnet_lite0").weights,
        starter.get_layer("efficientnet_lite0").weights,
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert "--init_from: 235 of 237 tensors taken" in line
    assert "heatmap_head 10 of 12; 2 left" in line


def test_an_unfinished_run_gives_its_newest_checkpoint(tmp_path):
    run = shutil.copytree(INTERRUPTED, tmp_path / "run")
    settings = runs.Run.open(run).config
    weights, _ = checkpoint.read(run / "checkpoints" / "ckpt-2", 3)
    for source in (run, run / "checkpoints" / "ckpt-2"):
        model = initial_weights.methods.of_config(settings, 16)
        initial_weights.take(model, source)
        for ours, theirs in zip(layers.network_weights(model), weights):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("nowhere", FileNotFoundError, "A model is a .keras file"),
        ("run/checkpoints/ckpt-9", FileNotFoundError, "no such checkpoint"),
        ("run", ValueError, "No checkpoint of this run is whole.*ckpt-2"),
        ("text.keras", ValueError, "is not a Keras model"),
    ],
)
def test_a_bad_path_gets_one_sentence(tmp_path, name, error, message):
    run = shutil.copytree(INTERRUPTED, tmp_path / "run")
    (run / "checkpoints" / "ckpt-2.index").write_bytes(b"")
    (tmp_path / "text.keras").write_text("no weights")
    with pytest.raises(error, match=message):
        initial_weights.take(network(), tmp_path / name)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"preprocessing": "torch"}, "preprocessing is caffe there and torch"),
        ({"cells": "first"}, "cells is middle there and first here"),
    ],
)
def test_settings_that_no_shape_shows_must_agree(source, changes, message):
    model = numbered(network("I1", 16, **changes), 1001)
    with pytest.raises(ValueError, match=f"{message}.*Received: --init_from"):
        initial_weights.take(model, source)
    assert min(values(model.get_layer("resnet18"))) > 1000


def test_maps_of_simcc_are_no_heat_maps(tmp_path):
    simcc = numbered(network("SimCC"), 1)
    run = untrained.run(tmp_path / "run", "SimCC", model=simcc)
    model = network("I1")
    with pytest.raises(ValueError, match="maps of SimCC are features"):
        initial_weights.take(model, run, whole=True)
    initial_weights.take(model, run)  # is trained, then
    assert values(model.get_layer("resnet18")) == list(range(1, 121))


def test_a_network_that_nothing_fits_is_refused(source):
    model = network(
        "R1",
        5,
        backbone="efficientnet_lite0",
        width_multiplier=1.0,
    )
    with pytest.raises(ValueError, match="No tensor of this model fits"):
        initial_weights.take(model, source)
