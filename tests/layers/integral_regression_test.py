"""Tests for the integral regression layer; its numbers are placed by hand."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf.layers import argmax
from integral_tf.layers import integral_regression
from tests import conformance
from tests import numpy_reference

IntegralRegression = integral_regression.IntegralRegression
Argmax = argmax.Argmax


def random_maps(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "kwargs, shape, expected_shape",
    [
        pytest.param({"stride": 8}, (2, 4, 6, 3), (2, 3, 2), id="maps"),
        pytest.param(
            {"data_format": "channels_first"},
            (2, 3, 4, 6),
            (2, 3, 2),
            id="channels first",
        ),
        pytest.param({}, (2, 5, 3), (2, 3, 1), id="lines"),
        pytest.param({"beta": 2.0}, (2, 3, 4, 5, 3), (2, 3, 3), id="volumes"),
        pytest.param(
            {"confidence": True, "covariance": True, "stride": 2},
            (2, 4, 6, 3),
            {
                "joints": (2, 3, 2),
                "confidence": (2, 3),
                "covariance": (2, 3, 2, 2),
            },
            id="everything",
        ),
        pytest.param(
            {"stride": (2, 3), "covariance": True, "packed": True},
            (2, 4, 6, 3),
            (2, 3, 6),
            id="packed",
        ),
        pytest.param(
            {"output_range": (-1, 1), "confidence": True},
            (2, 4, 6, 3),
            {"joints": (2, 3, 2), "confidence": (2, 3)},
            id="range",
        ),
    ],
)
def test_conforms(kwargs, shape, expected_shape, tmp_path):
    layer = IntegralRegression(**kwargs)
    conformance.check_layer(
        layer, random_maps(*shape), expected_shape, tmp_path
    )


@pytest.mark.parametrize(
    "pixels, expected",
    [
        pytest.param(
            {(5, 2): 1.0}, (5.0, 2.0), id="one pixel is returned as is"
        ),
        pytest.param(
            {(0, 0): 0.5, (5, 3): 0.5}, (2.5, 1.5), id="two are averaged"
        ),
        pytest.param({(1, 0): 0.75, (5, 0): 0.25}, (2.0, 0.0), id="by weight"),
    ],
)
def test_golden_points(pixels, expected):
    points = IntegralRegression()(numpy_reference.scores(pixels))
    np.testing.assert_allclose(points[0, 0], expected, atol=1e-6)


def test_stride_gives_crop_coordinates():
    # Cell 0 of stride 8 covers pixels 0..7, cell 5 40..47.
    points = IntegralRegression(stride=8)(
        numpy_reference.scores({(0, 5): 1.0}, height=6)
    )
    np.testing.assert_allclose(points[0, 0], (3.5, 43.5), atol=1e-5)


def test_a_stride_for_each_axis():
    # Slices of 3 mm, pixels of 0.5 mm; the peak in slice 1, row 2, column 0.
    volume = np.full((1, 2, 3, 4, 1), -1e3, "float32")
    volume[0, 1, 2, 0, 0] = 0
    points = IntegralRegression(stride=(3.0, 0.5, 0.5))(volume)
    # A cell's middle is half its stride from its edge, and edges are at -0.5.
    np.testing.assert_allclose(points[0, 0], (-0.25, 0.75, 4.0), atol=1e-6)


@pytest.mark.parametrize(
    "output_range, expected",
    [
        # The middle of the last of 6 columns and of the third of 4 rows.
        ((-1, 1), (1 - 1 / 6, 0.25)),
        ((0, 1), (11 / 12, 5 / 8)),
        ((0, 100), (1100 / 12, 500 / 8)),
    ],
)
@pytest.mark.parametrize("size", [(4, 6), (None, None)])
def test_a_range_is_that_of_the_maps_edges(output_range, expected, size):
    inputs = keras.Input((*size, 1))
    layer = IntegralRegression(output_range=output_range)
    model = keras.Model(inputs, layer(inputs))
    points = model.predict(numpy_reference.scores({(5, 2): 1.0}), verbose=0)
    assert points.dtype == "float32"
    np.testing.assert_allclose(points[0, 0], expected, rtol=1e-6)


def test_unpack():
    maps = random_maps(2, 3, 4, 5, 2)  # volumes: 3 + 1 + 9 channels
    plain = IntegralRegression(confidence=True, covariance=True)
    packed = IntegralRegression(confidence=True, covariance=True, packed=True)
    together = packed(maps)
    assert together.shape == (2, 2, 13)
    apart = packed.unpack(together)
    expected = plain(maps)
    assert apart.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(apart[name], value)
    with pytest.raises(ValueError, match="7 channels.*shape=.2, 2, 12.$"):
        packed.unpack(together[..., :12])


def test_beta_sharpens():
    # Squared, masses of 3 to 1 are 9 to 1: 0.9 * 1 + 0.1 * 5.
    layer = IntegralRegression(beta=2.0)
    points = layer(numpy_reference.scores({(1, 0): 0.75, (5, 0): 0.25}))
    np.testing.assert_allclose(points[0, 0], (1.4, 0.0), atol=1e-5)


def test_covariance_is_in_crop_pixels_and_confidence_is_not():
    layer = IntegralRegression(stride=4, confidence=True, covariance=True)
    outputs = layer(numpy_reference.scores({(1, 0): 0.5, (5, 0): 0.5}))
    # 2 cells of 4 pixels to each side of x = 3.
    np.testing.assert_allclose(outputs["joints"][0, 0], (13.5, 1.5), atol=1e-5)
    np.testing.assert_allclose(
        outputs["covariance"][0, 0], [[64, 0], [0, 0]], atol=1e-3
    )
    np.testing.assert_allclose(
        outputs["confidence"][0, 0], np.exp(-2), atol=1e-6
    )


@pytest.mark.parametrize("confidence", [False, True])
def test_gradient_is_probability_times_offset(confidence):
    # Differentiating Eq. (6) through Eq. (5): dJ/dH(p) = H~(p) * (p - J).
    layer = IntegralRegression(confidence=confidence)
    heatmaps = tf.constant(numpy_reference.scores({(1, 0): 0.75, (5, 0): 0.25}))
    with tf.GradientTape() as tape:
        tape.watch(heatmaps)
        outputs = layer(heatmaps)
        x = (outputs["joints"] if confidence else outputs)[0, 0, 0]
    gradient = tape.gradient(x, heatmaps)[0, 0, :, 0]
    expected = [0, 0.75 * (1 - 2), 0, 0, 0, 0.25 * (5 - 2)]
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_stays_in_float32_under_mixed_precision(name):
    maps = numpy_reference.scores({(62, 3): 0.7, (63, 3): 0.3}, width=64)
    with conformance.policy(name):
        layer = IntegralRegression()
        points = layer(maps)
    assert points.dtype == "float32"
    assert layer(keras.Input((4, 64, 1))).dtype == "float32"
    # 62 * 0.7 + 63 * 0.3; scores rounded to bfloat16 give 62.2988.
    np.testing.assert_allclose(points[0, 0], (62.3, 3), atol=1e-4)
    # The layer before gives halves: equal ones, so that nothing is rounded.
    halves = tf.cast(
        numpy_reference.scores({(62, 3): 0.5, (63, 3): 0.5}, width=64), name[6:]
    )
    np.testing.assert_allclose(layer(halves)[0, 0], (62.5, 3), atol=1e-4)


@pytest.mark.parametrize("set_later", [False, True])
@pytest.mark.parametrize(
    "dtype",
    [
        "mixed_float16",
        "mixed_bfloat16",
        "float16",
        "bfloat16",
        "float64",
        None,
        keras.DTypePolicy("mixed_bfloat16"),
        keras.dtype_policies.DTypePolicyMap(default_policy="mixed_bfloat16"),
    ],
    ids=lambda dtype: dtype if isinstance(dtype, str) else type(dtype).__name__,
)
def test_computes_in_float32_whatever_dtype_it_is_given(dtype, set_later):
    maps = numpy_reference.scores({(62, 3): 0.7, (63, 3): 0.3}, width=64)
    with conformance.policy("mixed_bfloat16"):
        layer = IntegralRegression(dtype=None if set_later else dtype)
        if set_later:
            layer.dtype_policy = dtype
        points = layer(maps)
    assert points.dtype == "float32"
    assert layer(keras.Input((4, 64, 1))).dtype == "float32"
    # Scores rounded to bfloat16 give 62.2988.
    np.testing.assert_allclose(points[0, 0], (62.3, 3), atol=1e-4)


def test_scores_that_overflow_half_precision_are_cut():
    # 100 * 255 three times is 76500, inf in float16.
    images = np.zeros((1, 8, 8, 3), "float32")
    images[0, 2, 5] = 255
    with conformance.policy("mixed_float16"):
        maps = keras.layers.Conv2D(
            1, 1, kernel_initializer=keras.initializers.Constant(100.0)
        )(images)
        outputs = IntegralRegression(confidence=True)(maps)
    assert np.isinf(maps).any()
    np.testing.assert_allclose(outputs["joints"][0, 0], (5, 2), atol=1e-5)
    np.testing.assert_allclose(outputs["confidence"][0, 0], 1, atol=1e-5)


@pytest.mark.parametrize("name", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_huge_scores_are_finite(name, jit_compile):
    maps = np.full((2, 4, 6, 1), -1e4, "float32")
    maps[0, 2, 5], maps[1] = 1e4, 1e4  # one pixel; then a flat map
    with conformance.policy(name):
        layer = IntegralRegression(confidence=True, covariance=True)
        outputs = tf.function(layer, jit_compile=jit_compile)(maps)
    np.testing.assert_allclose(
        outputs["joints"][:, 0], [(5, 2), (2.5, 1.5)], atol=1e-4
    )
    for output in outputs.values():
        assert np.isfinite(output).all()


class Subclassed(keras.Model):
    """A convolution to one joint, and where it is."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(1, 1)
        self.points = IntegralRegression()

    def call(self, images):
        return self.points(self.maps(images))


