"""Tests for reading a skeleton from a category of a COCO file."""

import dataclasses
import re

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import coco_skeleton
from tests.records import coco_files

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


@pytest.mark.parametrize(
    "skeleton, limbs, line",
    [
        ([[1, 2], [2, 3]], [[1, 2], [2, 3]], None),
        ([[0, 1], [1, 2]], [[1, 2], [2, 3]], "numbers the joints from 0"),
        # CrowdPose has COCO's pairs for joints that it does not have.
        ([[1, 2], [3, 4], [17, 15]], [[1, 2]], "2 of 3 pairs .* left out"),
        ([["nose", "left_paw"]], [[1, 2]], None),
        ([[1.0, 2.0]], [[1, 2]], None),
        ([[1, 1], [1], 7, [1, "ear"], [2, 3]], [[2, 3]], "4 of 5 pairs"),
        (5, [], "`skeleton` is no list of pairs"),
        (None, [], None),
    ],
)
def test_limbs_are_pairs_of_joints_however_numbered(
    tmp_path, skeleton, limbs, line
):
    category = {
        "id": 2, "name": "cat", "keypoints": coco_files.NAMES,
        "skeleton": skeleton,
    }  # fmt: skip
    truth, lines = coco_files.read(
        coco_files.write(tmp_path, categories=[category])
    )
    assert truth["categories"][0]["skeleton"] == limbs
    made = coco_skeleton.of_truth(truth)
    assert len(made.limbs) == len(limbs) and made.categories == (2,)
    if line:
        (said,) = lines
        assert re.search(line, said)
    else:
        assert lines == []


@pytest.mark.parametrize(
    "skeleton, flip_pairs, mirrored",
    [
        # Animal Kingdom counts both from 0, and no mirror exchanges joint 0.
        ([[0, 1], [0, 2]], [[1, 2]], [[2, 3]]),
        ([[1, 2]], [[0, 1]], [[1, 2]]),
        ([[0, 1]], [["nose", "left_paw"]], [[1, 2]]),
        # A number of the last joint is one from 1.
        ([[0, 1], [0, 2]], [[2, 3]], [[2, 3]]),
        ([[1, 2]], [[1, 2]], [[1, 2]]),
    ],
)
def test_one_file_numbers_its_joints_in_one_way(
    tmp_path, skeleton, flip_pairs, mirrored
):
    category = {
        "id": 2, "name": "cat", "keypoints": coco_files.NAMES,
        "skeleton": skeleton, "flip_pairs": flip_pairs,
    }  # fmt: skip
    truth, lines = coco_files.read(
        coco_files.write(tmp_path, categories=[category])
    )
    assert truth["categories"][0]["flip_pairs"] == mirrored
    assert len(truth["categories"][0]["skeleton"]) == len(skeleton)
    assert [line for line in lines if "left out" in line] == []


@pytest.mark.parametrize("keypoints", [[], None, "absent"])
def test_joints_without_names_are_called_by_number(tmp_path, keypoints):
    category = {"id": 2, "name": "face", "keypoints": keypoints}
    if keypoints == "absent":
        del category["keypoints"]
    path = coco_files.write(tmp_path, categories=[category])
    truth, kept, _, lines = coco_files.built(path)
    assert truth["categories"][0]["keypoints"] == ["1", "2", "3"]
    assert "no names of its 3 joints" in lines[0]
    assert len(kept) == 1 and kept[0].joints.shape == (3, 2)
    truth, _ = coco_files.read(path, keypoints=["a", "b", "c"])
    assert truth["categories"][0]["keypoints"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "given, names",
    [
        ("nose, left_paw,right_paw", coco_files.NAMES),
        (["eye", "eye", "tip"], ["eye", "eye_2", "tip"]),
        (["eye", "eye", "eye_2"], ["eye", "eye_3", "eye_2"]),
        (["eye", "", None], ["eye", "2", "3"]),
        ([0, 1, 2], ["0", "1", "2"]),
        ({"0": "nose", "1": "left_paw", "2": "right_paw"}, coco_files.NAMES),
        (
            [{"id": 7, "name": name} for name in coco_files.NAMES],
            coco_files.NAMES,
        ),
        ([{"label": "nose"}, "a", "b"], ["1", "a", "b"]),
    ],
)
def test_names_are_made_different_texts(tmp_path, given, names):
    category = {"id": 2, "name": "cat", "keypoints": given}
    truth, _ = coco_files.read(
        coco_files.write(tmp_path, categories=[category])
    )
    assert truth["categories"][0]["keypoints"] == names


