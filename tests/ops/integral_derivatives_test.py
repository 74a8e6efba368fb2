"""Tests for the integral operation's derivatives, beside `numpy_reference`."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.ops import integral
from tests import numpy_reference
from tests.ops import cases


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("spatial", cases.SPATIAL, ids=str)
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_gradient_is_the_closed_form(spatial, data_format, beta):
    maps = cases.random_maps(spatial)
    upstream = np.random.default_rng(1).normal(size=(2, 3, len(spatial)))
    gradient = cases.pulled(
        cases.arrange(maps, data_format),
        upstream,
        beta=beta,
        data_format=data_format,
    )
    expected = cases.arrange(
        numpy_reference.gradient(maps, upstream, beta), data_format
    )
    np.testing.assert_allclose(gradient, expected, atol=1e-4)


def test_gradient_by_hand():
    # J_x = 0.75 * 1 + 0.25 * 5 = 2, so 0.75 * (1 - 2) and 0.25 * (5 - 2).
    maps = numpy_reference.scores({(1, 0): 0.75, (5, 0): 0.25})
    gradient = cases.pulled(maps, [[[1.0, 0.0]]])[0, 0, :, 0]
    np.testing.assert_allclose(gradient, [0, -0.75, 0, 0, 0, 0.75], atol=1e-6)


def test_the_written_gradient_is_the_automatic_one():
    maps = tf.constant(cases.random_maps((5, 4)))
    upstream = np.random.default_rng(1).normal(size=(2, 3, 2))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        _, points, _ = cases.read(maps)
    automatic = tape.gradient(points, maps, tf.constant(upstream, "float32"))
    np.testing.assert_allclose(
        cases.pulled(maps, upstream), automatic, atol=1e-5
    )


def test_second_derivative_is_right_in_tensorflow():
    maps, direction = (
        cases.random_maps((3, 4), scale=1.0),
        np.zeros((2, 3, 4, 3)),
    )
    direction[0, 1, 2, 0] = 1.0
    upstream = np.ones((2, 3, 2))
    tensor = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        picked = tf.reduce_sum(cases.pulled(tensor, upstream) * direction)
    # Central differences of the closed form, in NumPy float64.
    up = numpy_reference.gradient(maps + 1e-4 * direction, upstream)
    down = numpy_reference.gradient(maps - 1e-4 * direction, upstream)
    np.testing.assert_allclose(
        tape.gradient(picked, tensor), (up - down) / 2e-4, atol=1e-4
    )


def test_beta_may_be_learned():
    # By the chain rule the slope along beta is sum_p dJ/dH(p) H(p), at beta 1.
    maps = cases.random_maps((5, 4))
    upstream = np.ones((2, 3, 2))
    beta = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        points = integral.integrate(maps, beta)
    gradient = tape.gradient(points, beta)
    expected = (numpy_reference.gradient(maps, upstream) * maps).sum()
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)
