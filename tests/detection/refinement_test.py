"""Tests for the box of the second look at a photograph of one person."""

import numpy as np
import pytest

from integral_tf.detection import refinement

JOINTS = np.array([[20.0, 30], [59, 30], [20, 69], [110, 5]])


def test_the_box_is_around_the_sure_joints():
    box = refinement.sure_box(JOINTS, np.array([0.9, 0.9, 0.3, 0.2]))
    # From 20 to 59 and from 30 to 69: 39 times 1.25 is 48.75. The second look
    # is at whole pixels.
    box = refinement.in_pixels(box)
    assert box.tolist() == pytest.approx([16, 26, 49, 49])


def test_two_sure_joints_give_no_box():
    assert refinement.sure_box(JOINTS, np.array([0.9, 0.9, 0.29, 0.2])) is None
