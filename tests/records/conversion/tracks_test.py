"""Tests for the shapes between those of a track."""

import pytest

from integral_tf.records.conversion import tracks


def shape(number, x, y, seen=2, **more):
    return tracks.Shape(number, {"nose": (x, y, seen)}, **more)


def rows(shapes, step=1):
    return [
        (s.number, *s.points["nose"], s.is_keyframe)
        for s in tracks.filled(shapes, step)
    ]


def test_points_are_on_straight_lines():
    # A quarter, a half and three quarters of the way; hidden as before.
    assert rows([shape(6, 4, 10, 2), shape(2, 0, 2, 1)]) == [
        (2, 0, 2, 1, True),
        (3, 1, 4, 1, False),
        (4, 2, 6, 1, False),
        (5, 3, 8, 1, False),
        (6, 4, 10, 2, True),
    ]


def test_frames_that_the_task_leaves_out_stay_out():
    shapes = [shape(0, 0, 0), shape(10, 10, 20)]
    assert [row[:3] for row in rows(shapes, step=5)] == [
        (0, 0, 0), (5, 5, 10), (10, 10, 20),
    ]  # fmt: skip


def test_a_track_may_pause():
    gone = shape(2, 1, 1, goes_on=False, is_there=False)
    last = shape(9, 5, 5, goes_on=False)
    found = rows([shape(0, 1, 1), gone, shape(8, 5, 5), last])
    assert [row[0] for row in found] == [0, 1, 8, 9]
    # A label of the last shape of Label Studio is there and ends the track.
    assert [r[0] for r in rows([last, shape(12, 5, 5)])] == [9, 12]


def test_a_joint_that_the_next_shape_lacks_stays_where_it_is():
    later = tracks.Shape(2, {"tail": (9, 9, 2)})
    between = list(tracks.filled([shape(0, 1, 1), later]))[1]
    assert between.points == {"nose": (1, 1, 2)}


def test_a_damaged_number_is_refused():
    message = "Two shapes of a track are at most 100,000 frames apart. Received"
    with pytest.raises(ValueError, match=message):
        rows([shape(0, 1, 1), shape(10**12, 1, 1)])
