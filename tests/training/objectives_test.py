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
        ("I1", "heatmap", {"heatmap": "heatmap_ce"}),
        ("I1", "main", {"heatmap": "heatmap_ce", "joint": "joint_l1"}),
    ],
)
def test_table_2(method, phase, expected):
    chosen = objectives.objectives(config.TrainConfig(method=method), phase)
    assert {name: loss.name for name, (loss, _, _) in chosen.items()} == (
        expected
    )


def test_the_gaussian_reading_keeps_h1s_loss_and_sharpens_the_softmax():
    settings = config.TrainConfig(method="I1", heatmap_reading="gaussian")
    chosen = objectives.objectives(settings, "main")
    assert chosen["heatmap"][0].name == "heatmap_l2"
    assert objectives.beta(settings) == 10
    assert objectives.beta(config.TrainConfig(method="I1", beta=3.0)) == 3
