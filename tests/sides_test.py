"""Tests for left and right in the names of joints."""

import pytest

from integral_tf import sides

# How files of many data sets and tools write one pair.
WAYS = [
    ("left_eye", "right_eye"),
    ("eye_left", "eye_right"),
    ("LeftEye", "RightEye"),
    ("leftEye", "rightEye"),
    ("eyeLeft", "eyeRight"),
    ("l_eye", "r_eye"),
    ("L_Eye", "R_Eye"),
    ("eye_l", "eye_r"),
    ("L.Eye", "R.Eye"),
    ("l.hand", "r.hand"),
    ("eye-L", "eye-R"),
    ("left-ear", "right-ear"),
    ("left eye", "right eye"),
    ("LEFT_EYE", "RIGHT_EYE"),
    ("front_left_paw", "front_right_paw"),
    ("Front Left Paw", "Front Right Paw"),
    ("frontLeftPaw", "frontRightPaw"),
    ("eye_left_inner", "eye_right_inner"),
    ("rEyeInner2", "lEyeInner2"),
    ("LShoulder", "RShoulder"),
    ("shoulderL", "shoulderR"),
    ("forelegL1", "forelegR1"),
    ("L_F_Elbow", "R_F_Elbow"),
    ("mid-left", "mid-right"),
    ("left", "right"),
    ("lefteye", "righteye"),
    ("front_leftpaw", "front_rightpaw"),
    ("eyeleft", "eyeright"),
    ("LEFTEYE", "RIGHTEYE"),
    ("Left (outer) eye", "Right (outer) eye"),
    ("oreille_l", "oreille_r"),
    ("left_élytre", "right_élytre"),
    ("left_eye_right_corner", "right_eye_left_corner"),
    ("left_hand_right_half", "right_hand_right_half"),
]


@pytest.mark.parametrize("one, other", WAYS)
def test_a_side_is_found_wherever_it_is_in_a_name(one, other):
    left, right = (other, one) if one.startswith("r") else (one, other)
    for order in ((one, "nose", other), (other, "nose", one)):
        assert sides.pairs(order) == ((left, right),)
        assert sides.unpaired(order, sides.pairs(order)) == []


@pytest.mark.parametrize(
    "names",
    [
        ("lip_upper", "rip_upper"),
        ("collar", "corrar"),
        ("heel", "heer"),
        ("ear", "eal"),
        ("bright", "girl", "tail", "leg", "reg"),
        ("left_eye", "right_ear"),
        ("L1", "L2", "T1"),
        ("leftover", "rest"),
        ("left_eye", "eye_right"),
    ],
)
def test_no_part_of_a_word_is_a_side(names):
    assert sides.pairs(names) == ()


def test_a_name_is_in_one_pair_only():
    names = ("left_eye", "right_eye", "Right Eye", "left-eye")
    assert sides.pairs(names) == (("left_eye", "right_eye"),)
    assert sides.unpaired(names, sides.pairs(names)) == [
        "Right Eye", "left-eye",
    ]  # fmt: skip


def test_a_side_without_its_other_is_told():
    names = ("nose", "left_eye", "paw_r", "leftover", "bright", "heel")
    assert sides.pairs(names) == ()
    assert sides.unpaired(names, ()) == ["left_eye", "paw_r"]


@pytest.mark.parametrize(
    "one, other",
    [
        ("lhip", "rhip"),
        ("hipl", "hipr"),
        ("paw_FL", "paw_FR"),
        ("Lt_eye", "Rt_eye"),
    ],
)
def test_what_may_be_two_sides_is_told(one, other):
    names = (other, "nose", one, "left_ear", "right_ear")
    found = sides.pairs(names)
    assert found == (("left_ear", "right_ear"),)
    assert sides.doubtful(names, found) == [(one, other)]
    assert sides.doubtful(names, (*found, (one, other))) == []


@pytest.mark.parametrize(("left", "right"), WAYS[:6])
def test_of_what_is_paired_there_is_no_doubt(left, right):
    names = (left, right, "heel", "collar", "pelvis")
    assert sides.doubtful(names, sides.pairs(names)) == []
