"""Tests for upper and lower body in joint names."""

import pytest

from integral_tf import halves
from integral_tf import skeletons


def named(*joints):
    return skeletons.Skeleton(name="mine", joints=joints, sides=(), limbs=())


@pytest.mark.parametrize(
    "skeleton, upper",
    [
        # `upper_body_ids` of HRNet's datasets.
        ("mpii", [7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("coco", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        # Arms, neck and head; the first six are the legs.
        ("lsp", [6, 7, 8, 9, 10, 11, 12, 13]),
    ],
)
def test_known_skeletons(skeleton, upper):
    assert halves.upper(skeletons.get(skeleton)) == upper


@pytest.mark.parametrize(
    "above, below",
    [
        ("RWrist", "RBigToe"),
        ("lefteye", "hipright"),
        ("Head Top", "mid.hip"),
        ("left_shoulders", "Pelvis"),
        ("face-0", "left_feet"),
    ],
)
def test_halves_are_words_of_any_spelling(above, below):
    assert halves.upper(named(above, below)) == [0]
    assert halves.upper(named(below, above, "neck")) == [1, 2]


@pytest.mark.parametrize(
    "joints, said",
    [
        (("elbow", "knee", "front_paw"), "the joint 'front_paw'"),
        # An ear and a hip within other words are no halves.
        (("elbow", "knee", "heart"), "the joint 'heart'"),
        (("ship", "elbow", "knee"), "the joint 'ship'"),
        (("elbow", "hip_to_shoulder"), "the joint 'hip_to_shoulder'"),
        (("left_eye", "right_eye"), "no joint of the lower body"),
        (("left_knee", "hip"), "no joint of the upper body"),
    ],
)
def test_others_are_refused(joints, said):
    with pytest.raises(ValueError, match=f"Received: 'mine' with {said}"):
        halves.upper(named(*joints))
