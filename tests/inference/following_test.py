"""Tests for the people of a film, from frames to smooth joints."""

import dataclasses

import numpy as np
import pytest

from integral_tf.inference import following
from integral_tf.inference import smoothing
from tests.inference import walkers

pose, numbers = walkers.pose, walkers.numbers


class Estimate:
    """Gives the poses that it was made with, and remembers the boxes."""

    def __init__(self, frames):
        self.frames, self.boxes = iter(frames), []

    def __call__(self, image, boxes=None):
        self.boxes.append(boxes)
        return next(self.frames)


def film(count=12, noise=2.0, seed=0):
    """Two people who walk to the right, with errors, 25 frames per second."""
    rng = np.random.default_rng(seed)
    frames = []
    for t in range(count):
        there = [pose(100 + 4 * t), pose(300 + 4 * t)]
        for each in there:
            each.joints = each.joints + rng.normal(0, noise, (16, 2))
            each.covariance = np.tile(noise**2 * np.eye(2), (16, 1, 1))
        frames.append(there)
    return frames, np.arange(count) / 25


def test_between_detections_boxes_are_those_of_the_last_poses():
    some = [pose(104), pose(700)]
    frames = [[pose(100)], some, [pose(108), pose(400)], [pose(112)]]
    estimate = Estimate(frames)
    follow = following.Follower(estimate, detect_every=2)
    boxes = [[75.0, 40.0, 50.0, 120.0]]
    found = []
    for t in range(4):
        assert follow.detects == (t % 2 == 0)
        found.append(numbers(follow(None, t / 25, boxes)))
    assert found == [[1], [1], [1, 2], [1]]
    assert estimate.boxes[0] is boxes and estimate.boxes[2] is boxes
    # 1.25 times 40 x 100 pixels around the joints of the first frame.
    np.testing.assert_allclose(estimate.boxes[1], [[75.5, 38, 50, 125]])
    assert estimate.boxes[3].shape == (2, 4)


def test_nobody_to_look_for_is_no_call_of_the_network():
    estimate = Estimate([])
    follow = following.Follower(estimate, detect_every=2)
    assert follow(None, 0.0, boxes=[]) == follow(None, 0.1) == []
    assert estimate.boxes == []


def test_what_is_nobodys_is_counted():
    frames = [[pose(100), pose(400, score=0.1)], [pose(100), pose(101)]]
    follow = following.Follower(Estimate(frames))
    assert [numbers(follow(None, t / 25)) for t in range(2)] == [[1], [1]]
    assert follow.unclaimed == 2


def test_a_filter_smooths_each_person_and_keeps_what_was_measured():
    frames, seconds = film()
    given = [[each.joints for each in poses] for poses in frames]
    estimate = Estimate(
        [poses[::-1] if t % 2 else poses for t, poses in enumerate(frames)]
    )
    follow = following.Follower(estimate, smooth=smoothing.OneEuro)
    alone = smoothing.OneEuro()
    for t, second in enumerate(seconds):
        found = {each.number: each for each in follow(None, second)}
        assert set(found) == {1, 2}
        np.testing.assert_array_equal(found[1].measured, given[t][0])
        # The longer side of the box is 120 pixels.
        wanted = alone(second, given[t][0], 120)
        np.testing.assert_array_equal(found[1].joints, wanted)


def numbered(frames):
    return [
        [dataclasses.replace(each, number=n) for n, each in enumerate(poses, 1)]
        for poses in frames
    ]


def test_a_whole_film_is_nearer_to_the_truth_and_jitters_less():
    frames, seconds = film(40, noise=3.0)
    got = following.smoothed(numbered(frames), seconds)
    assert [numbers(poses) for poses in got] == [[1, 2]] * 40
    truth = np.array([
        [walkers.JOINTS + (x + 4 * t, 100) for x in (100, 300)]
        for t in range(40)
    ])  # fmt: skip
    raw = np.array([[each.joints for each in poses] for poses in frames])
    smooth = np.array([[each.joints for each in poses] for poses in got])
    assert np.abs(smooth - truth).mean() < 0.5 * np.abs(raw - truth).mean()
    jitters = [np.diff(points - truth, 2, axis=0) for points in (raw, smooth)]
    assert np.abs(jitters[1]).mean() < 0.1 * np.abs(jitters[0]).mean()
    np.testing.assert_array_equal(got[3][1].measured, raw[3, 1])
    assert got[3][1].covariance.shape == (16, 2, 2)
    assert got[3][1].scores is frames[3][1].scores


def test_a_person_who_is_missing_between_frames_is_there():
    frames, seconds = film(20, noise=0.1)
    frames = numbered(frames)
    for t in (8, 9, 10):
        del frames[t][0]
    del frames[19][0]
    got = following.smoothed(frames, seconds)
    assert [len(poses) for poses in got] == [2] * 19 + [1]
    bridged = got[9][0]
    assert bridged.number == 1 and bridged.measured is None
    assert not bridged.sure and bridged.score == 0
    np.testing.assert_allclose(
        bridged.joints, walkers.JOINTS + (136, 100), atol=1
    )
    # 1.25 times 40 x 100 pixels.
    np.testing.assert_allclose(bridged.box, [111.5, 38, 50, 125], atol=3)


def test_a_model_without_covariances_is_smoothed_by_a_constant():
    frames, seconds = film(12)
    for poses in frames:
        for each in poses:
            each.covariance = None
    got = following.smoothed(numbered(frames), seconds)
    assert got[5][0].covariance.shape == (16, 2, 2)
    assert following.smoothed([[], []], [0.0, 0.1]) == [[], []]


def test_people_are_looked_for_in_every_nth_frame():
    with pytest.raises(ValueError, match="Received: detect_every=0"):
        following.Follower(Estimate([]), detect_every=0)
