"""Tests for the second look at a photograph of one person."""

import types

import numpy as np

from integral_tf.detection import refinement

IMAGE = np.zeros((90, 120, 3), np.uint8)
JOINTS = np.array([[20.0, 30], [59, 30], [20, 69], [110, 5]])


def answering(*scores):
    """A function that answers these, one call after another, and its boxes."""
    rest, boxes = list(scores), []

    def estimate(image, some):
        assert image is IMAGE
        boxes.append([list(box) for box in some])
        values = np.array(rest.pop(0))
        return [
            types.SimpleNamespace(
                joints=JOINTS, scores=values, score=values.mean(), box=some[0]
            )
        ]

    return estimate, boxes


def test_the_second_look_is_at_the_sure_joints():
    estimate, boxes = answering([0.9, 0.9, 0.9, 0.2], [0.9, 0.9, 0.9, 0.9])
    pose = refinement.refined(estimate, IMAGE)
    # From 20 to 59 and from 30 to 69: 39, times 1.25 is 48.75; its middle is
    # pixel (39.5, 49.5), the edge (40, 50).
    want = [15.625, 25.625, 48.75, 48.75]
    assert boxes == [[[0, 0, 120, 90]], [want]]
    assert list(pose.box) == want


def test_a_second_answer_that_is_less_sure_is_none():
    estimate, boxes = answering([0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.8])
    assert list(refinement.refined(estimate, IMAGE).box) == [0, 0, 120, 90]
    assert len(boxes) == 2


def test_two_sure_joints_give_no_box():
    estimate, boxes = answering([0.9, 0.9, 0.29, 0.2])
    assert list(refinement.refined(estimate, IMAGE).box) == [0, 0, 120, 90]
    assert len(boxes) == 1
