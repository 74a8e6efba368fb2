"""Tests for the texts that give joints their numbers."""

import dataclasses

import pytest

from integral_tf import joint_numbers
from integral_tf import skeletons

PAWS = skeletons.Skeleton(
    "paws",
    ("tail", "frontLeftPaw", "frontRightPaw"),
    (("frontLeftPaw", "frontRightPaw"),),
    (),
    groups=(("Ends", ("tail", "frontRightPaw")),),
)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("tail=2", (2, 1, 1)),
        (" tail = 2 , frontLeftPaw=0.5", (2, 0.5, 1)),
        ("front_paw=3", (1, 3, 3)),
        ("Ends=0", (0, 1, 0)),
        ("Ends=0,frontLeftPaw=1e-3", (0, 1e-3, 0)),
    ],
)
def test_weights(text, wanted):
    assert joint_numbers.weights(text, PAWS) == wanted


def test_no_text_is_no_weight():
    assert joint_numbers.weights("", PAWS) is None
    assert joint_numbers.sigmas("", skeletons.COCO) == skeletons.COCO.sigmas
    assert joint_numbers.sigmas("", PAWS) == ()


def test_sigmas_replace_the_skeletons_own_or_the_default():
    found = joint_numbers.sigmas("wrist=0.03,nose=0.1", skeletons.COCO)
    changed = joint_numbers.named(found, skeletons.COCO)
    own = joint_numbers.named(skeletons.COCO.sigmas, skeletons.COCO)
    assert changed == {
        **own, "left_wrist": 0.03, "right_wrist": 0.03, "nose": 0.1,
    }  # fmt: skip
    assert joint_numbers.sigmas("0.2", PAWS) == (0.2,) * 3
    default = skeletons.DEFAULT_SIGMA
    assert joint_numbers.sigmas("tail=1", PAWS) == (1, default, default)


@pytest.mark.parametrize(
    "text, said",
    [
        ("nose=2", "of tail, frontLeftPaw, frontRightPaw, front_paw, Ends"),
        ("tail", "finite numbers. Received: ''"),
        ("tail=much", "Received: 'much' in --joint_weights=tail=much"),
        ("tail=nan", "finite numbers"),
        ("tail=inf", "finite numbers"),
        ("tail=-1", "number from 0"),
        ("tail=0,front_paw=0", "weighs more than 0"),
        ("front_paw=1,frontLeftPaw=2", "two for frontLeftPaw"),
        ("tail=1,", "Received: ''"),
    ],
)
def test_one_sentence_for_each_mistake(text, said):
    with pytest.raises(ValueError) as caught:
        joint_numbers.weights(text, PAWS)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "tail=0", "tail=-0.1", "wide"])
def test_sigmas_are_above_0(text):
    with pytest.raises(ValueError, match=f"--sigmas={text}"):
        joint_numbers.sigmas(text, PAWS)


def test_in_words():
    said = joint_numbers.described((2.0, 0.5, 1.0, 1.0), skeletons.LSP)
    assert said == "right_ankle 2, right_knee 0.5, others 1"
    assert joint_numbers.described((0.1,) * 3, PAWS) == "all 0.1"


def test_a_joint_goes_before_the_name_of_a_pair():
    both = dataclasses.replace(
        PAWS, joints=("front_paw", *PAWS.joints[1:]), groups=()
    )
    assert joint_numbers.weights("front_paw=2", both) == (2, 1, 1)
