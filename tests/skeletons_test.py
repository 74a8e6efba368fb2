"""Tests for the skeletons."""

import dataclasses
import json

import numpy as np
import pytest

from integral_tf import skeletons


@pytest.mark.parametrize(
    "name, joints", [("mpii", 16), ("lsp", 14), ("coco", 17)]
)
def test_each_is_found_by_its_name(name, joints):
    skeleton = skeletons.get(name)
    assert skeleton.name == name
    assert len(skeleton) == len(skeleton.joints) == joints
    assert len(set(skeleton.joints)) == joints


def test_rejects_an_unknown_name():
    with pytest.raises(ValueError, match="coco, lsp, mpii. Received: 'h36m'"):
        skeletons.get("h36m")


@pytest.mark.parametrize("skeleton", skeletons.KNOWN.values())
def test_mirroring_twice_changes_nothing(skeleton):
    order = np.array(skeleton.mirrored_order)
    everyone = np.arange(len(skeleton))
    np.testing.assert_array_equal(order[order], everyone)
    for joint, mirrored in zip(everyone, order):
        name, other = skeleton.joints[joint], skeleton.joints[mirrored]
        swapped = name.replace("left_", "L").replace("right_", "left_")
        assert other == swapped.replace("L", "right_")


@pytest.mark.parametrize("skeleton", skeletons.KNOWN.values())
def test_every_name_is_a_joint(skeleton):
    pairs = [*skeleton.sides, *skeleton.limbs]
    if skeleton.head:
        pairs.append(skeleton.head)
    grouped = [names for _, names in skeleton.groups]
    for names in (*pairs, *grouped, skeleton.in_mean):
        assert set(names) <= set(skeleton.joints)
    for pair in pairs:
        assert len(set(pair)) == 2


@pytest.mark.parametrize("skeleton", skeletons.KNOWN.values())
def test_no_limb_and_no_grouped_joint_comes_twice(skeleton):
    limbs = [frozenset(limb) for limb in skeleton.limbs]
    assert len(set(limbs)) == len(limbs)
    grouped = [joint for _, names in skeleton.groups for joint in names]
    assert len(set(grouped)) == len(grouped)


@pytest.mark.parametrize("skeleton", skeletons.KNOWN.values())
def test_limbs_reach_every_joint(skeleton):
    assert {j for limb in skeleton.limbs for j in limb} == set(skeleton.joints)


def test_indices_are_in_the_order_asked_for():
    assert skeletons.MPII.indices(("head_top", "right_ankle")) == [9, 0]


# Orders of the datasets' own files: MPII's `annopoints.point.id`, LSP's
# `joints.mat`, COCO's `person_keypoints` categories.
@pytest.mark.parametrize(
    "skeleton, index, joint",
    [
        (skeletons.MPII, 0, "right_ankle"),
        (skeletons.MPII, 5, "left_ankle"),
        (skeletons.MPII, 6, "pelvis"),
        (skeletons.MPII, 7, "thorax"),
        (skeletons.MPII, 8, "upper_neck"),
        (skeletons.MPII, 9, "head_top"),
        (skeletons.MPII, 10, "right_wrist"),
        (skeletons.MPII, 12, "right_shoulder"),
        (skeletons.MPII, 13, "left_shoulder"),
        (skeletons.MPII, 15, "left_wrist"),
        (skeletons.LSP, 0, "right_ankle"),
        (skeletons.LSP, 3, "left_hip"),
        (skeletons.LSP, 6, "right_wrist"),
        (skeletons.LSP, 9, "left_shoulder"),
        (skeletons.LSP, 12, "neck"),
        (skeletons.LSP, 13, "head_top"),
        (skeletons.COCO, 0, "nose"),
        (skeletons.COCO, 1, "left_eye"),
        (skeletons.COCO, 10, "right_wrist"),
        (skeletons.COCO, 16, "right_ankle"),
    ],
)
def test_orders_are_the_datasets(skeleton, index, joint):
    assert skeleton.joints[index] == joint


def test_the_mean_pools_all_joints_but_mpiis_pelvis_and_thorax():
    assert skeletons.LSP.mean_indices == list(range(14))
    left_out = set(range(16)) - set(skeletons.MPII.mean_indices)
    assert left_out == {6, 7}


def test_coco_has_the_sigmas_of_pycocotools():
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    expected = cocoeval.Params(iouType="keypoints").kpt_oks_sigmas
    np.testing.assert_allclose(skeletons.COCO.sigmas, expected)


OWN = skeletons.Skeleton(
    name="thing",
    joints=("a", "l_b", "r_b"),
    sides=(("l_b", "r_b"),),
    limbs=(("a", "l_b"),),
    sigmas=(0.1, 0.2, 0.3),
)


@pytest.mark.parametrize("skeleton", [*skeletons.KNOWN.values(), OWN])
def test_a_skeleton_goes_through_json(skeleton):
    text = json.dumps(skeletons.to_dict(skeleton))
    again = skeletons.from_dict(json.loads(text))
    assert again == skeleton
    assert dataclasses.astuple(again) == dataclasses.astuple(skeleton)


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        {},
        {"name": "x", "joints": ["a"]},
        {**skeletons.to_dict(OWN), "colour": 1},
        {**skeletons.to_dict(OWN), "limbs": [["a", "z"]]},
        {**skeletons.to_dict(OWN), "joints": ["a", "a", "b"]},
        {**skeletons.to_dict(OWN), "sides": [["a", "l_b"], ["l_b", "r_b"]]},
        {**skeletons.to_dict(OWN), "sides": [["a", "l_b", "r_b"]]},
        {**skeletons.to_dict(OWN), "sigmas": 5},
        {**skeletons.to_dict(OWN), "sigmas": [0.1, 0.1]},
        {**skeletons.to_dict(OWN), "sigmas": ["0.1", "0.1", "0.1"]},
        {**skeletons.to_dict(OWN), "sigmas": [0.1, float("nan"), 0.1]},
        {**skeletons.to_dict(OWN), "categories": ["1"]},
        {**skeletons.to_dict(OWN), "categories": []},
    ],
)
def test_refuses_what_is_no_skeleton(fields):
    with pytest.raises(ValueError, match="A skeleton is a dict of name"):
        skeletons.from_dict(fields)


@pytest.mark.parametrize(
    "field, value",
    [
        ("joints", ["x" * 10_000] * 2),
        ("sigmas", [0.1, -1, 0.1]),
        ("head", ["a", "z"]),
        ("groups", [["one", ["z"]]]),
        ("name", 5),
    ],
)
def test_the_wrong_field_alone_is_named_and_shortened(field, value):
    fields = {**skeletons.to_dict(OWN), field: value}
    with pytest.raises(ValueError, match=f"Received: {field}=") as refused:
        skeletons.from_dict(fields)
    assert len(str(refused.value)) < 320
