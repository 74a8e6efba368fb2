"""Derivatives of the layer's options in whichever Keras this is.

Those of a learned beta, and the second ones of a window and a background,
beside NumPy's float64.
"""

import numpy as np
import pytest

import integral_tf
from tests.worlds import layer_test

# What is read, and with which beta.
OPTIONS = {
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


def sum_and_pull(maps, beta, background=None, window=None):
    """sum(joints), and its gradient by the maps, in float64."""
    maps = maps.astype("float64")
    y, x = np.mgrid[: maps.shape[1], : maps.shape[2]][:, None, ..., None]
    top = maps.max(axis=(1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):
        mass = np.exp(beta * (maps - top))
    empty = 0.0 if background is None else np.exp(beta * (background - top))
    if window is not None:
        row, column = ((maps == top) * axis for axis in (y, x))
        row, column = (
            axis.sum(axis=(1, 2), keepdims=True) for axis in (row, column)
        )
        apart = np.maximum(abs(y - row), abs(x - column))
        mass = mass * (apart <= window // 2)
    total = np.sum(mass - empty, axis=(1, 2), keepdims=True)
    both = np.sum((mass - empty) * (x + y), axis=(1, 2), keepdims=True) / total
    return both.sum(), beta * mass / total * (x + y - both)


def pull_of_beta(layer, maps):
    """d sum(joints) / d log beta, by the backend's differentiation."""
    if layer_test.BACKEND == "jax":
        import jax

        def total(value):
            return layer.stateless_call([value], [], maps)[0].sum()

        return jax.grad(total)(layer.log_beta.value)
    if layer_test.BACKEND == "torch":
        layer(maps).sum().backward()
        return layer.log_beta.value.grad
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(maps))
    return tape.gradient(total, layer.log_beta)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("base", [0.0, 1e4, -1e4, "masked"])
def test_gradient_of_a_learned_beta(name, base):
    options = dict(OPTIONS[name])
    maps = layer_test.blobs(batch=2, joints=2)
    if base == "masked":
        maps[:, ::2] = -np.inf  # a share of 0, times infinity, was NaN
        options.pop("background", None)
    else:
        maps = maps + np.float32(base)
        if "background" in options:
            options["background"] += base
    layer = integral_tf.IntegralRegression(learn_beta=True, **options)
    got = layer_test.array(pull_of_beta(layer, maps))
    beta, step = options.pop("beta"), 1e-4
    more, _ = sum_and_pull(maps, beta * np.exp(step), **options)
    less, _ = sum_and_pull(maps, beta * np.exp(-step), **options)
    np.testing.assert_allclose(got, (more - less) / (2 * step), atol=2e-4)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("pixels", INFINITE.values(), ids=INFINITE)
def test_beta_learns_nothing_of_infinite_scores(name, pixels):
    maps = np.zeros((1, 8, 12, 1), "float32")
    for pixel, score in pixels.items():
        maps[0, ..., 0][pixel] = score
    layer = integral_tf.IntegralRegression(learn_beta=True, **OPTIONS[name])
    # Who is at infinity is there at any beta.
    assert layer_test.array(pull_of_beta(layer, maps)) == 0


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_second_derivative(name, learned):
    options = OPTIONS[name]
    maps = layer_test.blobs(batch=2, height=5, width=6, joints=2)
    layer = integral_tf.IntegralRegression(learn_beta=learned, **options)
    want = np.zeros(maps.shape)
    for pixel in np.ndindex(maps.shape):
        moved = np.stack([maps, maps]).astype("float64")
        moved[0][pixel] += 1e-4
        moved[1][pixel] -= 1e-4
        more, less = (
            np.sum(sum_and_pull(each, **options)[1] ** 2) for each in moved
        )
        want[pixel] = (more - less) / 2e-4
    assert abs(want).max() > 0.1
    got = layer_test.penalty_of(layer, maps)
    np.testing.assert_allclose(
        layer_test.array(got), want, rtol=1e-4, atol=1e-4
    )
