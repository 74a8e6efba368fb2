"""Tests for checkpoints of PyTorch; of PyTorch's own, tests/worlds has them."""

import numpy as np
import pytest

from integral_tf import models
from integral_tf.models import backbone as backbones
from integral_tf.models import pytorch_checkpoint
from integral_tf.models import tensor_files
from integral_tf.training import importing
from tests.models import pose_resnet
from tests.models import their_decode
from tests.models import torch_files

# What names a project gives the tensors, and whether it trained on BGR.
NAMES = {
    "simple baselines": (lambda tensors: tensors, True),
    "simple baselines in training": (
        lambda tensors: {
            "epoch": 1,
            "state_dict": {f"module.{n}": t for n, t in tensors.items()},
        },
        True,
    ),
    "mmpose 0": (
        lambda tensors: {
            "meta": {"epoch": 1},
            "state_dict": pose_resnet.named_as_mmpose(tensors, "keypoint_head"),
        },
        False,
    ),
    "mmpose 1": (
        lambda tensors: {
            "meta": {"epoch": 1},
            "state_dict": pose_resnet.named_as_mmpose(tensors, "head"),
        },
        False,
    ),
    "compiled": (
        lambda tensors: {
            "model": {f"_orig_mod.module.{n}": t for n, t in tensors.items()}
        },
        True,
    ),
    "Lightning": (
        lambda tensors: {
            "state_dict": {
                f"model._orig_mod.{n}": t
                for n, t in pose_resnet.named_as_mmpose(tensors, "head").items()
            },
            "global_step": 1,
        },
        False,
    ),
}


@pytest.fixture(scope="module")
def tensors():
    """ResNet-18 of 1/8 width, 3 deconvolutions, 5 joints."""
    return pose_resnet.random_tensors(18, width=8)


@pytest.fixture
def images():
    """Noise, but white and black at two borders, where padding tells."""
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3))
    images[:, :5], images[:, :, -4:] = 255, 0
    return images.astype("float32")


def heatmaps(model, images):
    """`(B, K, h, w)`, as PyTorch has them."""
    return np.asarray(model(images)["heatmaps"]).transpose(0, 3, 1, 2)


def assert_same_maps(model, images, expected):
    assert expected.shape == (2, 5, 16, 24)  # stride 4
    assert expected.std() > 0.5  # 1e-3 is little
    np.testing.assert_allclose(heatmaps(model, images), expected, atol=1e-3)


@pytest.mark.parametrize("project", NAMES)
def test_maps_are_those_of_numpy(project, tensors, images):
    named, bgr = NAMES[project]
    model = models.from_pytorch(named(tensors), image_size=(64, 96))
    seen = pose_resnet.normalised(images, bgr)
    assert_same_maps(model, images, pose_resnet.forward(tensors, seen))


@pytest.mark.parametrize(
    "stride, caffe", [("pytorch", False), ("1x1", True)], ids=str
)
def test_bottlenecks_have_the_stride_where_it_is_asked(stride, caffe, images):
    tensors = pose_resnet.random_tensors(50)
    model = models.from_pytorch(tensors, (64, 96), "torch", stride)
    seen = pose_resnet.normalised(images, bgr=False)
    expected = pose_resnet.forward(tensors, seen, caffe)
    assert_same_maps(model, images, expected)
    assert importing._config(model).bottleneck_stride == stride


def test_a_stride_padded_as_pytorch_takes_the_same_weights():
    known, padded = (
        backbones.build("resnet50", (64, 64), bottleneck_stride=stride)
        for stride in ("1x1", "pytorch")
    )
    weighted = [
        [layer.name for layer in model.layers if layer.weights]
        for model in (known, padded)
    ]
    assert weighted[0] == weighted[1]
    padded.set_weights(known.get_weights())
    assert padded.output_shape == known.output_shape


def test_joints_are_those_of_simple_baselines(tensors, images):
    outputs = models.from_pytorch(tensors, (64, 96))(images)
    maps = np.asarray(outputs["heatmaps"]).transpose(0, 3, 1, 2)
    # Their map's pixel m is pixel 4 m of the crop.
    expected = 4 * their_decode.final_cells(maps)
    np.testing.assert_allclose(outputs["joints"], expected, atol=1e-5)
    assert (expected % 4 != 0).mean() > 0.5  # most are shifted


def test_what_is_read_is_in_the_tensors():
    tensors = pose_resnet.random_tensors(18, 3, 16, deconvolutions=(12, 12))
    tensors["fc.weight"] = np.zeros((1000, 128), "float32")
    tensors["bn1.num_batches_tracked"] = np.array(7)
    model = models.from_pytorch(tensors, 64)
    assert model.output["heatmaps"].shape == (None, 8, 8, 3)
    assert model.get_layer("heatmap_head").channels == 12
    assert model.get_layer("centering").mode == "torch_bgr"


