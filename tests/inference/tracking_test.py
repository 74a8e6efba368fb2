"""Tests for the numbers that people keep from frame to frame."""

import numpy as np
import pytest

from integral_tf.inference import tracking
from tests.inference import walkers

pose, numbers = walkers.pose, walkers.numbers


def test_people_keep_their_numbers_in_any_order():
    track = tracking.Tracker()
    assert numbers(track([pose(100), pose(300)], 0.0)) == [1, 2]
    assert numbers(track([pose(305), pose(102)], 0.04)) == [2, 1]
    # The given poses are not changed; a newcomer has the next number.
    newcomer = pose(500)
    assert numbers(track([newcomer, pose(104), pose(310)], 0.08)) == [3, 1, 2]
    assert newcomer.number == 1


@pytest.mark.parametrize("hidden", [0, 8])
def test_people_who_cross_keep_their_numbers(hidden):
    # 200 pixels per second in opposite directions; around the crossing the one
    # behind is not found.
    track = tracking.Tracker()
    for t in range(51):
        seconds = t / 25
        right = pose(100 + 200 * seconds)
        left = pose(500 - 200 * seconds)
        if abs(t - 25) <= hidden:
            found = track([right], seconds)
        else:
            found = track([left, right], seconds)
    assert numbers(found) == [1, 2]  # the first frame numbered the left one 1


def test_someone_who_is_not_found_moves_on_and_is_forgotten():
    track = tracking.Tracker(lost=0.5)
    for t in range(-10, 11):
        track([pose(100 + 20 * t)], t / 10)  # 200 pixels per second
    # 0.4 s later: 80 pixels further.
    assert numbers(track([], 1.4)) == []
    (box,) = track.boxes(1.4)
    assert box[0] + box[2] / 2 == pytest.approx(380, abs=1)
    assert numbers(track([pose(400)], 1.5)) == [1]
    assert track.numbers == [1]
    assert numbers(track([pose(520)], 2.1)) == [2]  # 0.6 s: a new number
    assert track.numbers == [2]


def test_times_count_and_not_frames():
    # The same film at a quarter of the rate.
    for every in (1, 4):
        track = tracking.Tracker()
        for t in range(-40, 41, every):
            found = track([pose(100 + 4 * t)], t / 40)
        assert numbers(found) == [1]
        (box,) = track.boxes(1.25)
        assert box[0] + box[2] / 2 == pytest.approx(300, abs=1)


def test_boxes_are_around_the_sure_joints():
    track = tracking.Tracker()
    track([pose(100, box=np.array([0.0, 0, 400, 300]))], 0.0)
    # 1.25 times 40 x 100 pixels around (100, 100); half a pixel to the centre.
    np.testing.assert_allclose(
        track.boxes(0.1), [[100.5 - 25, 100.5 - 62.5, 50, 125]]
    )
    assert tracking.Tracker().boxes(0.0).shape == (0, 4)


def test_one_pose_of_two_people_is_the_nearer_ones():
    track = tracking.Tracker(lost=0.5)
    track([pose(100), pose(180)], 0.0)
    # Both boxes found the pose of the second person.
    found = track([pose(176), pose(178)], 0.04, new=False)
    assert numbers(found) == [2]
    # The first is remembered, and not for ever.
    assert numbers(track([pose(100), pose(180)], 0.08)) == [1, 2]
    # The first goes to the second, and from there on has the same pose: at 8
    # pixels the OKS is exp(-64 / (2 * 0.134^2 * 50 * 125)) = 0.75, at 10 0.64.
    for t in range(3, 44):
        found = track([pose(min(100 + 2 * t, 181)), pose(180)], t * 0.04)
        assert len(found) == (2 if t < 36 else 1)
    assert track.numbers == [1, 2]
    for t in range(44, 60):
        track([pose(181), pose(180)], t * 0.04)
    assert len(track.numbers) == 1


def test_poses_in_boxes_of_known_people_are_no_new_people():
    track = tracking.Tracker()
    assert track([pose(100)], 0.0, new=False) == []
    assert numbers(track([pose(100), pose(400)], 0.04)) == [1, 2]
    # A pose that is nobody's, and one without a sure joint.
    found = track([pose(700), pose(100), pose(400, score=0.1)], 0.08, new=False)
    assert numbers(found) == [1]


def test_each_frame_is_later_than_the_one_before():
    track = tracking.Tracker()
    track([], 1.0)
    with pytest.raises(ValueError, match="Received: 1.0 s after 1.0 s"):
        track([], 1.0)
    with pytest.raises(ValueError, match="Received: lost=-1"):
        tracking.Tracker(lost=-1)
