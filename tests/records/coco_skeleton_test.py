"""Tests for reading a skeleton from a category of a COCO file."""

import dataclasses

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import coco_skeleton

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
    assert coco_skeleton.from_category(PERSON) is skeletons.COCO
    # With other sigmas it is built from the category: joint by joint alike.
    built = coco_skeleton.from_category(PERSON, sigmas=[0.5] * 17)
    assert built.joints == skeletons.COCO.joints
    assert set(built.sides) == set(skeletons.COCO.sides)
    assert {frozenset(limb) for limb in built.limbs} == {
        frozenset(limb) for limb in skeletons.COCO.limbs
    }
    assert built.mirrored_order == skeletons.COCO.mirrored_order
    assert built.sigmas == (0.5,) * 17


def test_a_category_is_read_by_hand():
    own = coco_skeleton.from_category(
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
    own = coco_skeleton.from_category(category("top", "bottom", id=number))
    assert own.categories == (number,)
    people = coco_skeleton.from_category({**PERSON, "id": number})
    assert people == dataclasses.replace(skeletons.COCO, categories=(number,))
    # Files of before say nothing of it.
    fields = skeletons.to_dict(own)
    del fields["categories"]
    assert skeletons.from_dict(fields).categories == (1,)


def test_a_category_need_not_say_much():
    own = coco_skeleton.from_category(category("top", "bottom"))
    assert (own.sides, own.limbs, own.groups) == ((), (), ())
    # The mean of COCO's 17, to three digits.
    mean = np.mean(skeletons.COCO.sigmas)
    assert own.sigmas == (skeletons.DEFAULT_SIGMA,) * 2 == (round(mean, 3),) * 2


@pytest.mark.parametrize(
    "left, right", [("L.Eye", "R.Eye"), ("front_left_paw", "front_right_paw")]
)
def test_sides_are_told_by_the_names(left, right):
    for order in ((left, "nose", right), (right, "nose", left)):
        own = coco_skeleton.from_category(category(*order))
        assert own.sides == ((left, right),)
        assert own.mirrored_order == [2, 1, 0]


def test_a_side_without_its_other_stays_itself():
    own = coco_skeleton.from_category(category("left_eye", "ear_r", "nose"))
    assert own.sides == () and own.mirrored_order == [0, 1, 2]


@pytest.mark.parametrize("pairs", [[[2, 3]], [["east", "west"]]])
def test_flip_pairs_go_before_names(pairs):
    own = coco_skeleton.from_category(
        category("left_over", "east", "west", flip_pairs=pairs)
    )
    assert own.sides == (("east", "west"),)
    assert (
        coco_skeleton.from_category(category("left_over", flip_pairs=[])).sides
        == ()
    )


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
        coco_skeleton.from_category(given)


@pytest.mark.parametrize("sigmas", [[], [0.1], [0.1, 0], [0.1, float("nan")]])
def test_refuses_other_sigmas(sigmas):
    with pytest.raises(ValueError, match="one for each of the 2 .*Received:"):
        coco_skeleton.from_category(category("a", "b"), sigmas)
