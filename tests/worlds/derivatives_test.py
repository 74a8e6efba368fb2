"""Derivatives of the layer in whichever Keras this is.

First ones, second ones, those along a direction and those of a learned beta,
beside NumPy's float64.
"""

import numpy as np
import pytest

import integral_tf
from tests import numpy_reference
from tests.worlds import cases

# What is read, and with which beta.
READINGS = {
    "plain": {"beta": 2.0},
    "window": {"beta": 2.0, "window": 3},
    "background": {"beta": 4.0, "background": 0.0},
}
# Scores of a flat map's pixels, (row, column).
INFINITE = {
    "one of +inf": {(2, 3): np.inf},
    "two of +inf": {(0, 0): np.inf, (4, 5): np.inf},
    "two that overflow": {(0, 0): 3e38, (4, 5): 3e38},
    "nothing but -inf": {(...,): -np.inf},
    "nothing but +inf": {(...,): np.inf},
}


def pull_of_beta(layer, maps):
    """d sum(joints) / d log beta, by the backend's differentiation."""
    if cases.BACKEND == "jax":
        import jax

        def total(value):
            return layer.stateless_call([value], [], maps)[0].sum()

        return jax.grad(total)(layer.log_beta.value)
    if cases.BACKEND == "torch":
        layer(maps).sum().backward()
        return layer.log_beta.value.grad
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(maps))
    return tape.gradient(total, layer.log_beta)


def slope_of_penalty(maps, **options):
    """The gradient of |d sum(joints) / d maps|^2 by central differences."""
    ones = np.ones((len(maps), maps.shape[-1], 2))
    want = np.zeros(maps.shape)
    for pixel in np.ndindex(maps.shape):
        moved = np.stack([maps, maps]).astype("float64")
        moved[0][pixel] += 1e-4
        moved[1][pixel] -= 1e-4
        more, less = (
            np.sum(numpy_reference.gradient(each, ones, **options) ** 2)
            for each in moved
        )
        want[pixel] = (more - less) / 2e-4
    return want


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("base", [0.0, 1e4, -1e4, "masked"])
def test_gradient_of_a_learned_beta(name, base):
    options = dict(READINGS[name])
    maps = cases.blobs(batch=2, joints=2)
    if base == "masked":
        maps[:, ::2] = -np.inf  # a share of 0, times infinity, was NaN
        options.pop("background", None)
    else:
        maps = maps + np.float32(base)
        if "background" in options:
            options["background"] += base
    layer = integral_tf.IntegralRegression(learn_beta=True, **options)
    got = cases.array(pull_of_beta(layer, maps))
    beta, step = options.pop("beta"), 1e-4
    more, less = (
        numpy_reference.joints(maps, beta * np.exp(way), **options).sum()
        for way in (step, -step)
    )
    np.testing.assert_allclose(got, (more - less) / (2 * step), atol=2e-4)


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("pixels", INFINITE.values(), ids=INFINITE)
def test_beta_learns_nothing_of_infinite_scores(name, pixels):
    maps = np.zeros((1, 8, 12, 1), "float32")
    for pixel, score in pixels.items():
        maps[0, ..., 0][pixel] = score
    layer = integral_tf.IntegralRegression(learn_beta=True, **READINGS[name])
    # Who is at infinity is there at any beta.
    assert cases.array(pull_of_beta(layer, maps)) == 0


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("name", READINGS)
def test_second_derivative(name, learned):
    options = READINGS[name]
    maps = cases.blobs(batch=2, height=5, width=6, joints=2)
    layer = integral_tf.IntegralRegression(learn_beta=learned, **options)
    want = slope_of_penalty(maps, **options)
    assert abs(want).max() > 0.1
    got = cases.penalty_of(layer, maps)
    np.testing.assert_allclose(cases.array(got), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("confidence", [False, True])
def test_second_derivative_with_confidence(confidence):
    maps = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("f")
    layer = integral_tf.IntegralRegression(confidence=confidence)
    want = slope_of_penalty(maps)
    got = cases.penalty_of(
        lambda x: layer(x)["joints"] if confidence else layer(x), maps
    )
    np.testing.assert_allclose(cases.array(got), want, atol=1e-5)


@pytest.mark.parametrize("name", cases.OPTIONS)
def test_forward_mode(name):
    options = cases.OPTIONS[name]
    layer = integral_tf.IntegralRegression(**options)
    maps, way = (cases.blobs(seed, batch=1) for seed in (0, 1))
    if "data_format" in options:
        maps, way = (each.transpose(0, 3, 1, 2) for each in (maps, way))
    if cases.BACKEND == "jax":
        import jax

        _, got = jax.jvp(layer, (maps,), (way,))
    elif cases.BACKEND == "torch":
        import torch

        maps, way = torch.tensor(maps), torch.tensor(way)
        _, got = torch.func.jvp(layer, (maps,), (way,))
        # And what else of torch.func a written-out gradient would refuse.
        torch.func.vmap(lambda each: layer(each[None]))(maps)
        torch.func.grad(lambda maps: layer(maps).sum())(maps)
    else:
        import tensorflow as tf

        maps = tf.constant(maps)
        with tf.autodiff.ForwardAccumulator(maps, tf.constant(way)) as ahead:
            points = layer(maps)
        got = ahead.jvp(points)
    # By the gradient, joint by joint.
    want = np.zeros((1, 3, 2))
    for k, i in np.ndindex(3, 2):
        upstream = np.zeros((1, 3, 2), "float32")
        upstream[0, k, i] = 1
        pull = cases.array(cases.gradient_of(layer, np.asarray(maps), upstream))
        want[0, k, i] = np.sum(pull * np.asarray(way))
    np.testing.assert_allclose(cases.array(got), want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["plain", "beta", "window"])
def test_gradient(name):
    options = cases.OPTIONS[name]
    maps = cases.blobs()
    upstream = np.random.default_rng(1).normal(size=(2, 3, 2)).astype("f")
    layer = integral_tf.IntegralRegression(stride=cases.STRIDE, **options)
    want = numpy_reference.gradient(maps, cases.STRIDE * upstream, **options)
    got = cases.array(cases.gradient_of(layer, maps, upstream))
    np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"confidence": True}], ids=str)
def test_gradient_of_the_background(options):
    # The slope at some pixels is that of central differences, in float64.
    maps, step = cases.blobs(batch=1, joints=1), 1e-4
    reading = {"beta": 8.0, "background": 0.0}
    layer = integral_tf.IntegralRegression(
        stride=cases.STRIDE, **reading, **options
    )
    upstream = np.float32([[[1.0, -2.0]]])
    got = cases.array(
        cases.gradient_of(
            lambda x: layer(x)["joints"] if options else layer(x),
            maps,
            upstream,
        )
    )
    top = np.unravel_index(maps.argmax(), maps.shape)
    for pixel in (top, (0, 0, 0, 0), (0, 7, 11, 0)):
        moved = np.stack([maps, maps]).astype("float64")
        moved[0][pixel] += step
        moved[1][pixel] -= step
        more, less = (cases.expected(each, **reading) for each in moved)
        want = np.sum((more - less) * upstream) / (2 * step)
        np.testing.assert_allclose(got[pixel], want, rtol=1e-3, atol=1e-4)
