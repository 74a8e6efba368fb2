"""Tests for what `IntegralRegression` may do beyond Eq. (7).

Expected joints are where the peak was put, or those of `numpy_reference`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf.layers import IntegralRegression
from tests import conformance
from tests import numpy_reference


def gaussian(x, y, side=32, sigma=1.0):
    """H1's map of a joint: peak 1, almost nothing elsewhere."""
    rows, columns = np.indices((side, side))
    square = (columns - x) ** 2 + (rows - y) ** 2
    return np.exp(-square / (2 * sigma**2))[None, ..., None]


@pytest.mark.parametrize(
    "kwargs",
    [
        pytest.param({"background": 0.0}, id="background"),
        pytest.param({"background": -1.0, "confidence": True}, id="and more"),
        pytest.param({"window": 3}, id="window"),
        pytest.param({"window": 5, "covariance": True}, id="window and more"),
        pytest.param({"learn_beta": True, "beta": 3.0}, id="learned"),
    ],
)
def test_conforms(kwargs, tmp_path):
    maps = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    shape = (2, 3, 2)
    if kwargs.get("confidence"):
        shape = {"joints": shape, "confidence": (2, 3)}
    if kwargs.get("covariance"):
        shape = {"joints": shape, "covariance": (2, 3, 2, 2)}
    conformance.check_layer(
        IntegralRegression(**kwargs), maps.astype("float32"), shape, tmp_path
    )


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_corner_map(dtype, jit_compile):
    # A joint at cell 3 of 32: with beta 10 the empty cells, a few hundredths of
    # the mass, draw it half a cell to the centre.
    maps = gaussian(3, 3)
    drawn = numpy_reference.joints(maps, 10.0)[0, 0]
    np.testing.assert_allclose(drawn - 3, 0.51, atol=0.01)
    plain = IntegralRegression(beta=10.0)
    layer = IntegralRegression(beta=10.0, background=0.0)
    maps = tf.constant(maps, dtype)
    run = tf.function(lambda x: (plain(x), layer(x)), jit_compile=jit_compile)
    biased, compensated = run(maps)
    np.testing.assert_allclose(biased[0, 0], drawn, atol=2e-3)
    np.testing.assert_allclose(compensated[0, 0], (3, 3), atol=0.01)


@pytest.mark.parametrize("beta", [3.0, 5.0, 10.0, 100.0])
@pytest.mark.parametrize("place", [(5, 8), (16.5, 11.5), (25.5, 26)])
def test_compensation_is_right_wherever_the_peak_is(beta, place):
    layer = IntegralRegression(beta=beta, background=0.0)
    points = layer(gaussian(*place))[0, 0]
    np.testing.assert_allclose(points, place, atol=0.01)
    # Shifted scores are the same map over another background.
    layer = IntegralRegression(beta=beta, background=-7.0)
    points = layer(gaussian(*place) - 7.0)[0, 0]
    np.testing.assert_allclose(points, place, atol=0.02)


@pytest.mark.parametrize("value", [-1e4, -1.0, 0.0, 1.0, 1e4])
@pytest.mark.parametrize("peak", [0.0, 1e-4, 89.0, 1e4])
def test_compensation_is_finite_and_in_the_map(value, peak):
    # MMPose's, without its maximum taken out, is NaN from 89 on.
    maps = np.full((1, 8, 8, 1), value, "float32")
    maps[0, 1, 2] += peak
    layer = IntegralRegression(background=0.0)
    maps = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        points = layer(maps)
    gradient = tape.gradient(points, maps)
    assert np.isfinite(points).all() and np.isfinite(gradient).all()
    assert (points.numpy() >= 0).all() and (points.numpy() <= 7).all()


def test_a_joint_cut_at_the_edge_keeps_its_gradient():
    # The compensated x is far left of the map; raising a pixel to the right
    # moves it back, and so must have a slope.
    maps = np.full((1, 8, 8, 1), -0.1, "float32")
    maps[0, :, 0] = 1.0
    x = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(x)
        read = IntegralRegression(background=0.0)(x)[0, 0, 0]
    assert read == 0
    assert tape.gradient(read, x)[0, 4, 7, 0] > 0


