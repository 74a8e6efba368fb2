"""Tests for what is guessed of a PyTorch checkpoint."""

import pytest

from integral_tf import skeletons
from integral_tf.models import checkpoint_guesses

COCO, MPII, LSP = skeletons.COCO, skeletons.MPII, skeletons.LSP


def guessed(name, joints=17, is_mmpose=False, **given):
    made = checkpoint_guesses.Guesses(**given)
    made.complete(name, joints, is_mmpose)
    return made


@pytest.mark.parametrize(
    "name, joints, size, skeleton",
    [
        # As Simple Baselines calls its files, its folders' configurations, ...
        ("pose_resnet_50_256x192.pth.tar", 17, (256, 192), COCO),
        ("pose_resnet_152_384x288.pth.tar", 17, (384, 288), COCO),
        ("pose_resnet_50_256x256.pth.tar", 16, (256, 256), MPII),
        ("pose_resnet_101_384x384.pth.tar", 16, (384, 384), MPII),
        ("384x288_d256x3_adam_lr1e-3.pth", 17, (384, 288), COCO),
        # ... and MMPose its own, before 1.0 and after.
        ("res50_coco_256x192-ec54d7f3_20200709.pth", 17, (256, 192), COCO),
        ("res50_mpii_256x256-418ffc88_20200812.pth", 16, (256, 256), MPII),
        (
            "td-hm_res101_8xb64-210e_coco-384x288-1a1b2c3d_20220926.pth",
            17,
            (384, 288),
            COCO,
        ),
        # Width first; a size that no network here has; none at all.
        ("resnet_192x256.pth", 17, (256, 192), COCO),
        ("resnet_100x100_d256x256.pth", 17, (256, 192), COCO),
        ("final_state.pth", 17, (256, 192), COCO),
        ("final_state.pth", 16, (256, 256), MPII),
        ("LSP_model_best.pth", 14, (256, 192), LSP),
        # Fourteen joints are LSP's, CrowdPose's or AI Challenger's.
        ("res50_crowdpose_256x192.pth", 14, (256, 192), None),
        ("model_best.pth", 5, (256, 192), None),
        ("res50_h36m_256x256.pth", 17, (256, 256), None),
        ("res50_ap10k_256x256.pth", 17, (256, 256), None),
        # COCO is in the name, but not COCO's 17 joints.
        ("res50_coco_wholebody_256x192.pth", 133, (256, 192), None),
    ],
)
def test_sizes_and_joints_of_known_names(name, joints, size, skeleton):
    made = guessed(name, joints)
    assert made.image_size == size
    assert made.skeleton is skeleton


def test_colours_and_strides():
    assert guessed("a.pth").preprocessing == "torch_bgr"
    assert guessed("a.pth", is_mmpose=True).preprocessing == "torch"
    assert guessed("a.pth").bottleneck_stride == "pytorch"
    caffe = guessed("256x192_d256x3_adam_lr1e-3_caffe.pth.tar")
    assert caffe.bottleneck_stride == "1x1"
    assert "strides as in Caffe by the file's name" in caffe.told


def test_what_is_given_is_not_guessed_nor_told():
    given = {
        "image_size": 64,
        "skeleton": LSP,
        "preprocessing": "torch",
        "bottleneck_stride": "1x1",
    }
    made = guessed("pose_resnet_50_256x192_caffe.pth.tar", 17, False, **given)
    assert vars(made) == {**given, "told": []}


def test_each_guess_is_told_with_its_reason():
    assert guessed("res50_256x256.pth", 16, True).told == [
        "the joints of mpii by their number",
        "crops of 256 x 256 (height x width) by the file's name",
        "trained on RGB by the tensors' names",
    ]
