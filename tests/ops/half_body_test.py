"""Tests for boxes around half of a person."""

import numpy as np
import pytest

from integral_tf.ops import half_body

UPPER = [0, 1, 2]
# Three joints of either half, in a box of 40 x 100.
JOINTS = [(20, 10), (40, 30), (30, 20), (22, 60), (38, 60), (30, 100)]
BOX = (10, 5, 40, 100)
# 20 x 20 around (30, 20), times 1.2: 24 x 24, of which the height is below a
# quarter of the box's. A point is half a pixel from its pixel's edge.
ABOVE = (30.5 - 12, 20.5 - 12.5, 24, 25)
# 16 x 40 around (30, 80), times 1.2.
BELOW = (30.5 - 9.6, 80.5 - 24, 19.2, 48)


def box(draws, visible=(1,) * 6, probability=0.3, joints=JOINTS, upper=UPPER):
    found = half_body.boxes(
        np.float32([BOX]),
        np.float32([joints]),
        np.float32([visible]),
        np.float32([draws]),
        upper=upper,
        probability=probability,
    )
    return np.asarray(found)[0]


@pytest.mark.parametrize(
    "draws, expected",
    [
        ((0.29, 0.69), ABOVE),
        ((0.29, 0.71), BELOW),
        ((0.31, 0.69), BOX),
        ((0.31, 0.71), BOX),
    ],
)
def test_boxes_of_both_halves_by_hand(draws, expected):
    np.testing.assert_allclose(box(draws), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "visible, prefers, expected",
    [
        pytest.param((1, 1, 0, 0, 0, 1), 0.0, "own", id="half of the joints"),
        pytest.param((1, 1, 0, 1, 1, 0), 0.9, "upper", id="two of the lower"),
        pytest.param((1, 0, 0, 1, 1, 1), 0.0, "lower", id="one of the upper"),
        pytest.param((0, 0, 0, 0, 0, 0), 0.0, "own", id="nobody"),
    ],
)
def test_a_half_needs_joints(visible, prefers, expected):
    # A joint without a label may be anywhere.
    joints = np.where(np.array(visible)[:, None] > 0, JOINTS, np.nan)
    found = box((0, prefers), visible, 1.0, joints)
    middle = (found[1] + found[3] / 2 - 0.5).round(4)
    # (10 + 30) / 2, (60 + 100) / 2, and the box's own 54.5.
    assert middle == {"upper": 20, "lower": 80, "own": 54.5}[expected]


def test_halves_that_are_both_too_small_leave_the_box():
    # One of the upper and two of the lower body.
    joints, visible = JOINTS[2:5], (1, 1, 1)
    found = box((0, 0), visible, 1.0, joints, upper=[0])
    np.testing.assert_array_equal(found, BOX)


def test_joints_at_one_point_have_a_quarter_of_the_box():
    joints = [(30, 20)] * 3 + JOINTS[3:]
    found = box((0, 0), joints=joints)
    np.testing.assert_allclose(found, (30.5 - 5, 20.5 - 12.5, 10, 25))
