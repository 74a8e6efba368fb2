"""Tests for the multi-stage networks of Figure 1."""

import keras
import numpy as np
import pytest

from integral_tf import models
from integral_tf.models import backbone as backbones

WIDTH = 0.125


def tiny(method="I1", stages=2, **kwargs):
    keras.utils.set_random_seed(0)
    return models.pose_model(
        method,
        "resnet18",
        joints=3,
        image_size=64,
        stages=stages,
        width_multiplier=WIDTH,
        head_channels=8,
        **kwargs,
    )


def crops(count=2):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, 64, 64, 3)).astype("float32")


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    keras.utils.set_random_seed(7)
    body = backbones.build("resnet18", (64, 64), width_multiplier=WIDTH)
    path = tmp_path_factory.mktemp("weights") / "backbone.weights.h5"
    body.save_weights(path)
    return path


@pytest.mark.parametrize("method", ["H1", "H2", "H3", "I1", "I2", "I3", "I*"])
@pytest.mark.parametrize("stages", [2, 3])
def test_every_stages_maps_and_joints_have_a_name(method, stages, tmp_path):
    model = tiny(method, stages)
    outputs = {k: np.asarray(v) for k, v in model(crops()).items()}
    expected = {"scores": (2, 3)}
    for prefix in ["", *[f"stage{i}_" for i in range(1, stages)]]:
        expected[f"{prefix}joints"] = (2, 3, 2)
        expected[f"{prefix}heatmaps"] = (2, 8, 8, 3)
    assert {k: v.shape for k, v in outputs.items()} == expected
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    for name, value in loaded(crops()).items():
        np.testing.assert_allclose(value, outputs[name], atol=1e-5)


@pytest.mark.parametrize("upsamplings", [1, 2, 3])
def test_maps_of_any_size_meet_conv3s_features(upsamplings):
    # conv3's features are 1/8 of the crop; maps are 1/16, 1/8, 1/4 of it.
    model = tiny(upsamplings=upsamplings)
    side = 2 * 2**upsamplings
    assert model.output["stage1_heatmaps"].shape == (None, side, side, 3)
    joined = model.get_layer("stage2_input").output
    assert joined.shape == (None, 8, 8, round(128 * WIDTH) + 3)


def test_conv3_is_shared_and_the_rest_is_each_stages_own():
    # A further stage adds conv4, conv5 and a head, and K channels to the two
    # convolutions that read its input: 3 x 3 and 1 x 1 (the shortcut).
    alone, two, three = (tiny(stages=s) for s in (1, 2, 3))
    late = two.get_layer("stage1_conv4_conv5").count_params()
    head = two.get_layer("stage2_heatmap_head").count_params()
    wider = 3 * (9 + 1) * round(256 * WIDTH)
    wider += 1  # its integral's beta
    assert two.count_params() - alone.count_params() == late + head + wider
    assert three.count_params() - two.count_params() == late + head + wider


def test_later_stages_start_from_the_pretrained_weights(weights_file):
    # The kernels of the maps' channels are 0, so that with one head for all
    # each stage gives what the first gives.
    model = tiny(stages=3, weights=weights_file)
    first = model.get_layer("stage1_heatmap_head").get_weights()
    for name in ("stage2_heatmap_head", "stage3_heatmap_head"):
        model.get_layer(name).set_weights(first)
    outputs = model(crops())
    joints = np.asarray(outputs["stage1_joints"])
    assert np.ptp(joints, axis=0).max() > 0
    for name in ("stage2_joints", "joints"):
        np.testing.assert_allclose(outputs[name], joints, atol=1e-4)


def test_without_pretrained_weights_the_stages_differ():
    model = tiny(stages=2)
    kernels = [
        np.asarray(
            model.get_layer(f"stage{s}_conv4_conv5")
            .get_layer("conv5_block1_1_conv")
            .kernel
        )
        for s in (1, 2)
    ]
    assert not np.array_equal(*kernels)


def test_a_later_stage_sees_the_maps_before_it():
    # Moving the first stage's maps moves the second stage's joints.
    model = tiny(stages=2)
    head = model.get_layer("stage2_heatmap_head")
    head.score.kernel.assign(head.score.kernel * 300)
    before = np.asarray(model(crops())["joints"])
    first = model.get_layer("stage1_heatmap_head")
    first.score.bias.assign(np.array([5.0, -5.0, 2.0]))
    assert np.abs(np.asarray(model(crops())["joints"]) - before).max() > 1e-3


@pytest.mark.parametrize("method, stages", [("R1", 2), ("I1", 5), ("I1", 0)])
def test_refuses_stages_that_the_paper_does_not_have(method, stages):
    with pytest.raises(ValueError, match=f"stages={stages}"):
        tiny(method, stages)