@pytest.mark.parametrize(
    "change, message",
    [
        pytest.param(
            {"layer2.0.bn2.running_var": None},
            r"missing: layer2\.0\.bn2\.running_var$",
            id="missing",
        ),
        pytest.param({"conv1.weight": None}, r"missing: conv1\.w", id="first"),
        pytest.param(
            # 64 times as wide, and gigabytes if a network were built of this.
            {"conv1.weight": np.zeros((512, 3, 7, 7))},
            r"layer4\.1\.conv2\.weight \(64, 64, 3, 3\), not \(4096, 4096,",
            id="a width that the file does not have",
        ),
        pytest.param(
            {"deconv_layers.0.weight": np.zeros((1, 10**6, 1, 1))},
            r"deconv_layers\.0\.weight \(1, 1000000, 1, 1\), not ",
            id="channels that the file does not have",
        ),
        pytest.param(
            {"deconv_layers.0.bias": np.zeros(8)},
            r"too many: deconv_layers\.0\.bias$",
            id="too many",
        ),
        pytest.param(
            {"final_layer.weight": np.zeros((5, 8, 3, 3))},
            r"shape: final_layer\.weight \(5, 8, 3, 3\), not \(5, 8, 1, 1\)$",
            id="a 3 x 3 kernel at the end",
        ),
        pytest.param(
            {"bn1.bias": np.zeros(8, int)}, r"bn1\.bias of type int", id="ints"
        ),
        pytest.param(
            {"layer3.2.conv1.weight": np.zeros((32, 32, 3, 3))},
            "2-2-3-2 basic blocks",
            id="another backbone",
        ),
    ],
)
def test_says_which_tensors_are_wrong(tensors, change, message):
    changed = {**tensors, **change}
    changed = {n: t for n, t in changed.items() if t is not None}
    with pytest.raises(ValueError, match=message):
        models.from_pytorch(changed, 64)


def test_refuses_what_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="Received: list"):
        models.from_pytorch([1, 2])
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        models.from_pytorch(tmp_path / "none.pth")


def test_weights_go_into_the_same_network_only(tensors):
    def built(**options):
        options = {"preprocessing": "torch_bgr", "cells": "first", **options}
        return models.pose_model(
            "I1",
            "resnet18",
            5,
            64,
            upsamplings=3,
            width_multiplier=0.125,
            head_channels=8,
            **options,
        )

    imported = models.fingerprint(models.from_pytorch(tensors, 64))
    assert imported == models.fingerprint(built())
    assert imported != models.fingerprint(built(preprocessing="caffe"))
    assert imported != models.fingerprint(built(cells="middle"))
    strides = [
        models.fingerprint(
            models.pose_model(image_size=64, bottleneck_stride=each)
        )
        for each in ("1x1", "3x3", "pytorch")
    ]
    assert strides[0] != strides[1] != strides[2] != strides[0]


@pytest.mark.parametrize(
    "save", [torch_files.save_zip, torch_files.save_legacy]
)
def test_a_file_gives_what_its_tensors_give(save, tensors, images, tmp_path):
    # Halves, so that reading is what makes the difference, if any.
    halves = {n: t.astype("float16") for n, t in tensors.items()}
    named, _ = NAMES["simple baselines in training"]
    save(named(halves), tmp_path / "pose_resnet_18_96x64.pth.tar")
    model = models.from_pytorch(tmp_path / "pose_resnet_18_96x64.pth.tar")
    assert model.input_shape == (None, 96, 64, 3)
    expected = models.from_pytorch(halves, (96, 64))
    images = images.transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(
        heatmaps(model, images), heatmaps(expected, images)
    )


def test_one_line_says_what_it_is_and_what_is_guessed(
    tensors, tmp_path, capsys
):
    torch_files.save_zip(tensors, tmp_path / "some.pth")
    models.from_pytorch(tmp_path / "some.pth", bottleneck_stride="1x1")
    assert capsys.readouterr().out == (
        "some.pth: Simple Baselines' resnet18, 5 joints; guessed: crops of "
        "256 x 192 (height x width) as COCO's mostly are; trained on BGR by "
        "the tensors' names\n"
    )
    models.from_pytorch(tensors, 64, "torch", "pytorch")
    assert capsys.readouterr().out == (
        "checkpoint: Simple Baselines' resnet18, 5 joints\n"
    )


def test_two_networks_are_refused(tensors):
    twice = {**tensors, "module.conv1.weight": tensors["conv1.weight"]}
    with pytest.raises(ValueError, match=r"conv1\.weight twice.*as module"):
        models.from_pytorch(twice, 64)


def test_weights_are_finite(tensors):
    broken = tensors["bn1.bias"].copy()
    broken[3] = np.nan
    with pytest.raises(ValueError, match=r"finite.*bn1\.bias"):
        models.from_pytorch({**tensors, "bn1.bias": broken}, 64)


@pytest.mark.parametrize(
    "path, is_one",
    [
        ("pose_resnet_50_256x192.pth.tar", True),
        ("a/b.safetensors", True),
        ("model.keras", False),
        ("runs/demo", False),
        (None, False),
    ],
)
def test_endings_tell_a_checkpoint(path, is_one):
    assert tensor_files.is_checkpoint(path) is is_one


def test_a_resnet_152_has_36_blocks_in_its_third_stage():
    blocks = {1: 3, 2: 8, 3: 36, 4: 3}
    tensors = {
        f"layer{stage}.{i}.conv1.weight": np.zeros(1, "f4")
        for stage, count in blocks.items()
        for i in range(count)
    }
    tensors["layer1.0.conv3.weight"] = np.zeros(1, "f4")
    assert pytorch_checkpoint._backbone(tensors) == "resnet152"
