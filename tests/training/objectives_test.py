"""Tests for which method has which loss when."""

import numpy as np
import pytest

from integral_tf import config
from integral_tf import joint_numbers
from integral_tf import layers
from integral_tf import losses
from integral_tf import skeletons
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
        ("SimCC", "final", {"x": "heatmap_ce", "y": "heatmap_ce"}),
    ],
)
def test_table_2(method, phase, expected):
    chosen = objectives.objectives(config.TrainConfig(method=method), phase)
    assert {name: each.loss.name for name, each in chosen.items()} == (expected)


def test_simcc_compares_each_axis_with_a_gaussian():
    # Two scores for each of 512 x 128 pixels. Of 512 the Gaussian has a
    # deviation of sqrt(512 / 8) = 8 scores, 4 pixels; of 128, of 4 scores.
    settings = config.TrainConfig(
        method="SimCC", image_size=128, image_width=512
    )
    chosen = objectives.objectives(settings, "main")
    crops = {"labels": np.float32([[[20.0, 41.5, 1.0]]])}
    for axis, side, truth, sigma in (("x", 512, 20, 4), ("y", 128, 41.5, 2)):
        line = np.random.default_rng(0).normal(size=2 * side)
        middles = (np.arange(2 * side) + 0.5) / 2 - 0.5
        gaussian = np.exp(-((middles - truth) ** 2) / (2 * sigma**2))
        scores = line - np.log(np.exp(line).sum())
        expected = -(gaussian / gaussian.sum() * scores).sum()
        outputs = {axis: np.float32(line)[None, :, None]}
        cost = chosen[axis].costs({}, crops, outputs)
        np.testing.assert_allclose(cost, [expected], rtol=1e-5)


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


def people(negative=(0, 0)):
    """Two people of MPII's joints in windows of 100 pixels, and their crops.

    The windows are images of 200 pixels; the first has an area, of 3,600
    square image pixels. The boxes are the middle 40 x 40 window pixels.
    """
    rng = np.random.default_rng(0)
    given = {
        "windows": np.zeros((2, 100, 100, 3), "uint8"),
        "joints": rng.uniform(32, 68, (2, 16, 2)).astype("float32"),
        "boxes": np.array([[30, 30, 40, 40]] * 2, "float32"),
        "visible": np.ones((2, 16), "float32"),
        "area": np.array([3600, 0], "float32"),
        "to_image": np.array([[[2, 0, 0.5], [0, 2, 0.5]]] * 2, "float32"),
        "negative": np.array(negative, "float32"),
    }
    crop = layers.PersonCrop(64, 64, skeletons.MPII.mirrored_order)
    return given, crop(given)


def outputs(crops, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "joints": np.asarray(crops["joints"]) + rng.normal(0, 3, (2, 16, 2)),
        "heatmaps": rng.normal(size=(2, 8, 8, 16)).astype("float32"),
    }


def test_oks_reads_the_persons_area_in_the_crop():
    settings = config.TrainConfig(method="R1", joint_loss="OKS")
    objective = objectives.objectives(settings, "main")["joint"]
    given, crops = people()
    labels = np.asarray(objective.truth(given, crops))
    # The crop is the box times 1.25, so a window pixel is 64 / 50 crop pixels,
    # and an image pixel 32 / 50: 3600 * 0.64^2. Without an area it is the
    # box's, of 64 / 1.25 pixels a side.
    np.testing.assert_allclose(labels[0, :, 2], 3600 * 0.64**2, rtol=1e-5)
    np.testing.assert_allclose(labels[1, :, 2], 51.2**2, rtol=1e-5)
    assert objective.loss.sigmas == [skeletons.DEFAULT_SIGMA] * 16
    costs = np.asarray(objective.costs(given, crops, outputs(crops)))
    assert costs.shape == (2,) and (0 < costs).all() and (costs < 1).all()


@pytest.mark.parametrize("method", ["H1", "H2", "H3", "I1", "I2", "I3", "R1"])
def test_weights_of_joints_are_in_every_loss(method):
    # A loss with weights is the mean of the joints' costs times these; each
    # joint's cost is the loss of a person who has that joint alone.
    given, crops = people()
    text = "left_wrist=3,knee=0"
    weights = joint_numbers.weights(text, skeletons.MPII)
    plain, weighed = (
        objectives.objectives(
            config.TrainConfig(
                method=method, image_size=64, joint_weights=each, stages=2
            ),
            "main",
        )
        for each in ("", text)
    )
    made = outputs(crops)
    made = {**made, **{f"stage1_{name}": made[name] for name in made}}
    for name, objective in weighed.items():
        each = []
        for joint in range(16):
            alone = np.asarray(crops["labels"]).copy()
            alone[:, np.arange(16) != joint, 2] = 0
            seen = {**crops, "labels": alone}
            each.append(np.asarray(plain[name].costs(given, seen, made)))
        wanted = (np.array(each) * np.reshape(weights, (16, 1))).mean(axis=0)
        got = objective.costs(given, crops, made)
        np.testing.assert_allclose(got, wanted, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "method, loss",
    [
        ("H1", losses.EmptySquaredError),
        ("H3", losses.EmptyCrossEntropy),
        ("I3", losses.EmptyCrossEntropy),
        ("H2", None),
        ("I1", None),
        ("R1", None),
    ],
)
def test_pictures_without_anybody_have_a_loss_of_their_own(method, loss):
    settings = config.TrainConfig(method=method, heatmap_weight=0.5)
    chosen = objectives.objectives(settings, "main", negatives=True)
    assert ("empty" in chosen) == bool(loss)
    assert "empty" not in objectives.objectives(settings, "main")
    if loss:
        objective = chosen["empty"]
        assert isinstance(objective.loss, loss) and objective.weight == 0.5
        given, crops = people(negative=(0, 1))
        costs = objective.costs(given, crops, outputs(crops))
        assert costs[0] == 0 < costs[1]


def test_the_joint_loss_alone_has_no_maps_to_empty():
    settings = config.TrainConfig(method="I3", joint_phase="joint")
    assert "empty" in objectives.objectives(settings, "heatmap", negatives=True)
    assert set(objectives.objectives(settings, "main", negatives=True)) == {
        "joint"
    }


@pytest.mark.parametrize("density", ["gaussian", "laplace"])
def test_a_likelihood_reads_the_maps_at_the_runs_beta(density):
    settings = config.TrainConfig(method="I*", joint_loss=density, beta=3.0)
    (chosen,) = objectives.objectives(settings, "main").values()
    assert chosen.output == "heatmaps"
    assert (chosen.loss.density, chosen.loss.beta) == (density, 3.0)
    assert chosen.loss.stride == 8


@pytest.mark.parametrize(
    "reading, loss",
    [
        ("divergence", losses.GaussianDivergence),
        ("variance", losses.VarianceError),
    ],
)
def test_dsnts_regularisers_are_beside_the_joint_loss(reading, loss):
    settings = config.TrainConfig(method="I1", heatmap_reading=reading)
    chosen = objectives.objectives(settings, "main")
    assert set(chosen) == {"heatmap", "joint"}
    assert type(chosen["heatmap"].loss) is loss


def test_sampling_reads_the_maps_and_has_the_runs_seed():
    settings = config.TrainConfig(method="I*", joint_loss="sampling", seed=4)
    (chosen,) = objectives.objectives(settings, "main").values()
    assert chosen.output == "heatmaps"
    assert (chosen.loss.name, chosen.loss.seed) == ("joint_sampling", 4)
