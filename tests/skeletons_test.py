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


# The person category of COCO's own person_keypoints_*2017.json.
PERSON = {
    "supercategory": "person",
    "id": 1,
    "name": "person",
    "keypoints": [
        "nose", "left_eye", "right_eye", "left_ear", "right_ear",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
        "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
        "right_knee", "left_ankle", "right_ankle",
    ],
    "skeleton": [
        [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13],
        [6, 7], [6, 8], [7, 9], [8, 10], [9, 11], [2, 3], [1, 2], [1, 3],
        [2, 4], [3, 5], [4, 6], [5, 7],
    ],
}  # fmt: skip


def category(*joints, **fields):
    return {"name": "thing", "keypoints": list(joints), **fields}


def test_cocos_own_category_is_coco():
    assert skeletons.from_coco(PERSON) is skeletons.COCO
    # With other sigmas it is built from the category: joint by joint alike.
    built = skeletons.from_coco(PERSON, sigmas=[0.5] * 17)
    assert built.joints == skeletons.COCO.joints
    assert set(built.sides) == set(skeletons.COCO.sides)
    assert {frozenset(limb) for limb in built.limbs} == {
        frozenset(limb) for limb in skeletons.COCO.limbs
    }
    assert built.mirrored_order == skeletons.COCO.mirrored_order
    assert built.sigmas == (0.5,) * 17


def test_a_category_is_read_by_hand():
    own = skeletons.from_coco(
        category(
            "nose", "left_paw", "right_paw", "tail",
            skeleton=[[1, 4], [2, 1], [1, 2], [3, 1]],
        ),
        sigmas=[0.1, 0.2, 0.3, 0.4],
    )  # fmt: skip
    assert own == skeletons.Skeleton(
        name="thing",
        joints=("nose", "left_paw", "right_paw", "tail"),
        sides=(("left_paw", "right_paw"),),
        limbs=(("nose", "tail"), ("left_paw", "nose"), ("right_paw", "nose")),
        sigmas=(0.1, 0.2, 0.3, 0.4),
    )
    assert own.mirrored_order == [0, 2, 1, 3]


@pytest.mark.parametrize("number", [1, 7])
def test_a_skeleton_knows_its_category(number):
    own = skeletons.from_coco(category("top", "bottom", id=number))
    assert own.categories == (number,)
    people = skeletons.from_coco({**PERSON, "id": number})
    assert people == dataclasses.replace(skeletons.COCO, categories=(number,))
    # Files of before say nothing of it.
    fields = skeletons.to_dict(own)
    del fields["categories"]
    assert skeletons.from_dict(fields).categories == (1,)


def test_a_category_need_not_say_much():
    own = skeletons.from_coco(category("top", "bottom"))
    assert (own.sides, own.limbs, own.groups) == ((), (), ())
    # The mean of COCO's 17, to three digits.
    mean = np.mean(skeletons.COCO.sigmas)
    assert own.sigmas == (skeletons.DEFAULT_SIGMA,) * 2 == (round(mean, 3),) * 2


@pytest.mark.parametrize(
    "left, right", [("L.Eye", "R.Eye"), ("front_left_paw", "front_right_paw")]
)
def test_sides_are_told_by_the_names(left, right):
    for order in ((left, "nose", right), (right, "nose", left)):
        own = skeletons.from_coco(category(*order))
        assert own.sides == ((left, right),)
        assert own.mirrored_order == [2, 1, 0]


def test_a_side_without_its_other_stays_itself():
    own = skeletons.from_coco(category("left_eye", "ear_r", "nose"))
    assert own.sides == () and own.mirrored_order == [0, 1, 2]


@pytest.mark.parametrize("pairs", [[[2, 3]], [["east", "west"]]])
def test_flip_pairs_go_before_names(pairs):
    own = skeletons.from_coco(
        category("left_over", "east", "west", flip_pairs=pairs)
    )
    assert own.sides == (("east", "west"),)
    assert skeletons.from_coco(category("left_over", flip_pairs=[])).sides == ()


@pytest.mark.parametrize(
    "given, message",
    [
        (None, "A COCO category with joints has a `name`"),
        (["nose"], "A COCO category with joints has a `name`"),
        ({"name": "bird"}, "`keypoints`, a list of different names"),
        ({"keypoints": ["a"]}, "has a `name`"),
        (category(), "a list of different names"),
        (category("a", "a"), "a list of different names"),
        (category("a", 2), "a list of different names"),
        (category("a", "b", skeleton=[[0, 1]]), "1 to 2. Received: .0, 1."),
        (category("a", "b", skeleton=[[1, 3]]), "1 to 2. Received: .1, 3."),
        (category("a", "b", skeleton=[[1, 1]]), "two different joints"),
        (category("a", "b", skeleton=[1, 2]), "has pairs .* Received: 1"),
        (category("a", "b", skeleton=[[1, 2, 1]]), "Received: .1, 2, 1."),
        (category("a", "b", flip_pairs=[["a", "c"]]), "`flip_pairs` has pairs"),
        (
            category("a", "b", "c", flip_pairs=[[1, 2], [2, 3]]),
            "places with one other only",
        ),
    ],
)
def test_refuses_other_categories(given, message):
    with pytest.raises(ValueError, match=f"{message}"):
        skeletons.from_coco(given)


@pytest.mark.parametrize("sigmas", [[], [0.1], [0.1, 0], [0.1, float("nan")]])
def test_refuses_other_sigmas(sigmas):
    with pytest.raises(ValueError, match="one for each of the 2 .*Received:"):
        skeletons.from_coco(category("a", "b"), sigmas)


OWN = skeletons.from_coco(category("a", "l_b", "r_b", skeleton=[[1, 2]]))


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
