"""Tests for OKS-NMS as a graph: it must be `inference.oks_nms`."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import inference
from integral_tf import skeletons
from integral_tf.export import suppression


def crowd(seed, people=40):
    """People of whom many are seen twice or more."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, 400, (people, 1, 2))
    joints = joints + rng.normal(0, 40, (people, 17, 2))
    for i in range(1, people):
        if rng.random() < 0.6:
            moved = rng.normal(0, rng.uniform(0, 12), (17, 2))
            joints[i] = joints[rng.integers(i)] + moved
    return joints, rng.uniform(size=people), rng.uniform(5e3, 2e4, people)


def keep(joints, scores, areas, threshold, skeleton=skeletons.COCO):
    arrays = (tf.constant(a, tf.float32) for a in (joints, scores, areas))
    return suppression.oks_nms(*arrays, skeleton, threshold).numpy().tolist()


@pytest.mark.parametrize("threshold", [0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_keeps_whom_numpy_keeps(seed, threshold):
    people = crowd(seed)
    want = inference.oks_nms(*people, threshold=threshold)
    assert keep(*people, threshold) == want.tolist()
    assert len(want) < 40


def test_of_equal_scores_the_last_is_kept():
    joints = np.zeros((3, 17, 2))
    assert keep(joints, [0.5, 0.5, 0.5], [100.0] * 3, 0.9) == [2]


def test_nobody():
    assert keep(np.zeros((0, 17, 2)), [], [], 0.9) == []


def test_joints_without_sigmas_take_the_default():
    # 0.067 each: 2 sigma is 0.134, so a joint 0.134 * 10 px away in an area of
    # 100 adds exp(-0.5) = 0.607.
    joints = np.zeros((2, 14, 2))
    joints[1, :, 0] = 1.34
    sure = joints, [0.9, 0.8], [100.0] * 2
    assert keep(*sure, 0.60, skeletons.LSP) == [0]
    assert keep(*sure, 0.61, skeletons.LSP) == [0, 1]
