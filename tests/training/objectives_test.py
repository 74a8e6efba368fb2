"""Tests for which method has which loss when."""

import pytest

from integral_tf import config
from integral_tf.training import objectives


@pytest.mark.parametrize(
    "method, phase, expected",
    [
        ("H1", "main", {"heatmap": "heatmap_l2"}),
        ("R1", "main", {"joint": "joint_l1"}),
        ("I*", "final", {"joint": "joint_l1"}),
        ("H2", "main", {"heatmap": "heatmap_one_hot"}),
        ("H3", "final", {"heatmap": "heatmap_binary"}),
        ("I2", "heatmap", {"heatmap": "heatmap_one_hot"}),
        ("I2", "main", {"heatmap": "heatmap_one_hot", "joint": "joint_l1"}),
        ("I3", "main", {"heatmap": "heatmap_binary", "joint": "joint_l1"}),
        ("I1", "heatmap", {"heatmap": "heatmap_ce"}),
        ("I1", "main", {"heatmap": "heatmap_ce", "joint": "joint_l1"}),
    ],
)
def test_table_2(method, phase, expected):
    chosen = objectives.objectives(config.TrainConfig(method=method), phase)
    assert {name: each.loss.name for name, each in chosen.items()} == (expected)


def test_the_gaussian_reading_keeps_h1s_loss_and_sharpens_the_softmax():
    settings = config.TrainConfig(method="I1", heatmap_reading="gaussian")
    chosen = objectives.objectives(settings, "main")
    assert chosen["heatmap"].loss.name == "heatmap_l2"
    assert objectives.beta(settings) == 10
    assert objectives.beta(config.TrainConfig(method="I1", beta=3.0)) == 3


def test_the_second_phase_may_have_the_joint_loss_alone():
    # Version 1 has both losses, a later version of the paper this.
    settings = config.TrainConfig(method="I2", joint_phase="joint")
    assert set(objectives.objectives(settings, "heatmap")) == {"heatmap"}
    assert set(objectives.objectives(settings, "main")) == {"joint"}


def test_r1_with_l2():
    settings = config.TrainConfig(method="R1", joint_loss="L2")
    loss = objectives.objectives(settings, "main")["joint"].loss
    assert loss.name == "joint_l2"


def test_every_stage_is_supervised():
    # "This supervision on the intermediate heat maps proves crucial": the
    # losses of each stage read that stage's outputs.
    settings = config.TrainConfig(method="I1", stages=3)
    chosen = objectives.objectives(settings, "main")
    assert {name: each.output for name, each in chosen.items()} == {
        "stage1_heatmap": "stage1_heatmaps",
        "stage1_joint": "stage1_joints",
        "stage2_heatmap": "stage2_heatmaps",
        "stage2_joint": "stage2_joints",
        "heatmap": "heatmaps",
        "joint": "joints",
    }


def test_h3_takes_its_numbers_from_the_flags():
    settings = config.TrainConfig(method="H3", radius=9.0, negatives=2, seed=7)
    loss = objectives.objectives(settings, "main")["heatmap"].loss
    assert (loss.radius, loss.negatives, loss.seed) == (9.0, 2, 7)


@pytest.mark.parametrize("method", ["H1", "H2", "H3", "I1"])
def test_maps_are_supervised_where_their_cells_are_read(method):
    settings = config.TrainConfig(method=method, cells="first")
    loss = objectives.objectives(settings, "heatmap")["heatmap"].loss
    assert (loss.cells, loss.stride) == ("first", 8)