def test_compensation_is_differentiable():
    # The slope of the compensated x is that of central differences.
    maps = gaussian(3, 4, side=8).astype("float64")
    layer = IntegralRegression(beta=4.0, background=0.0)
    x = tf.constant(maps, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        read = layer(x)[0, 0, 0]
    slope = tape.gradient(read, x).numpy()[0, 4, 5, 0]

    def moved(step):
        """The compensated x in float64, one pixel's score a step higher."""
        higher = maps.copy()
        higher[0, 4, 5] += step
        return numpy_reference.joints(higher, 4.0, background=0.0)[0, 0, 0]

    expected = (moved(1e-5) - moved(-1e-5)) / 2e-5
    np.testing.assert_allclose(slope, expected, rtol=1e-3)


def test_a_window_reads_one_of_two_modes():
    # Two people's peaks, the left a little higher.
    maps = gaussian(5, 10) * 1.1 + gaussian(25, 10)
    whole = IntegralRegression(beta=20.0)(maps)[0, 0, 0]
    near = IntegralRegression(beta=20.0, window=7)(maps)[0, 0, 0]
    assert whole > 6
    np.testing.assert_allclose(near, 5, atol=1e-3)
    # Between two pixels: 0.75 and 0.25 of the mass beside each other.
    line = np.log(np.array([1e-9, 0.75, 0.25, 1e-9, 1e-9, 0.7]))
    line = line.reshape(1, 1, 6, 1).astype("float32")
    near = IntegralRegression(window=3)(line)[0, 0, 0]
    np.testing.assert_allclose(near, 1.25, atol=1e-5)


def test_a_window_does_not_flatter_the_confidence():
    maps = gaussian(5, 10) + gaussian(25, 10)
    layer = IntegralRegression(beta=50.0, window=5, confidence=True)
    np.testing.assert_allclose(layer(maps)["confidence"], 0.5, atol=0.05)


def test_the_covariance_is_of_the_whole_map():
    # Two pixels of equal mass, 20 apart: 10 squared each, wherever the joint.
    line = np.full((1, 1, 32, 1), -50.0, "float32")
    line[0, 0, 5], line[0, 0, 25] = 0.001, 0.0
    for options in ({}, {"window": 3}, {"background": -50.0}):
        layer = IntegralRegression(covariance=True, **options)
        np.testing.assert_allclose(
            layer(line)["covariance"][0, 0, 0, 0], 100, atol=0.1
        )


@pytest.mark.parametrize("learn_beta", [False, True])
def test_beta_is_checked_when_it_is_set(learn_beta):
    layer = IntegralRegression(learn_beta=learn_beta)
    layer(gaussian(3, 3))
    with pytest.raises(ValueError, match="Received: beta=0"):
        layer.beta = 0
    assert layer.beta == 1


def test_beta_is_learned():
    # Maps whose joint needs a sharper softmax than 1.
    rng = np.random.default_rng(0)
    places = rng.uniform(2, 13, (64, 2))
    maps = np.concatenate([gaussian(x, y, side=16) for x, y in places])
    truth = places[:, None].astype("float32")
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), IntegralRegression(learn_beta=True)]
    )
    (layer,) = model.layers
    assert layer.beta == pytest.approx(1.0)
    model.compile(keras.optimizers.Adam(0.2), "mae", jit_compile=False)
    before = model.evaluate(maps, truth, verbose=0)
    model.fit(maps, truth, epochs=10, verbose=0)
    assert layer.beta > 5
    assert model.evaluate(maps, truth, verbose=0) < 0.3 * before
    layer.beta = 2.0
    np.testing.assert_allclose(
        model(maps[:1])[0, 0],
        numpy_reference.joints(maps[:1], 2.0)[0, 0],
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "kwargs, words",
    [
        ({"window": 4}, "Received: window=4"),
        ({"window": 1}, "Received: window=1"),
        ({"window": 3, "background": 0.0}, "window=3, background=0.0"),
    ],
)
def test_rejects_what_makes_no_sense(kwargs, words):
    with pytest.raises(ValueError, match=words):
        IntegralRegression(**kwargs)
