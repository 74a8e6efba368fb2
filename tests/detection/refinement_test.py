"""Tests for the second look at a photograph of one person."""

import types

import numpy as np

from integral_tf.detection import refinement

JOINTS = np.array([[20.0, 30], [59, 30], [20, 69], [110, 5]])


def pose(*scores):
    values = np.array(scores)
    return types.SimpleNamespace(
        joints=JOINTS, scores=values, score=values.mean()
    )


def looks(first, second):
    """What is answered, and the boxes that were looked at again."""
    boxes = []

    def again(box):
        boxes.append(box.tolist())
        return second

    return refinement.refined(first, again), boxes


def test_the_second_look_is_at_the_sure_joints():
    first, second = pose(0.9, 0.9, 0.9, 0.2), pose(0.9, 0.9, 0.9, 0.9)
    answer, boxes = looks(first, second)
    # From 20 to 59 and from 30 to 69: 39, times 1.25 is 48.75; its middle is
    # pixel (39.5, 49.5), the edge (40, 50).
    assert boxes == [[15.625, 25.625, 48.75, 48.75]]
    assert answer is second


def test_a_second_answer_that_is_less_sure_is_none():
    first, second = pose(0.9, 0.9, 0.9, 0.9), pose(0.9, 0.9, 0.9, 0.8)
    answer, boxes = looks(first, second)
    assert answer is first and len(boxes) == 1


def test_two_sure_joints_give_no_box():
    first = pose(0.9, 0.9, 0.29, 0.2)
    answer, boxes = looks(first, None)
    assert answer is first and not boxes
