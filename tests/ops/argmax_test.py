"""Tests for the argmax; every expected value is placed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.ops import argmax


def peaks(*spots, height=4, width=6):
    """Maps of zeros, one joint per `(x, y, score)`."""
    maps = np.zeros((1, height, width, len(spots)), "float32")
    for joint, (x, y, score) in enumerate(spots):
        maps[0, y, x, joint] = score
    return maps


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_finds_one_hot_pixels(dtype):
    maps = tf.cast(peaks((0, 0, 1), (5, 0, 2), (0, 3, 0.5), (4, 2, 8)), dtype)
    points, score = argmax.argmax(maps)
    assert points.dtype == score.dtype == "float32"
    np.testing.assert_array_equal(points[0], [(0, 0), (5, 0), (0, 3), (4, 2)])
    np.testing.assert_array_equal(score[0], [1, 2, 0.5, 8])


def test_channels_first():
    maps = peaks((5, 1, 1), (2, 3, 1)).transpose(0, 3, 1, 2)
    points, _ = argmax.argmax(maps, data_format="channels_first")
    np.testing.assert_array_equal(points[0], [(5, 1), (2, 3)])


def test_a_tie_goes_to_the_first_pixel_in_reading_order():
    maps = np.zeros((1, 4, 6, 1), "float32")
    maps[0, 1, 4] = maps[0, 2, 0] = maps[0, 3, 5] = 3.0
    np.testing.assert_array_equal(argmax.argmax(maps)[0], [[(4, 1)]])
    # All alike: the corner, and not NaN.
    points, score = argmax.argmax(np.full((1, 4, 6, 1), -2.0, "float32"))
    np.testing.assert_array_equal(points, [[(0, 0)]])
    np.testing.assert_array_equal(score, [[-2]])


def test_scores_may_all_be_negative():
    maps = peaks((3, 2, 1)) - 10
    points, score = argmax.argmax(maps)
    np.testing.assert_array_equal(points, [[(3, 2)]])
    np.testing.assert_array_equal(score, [[-9]])


def test_lines_and_volumes():
    line = np.zeros((1, 9, 1), "float32")
    line[0, 7] = 1
    np.testing.assert_array_equal(argmax.argmax(line)[0], [[[7]]])
    volume = np.zeros((1, 3, 4, 5, 1), "float32")
    volume[0, 2, 1, 4] = 1  # z = 2, y = 1, x = 4
    np.testing.assert_array_equal(argmax.argmax(volume)[0], [[[4, 1, 2]]])


@pytest.mark.parametrize(
    "shape", [(None, 4, 6, 2), (None, None, None, 2), (None,) * 4]
)
def test_in_a_graph_that_knows_no_shape(shape):
    graph = tf.function(
        argmax.argmax, input_signature=[tf.TensorSpec(shape, tf.float32)]
    )
    points, _ = graph(peaks((5, 1, 1), (2, 3, 1)))
    np.testing.assert_array_equal(points[0], [(5, 1), (2, 3)])


def test_a_quarter_of_a_pixel_towards_the_higher_neighbours():
    # A maximum of 9 at (2, 2) of 6 x 5, each of its neighbours as named.
    maps = np.zeros((1, 5, 6, 4), "float32")
    maps[0, 2, 2] = 9
    maps[0, 2, 3, 0], maps[0, 2, 1, 0] = 2, 1  # right of it more than left
    maps[0, 3, 2, 0] = -1  # and above more than below
    maps[0, 2, 1, 1], maps[0, 3, 2, 1] = 3, 3  # left and below
    maps[0, 1, 2, 2], maps[0, 3, 2, 2] = 4, 4  # a tie
    maps[0, 3, 3, 3], maps[0, 2, 4, 3] = 8, 8  # none of its neighbours
    points, score = argmax.shifted(maps)
    expected = [(2.25, 1.75), (1.75, 2.25), (2, 2), (2, 2)]
    np.testing.assert_array_equal(points[0], expected)
    np.testing.assert_array_equal(score[0], [9, 9, 9, 9])
    first = maps.transpose(0, 3, 1, 2)
    points, _ = argmax.shifted(first, "channels_first")
    np.testing.assert_array_equal(points[0], expected)


@pytest.mark.parametrize(
    "spot, shifts",
    [
        ((2, 2), True),
        ((4, 3), True),
        ((1, 2), False),  # on the first two and on the last pixel of an axis
        ((2, 1), False),
        ((0, 3), False),
        ((5, 3), False),
        ((3, 4), False),
    ],
)
def test_near_the_border_a_maximum_stays(spot, shifts):
    x, y = spot
    maps = np.zeros((1, 7, 8, 1), "float32")[:, :5, :6]
    maps[0, y] += np.arange(6)[:, None] / 10
    maps[0, y, x] = 9
    ((point,),), _ = argmax.shifted(maps)
    assert tuple(point) == ((x + 0.25, y) if shifts else (x, y))
