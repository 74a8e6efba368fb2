"""Tests for the lengths that divide errors."""

import numpy as np
import pytest

from integral_tf import metrics
from integral_tf import skeletons
from integral_tf import units

FACE = skeletons.Skeleton("face", ("left_eye", "right_eye", "nose"), (), ())


def test_the_thresholds_of_heads_are_those_of_pckh():
    np.testing.assert_array_equal(units.HEAD.thresholds, metrics.ALPHAS)
    assert units.HEAD.figures == ("@0.5", "@0.1", "AUC")


def test_two_joints_are_a_unit():
    unit = units.named("left_eye, nose", FACE)
    assert unit.metric == "PCK"
    assert unit.words == "left_eye-nose distances"
    assert unit.figures == ("@0.1", "@0.05", "AUC")
    assert unit.right == unit.thresholds[-1] == 0.1
    assert (unit.digits, units.TENTH.digits) == (3, 2)


def test_lengths_worked_by_hand():
    # 3 and 4 aside are 5; unlabelled or in one place there is no length.
    joints = [[[0, 0], [3, 4], [9, 9]]] * 2 + [[[1, 1], [1, 1], [9, 9]]]
    visible = [[1, 2, 0], [1, 0, 1], [1, 1, 1]]
    boxes = [[0, 0, 4, 9]] * 3
    eyes = units.lengths("left_eye,right_eye", FACE, joints, visible, boxes)
    assert eyes.tolist() == [5, 0, 0]
    box = units.lengths("box", FACE, joints, visible, boxes)
    assert box.tolist() == [6, 6, 6]  # the root of 4 * 9


@pytest.mark.parametrize(
    "text", ["left_eye", "left_eye,left_eye", "left_eye,mouth", "head", ""]
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="distance of two joints.*Received"):
        units.named(text, FACE)


def test_thresholds_are_numbers():
    assert units.alphas("0.05, 0.1") == (0.1, 0.05)
    for text in ("", "a", "0", "-1", "0.1,0.1", "nan", "0.1;0.2", "inf"):
        with pytest.raises(ValueError, match="--alpha is thresholds above 0"):
            units.alphas(text)