def test_a_category_may_lack_a_name(tmp_path):
    path = coco_files.write(
        tmp_path, categories=[{"id": 2, "keypoints": coco_files.NAMES}]
    )
    truth, kept, _, lines = coco_files.built(path)
    assert truth["categories"][0]["name"] == "category 2" and len(kept) == 1
    assert lines == ["a category without a name is called category 2"]


ANIMALS = [
    {"id": n, "name": name, "keypoints": names}
    for n, name, names in (
        (1, "dog", coco_files.NAMES),
        (2, "cat", coco_files.NAMES),
        (4, "cow, brown", coco_files.NAMES),
        (7, "fly", coco_files.NAMES[:1]),
        (8, "plant", []),
    )
]


@pytest.mark.parametrize(
    "wanted, ids",
    [
        ("dog", [1]),
        ("dog,cat", [1, 2]),
        ("cat, dog", [1, 2]),
        ("cow, brown", [4]),
        (["cat", "cow, brown"], [2, 4]),
        ([4, 2], [2, 4]),
        ("all", [1, 2, 4]),
        (None, [1, 2, 4]),
        ("fly", [7]),
    ],
)
def test_one_skeleton_may_be_for_many_categories(tmp_path, wanted, ids):
    rows = [
        coco_files.row(
            id=n, category_id=category, keypoints=coco_files.POINTS[: 3 * count]
        )
        for n, (category, count) in enumerate(
            [(1, 3), (2, 3), (2, 3), (4, 3), (7, 1)], 1
        )
    ]
    path = coco_files.write(tmp_path, categories=ANIMALS, annotations=rows)
    truth, kept, dropped, _ = coco_files.built(path, wanted)
    assert [c["id"] for c in truth["categories"]] == ids
    # The rest is counted, with an example.
    assert len(kept) == sum(r["category_id"] in ids for r in rows)
    assert len(kept) + len(dropped) == 5
    assert {reason for reason, _ in dropped} <= {
        "annotation of another category"
    }
    assert [p.category for p in kept] == [
        r["category_id"] for r in rows if r["category_id"] in ids
    ]
    assert coco_skeleton.of_truth(truth).categories == tuple(ids)
    assert coco_files.self_score(truth) == pytest.approx(1.0)


def test_categories_of_other_joints_do_not_go_together(tmp_path):
    path = coco_files.write(tmp_path, categories=ANIMALS)
    with pytest.raises(ValueError, match="same keypoints.*dog and fly"):
        coco_files.read(path, "dog,fly")
    with pytest.raises(ValueError, match="dog, cat, cow.*Received: category="):
        coco_files.read(path, "dog,horse")
    people = [
        *ANIMALS,
        {"id": 9, "name": "person", "keypoints": coco_files.NAMES},
    ]
    truth, _ = coco_files.read(coco_files.write(tmp_path, categories=people))
    assert [c["name"] for c in truth["categories"]] == ["person"]


def test_cocos_person_is_found_by_default(tmp_path):
    own = {"id": 1, "name": "person", "keypoints": list(skeletons.COCO.joints)}
    truth, _ = coco_files.read(coco_files.write(tmp_path, categories=[own]))
    assert coco_skeleton.of_truth(truth).categories == (1,)
