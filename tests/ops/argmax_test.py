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
