"""Tests for the target maps; expected values are exp(-d^2 / 2 sigma^2)."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.ops import targets


def one(x, y, height=8, width=12, sigma=1.0):
    """The map of a single joint, `(height, width)`."""
    maps = targets.gaussians(
        np.array([[[x, y]]], "float32"), height, width, sigma
    )
    assert maps.shape == (1, height, width, 1)
    assert maps.dtype == "float32"
    return np.asarray(maps)[0, :, :, 0]


def test_peak_is_one_where_the_joint_is():
    target = one(9, 3)
    assert target[3, 9] == 1.0
    assert (np.delete(target.ravel(), 3 * 12 + 9) < 1.0).all()


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_sigma_is_the_standard_deviation(sigma):
    target = one(5, 4, sigma=sigma)
    one_away = np.exp(-0.5 / sigma**2)
    np.testing.assert_allclose(target[4, 6], one_away, rtol=1e-6)
    np.testing.assert_allclose(target[3, 5], one_away, rtol=1e-6)
    np.testing.assert_allclose(target[5, 4], one_away**2, rtol=1e-6)
    np.testing.assert_allclose(target[4, 8], one_away**9, rtol=1e-5)


def test_centre_is_the_joint_and_not_the_nearest_pixel():
    target = one(5.5, 4.0)
    np.testing.assert_allclose(target[4, 5:7], np.exp(-0.125), rtol=1e-6)
    # And so the map's mean is the joint, wherever its tails fit.
    target = one(16.3, 15.8, height=32, width=32).astype(np.float64)
    rows, columns = np.mgrid[:32, :32]
    np.testing.assert_allclose((target * columns).sum() / target.sum(), 16.3)
    np.testing.assert_allclose((target * rows).sum() / target.sum(), 15.8)


def test_a_joint_outside_leaves_a_tail_or_nothing():
    target = one(-1, 2)
    np.testing.assert_allclose(target[2, 0], np.exp(-0.5), rtol=1e-6)
    assert target.argmax() == 2 * 12
    np.testing.assert_array_equal(one(-1e4, 1e4), 0)


def test_every_joint_has_its_own_map():
    points = np.array([[[1, 2], [3, 0]], [[0, 0], [4, 5]]], "float32")
    maps = np.asarray(targets.gaussians(points, 6, 5))
    assert maps.shape == (2, 6, 5, 2)
    for person, joint in np.ndindex(2, 2):
        x, y = points[person, joint].astype(int)
        assert maps[person, y, x, joint] == 1.0


def test_in_a_graph_with_unknown_batch():
    graph = tf.function(
        lambda points: targets.gaussians(points, 6, 5),
        input_signature=[tf.TensorSpec((None, 1, 2), tf.float16)],
    )
    maps = graph(tf.constant([[[1, 2]]], tf.float16))
    assert maps.dtype == "float32"
    assert maps[0, 2, 1, 0] == 1.0