def functional():
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(1, 1)(images)
    return keras.Model(images, IntegralRegression()(maps))


def sequential():
    return keras.Sequential([keras.layers.Conv2D(1, 1), IntegralRegression()])


@pytest.mark.parametrize("build", [functional, Subclassed, sequential])
def test_every_kind_of_model_learns_through_it(build):
    # One pixel is red and the joint is there: the red weight has to grow.
    images = np.zeros((1, 5, 7, 3), "float32")
    images[0, 3, 6, 0] = 1
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.SGD(3.0), loss="mae", jit_compile=False)
    truth = np.array([[[6.0, 3.0]]], "float32")
    before = model.evaluate(images, truth, verbose=0)
    model.fit(images, truth, epochs=20, verbose=0)
    assert model.evaluate(images, truth, verbose=0) < 0.5 * before
    # Another batch and another size, but only where the size was left open.
    wider = np.zeros((2, 5, 9, 3), "float32")
    assert model(wider).shape == (2, 1, 2)


@pytest.mark.parametrize(
    "kwargs, received",
    [
        ({"stride": 0}, "stride=0"),
        ({"beta": -1.0}, "beta=-1.0"),
        ({"data_format": "NCHW"}, "data_format='NCHW'"),
    ],
)
def test_rejects_what_makes_no_sense(kwargs, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        IntegralRegression(**kwargs)


@pytest.mark.parametrize(
    "build",
    [Argmax, functools.partial(IntegralRegression, window=3)],
    ids=["argmax", "window"],
)
def test_a_maximum_is_of_operations_that_converters_know(build):
    # What keras.ops.argmax adds on TensorFlow, tf2onnx and LiteRT lack.
    layer = build()
    traced = tf.function(layer).get_concrete_function(tf.zeros((1, 4, 6, 2)))
    kinds = {operation.type for operation in traced.graph.get_operations()}
    assert "ArgMax" in kinds
    assert not kinds & {"Bitcast", "BitwiseAnd", "RightShift"}


def test_keras_own_onnx_export_of_a_window(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    inputs = keras.Input((6, 8, 3))
    model = keras.Model(inputs, IntegralRegression(4, window=3)(inputs))
    maps = random_maps(2, 6, 8, 3)
    expected = model(maps)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (points,) = session.run(None, {session.get_inputs()[0].name: maps})
    np.testing.assert_allclose(points, expected, atol=1e-4)


def test_rejects_points_in_place_of_maps():
    with pytest.raises(ValueError, match="min_ndim=3"):
        IntegralRegression()(np.zeros((4, 2), "float32"))
