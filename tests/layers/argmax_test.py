"""Tests for reading joints at the maximum.

Expected values are placed by hand, or follow from the softmax and the sigmoid
in NumPy float64.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import layers
from tests import conformance
from tests import numpy_reference

ACTIVATIONS = pytest.mark.parametrize(
    "activation", ["linear", "softmax", "sigmoid"]
)


def peaks(height, width, *cells, score=1.0):
    """One map per `(x, y)` cell, 0 but for `score` there."""
    maps = np.zeros((1, height, width, len(cells)), "float32")
    for joint, (x, y) in enumerate(cells):
        maps[0, y, x, joint] = score
    return maps


@ACTIVATIONS
def test_conforms(activation, tmp_path):
    heatmaps = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    conformance.check_layer(
        layers.Argmax(stride=8, activation=activation),
        heatmaps.astype("float32"),
        expected_shape={"joints": (2, 3, 2), "confidence": (2, 3)},
        tmp_path=tmp_path,
    )


@pytest.mark.parametrize(
    "stride, expected",
    [
        pytest.param(1, [(5, 2), (0, 3)], id="cells"),
        pytest.param(8, [(43.5, 19.5), (3.5, 27.5)], id="centres in the crop"),
    ],
)
def test_golden_points(stride, expected):
    outputs = layers.Argmax(stride)(peaks(4, 6, (5, 2), (0, 3)))
    np.testing.assert_array_equal(outputs["joints"][0], expected)


def test_cells_of_others_are_read_as_theirs(tmp_path):
    # Of three maps of 8 x 8 at stride 4: a maximum at (3, 4) whose right
    # neighbour is higher than its left, one at the border, and one below 0.
    maps = peaks(8, 8, (3, 4), (7, 2), (5, 5), score=0.5)
    maps[0, 4, 4, 0] = 0.1
    maps[..., 2] -= 1
    layer = layers.Argmax(4, cells="first")
    conformance.check_layer(
        layer,
        maps,
        expected_shape={"joints": (1, 3, 2), "confidence": (1, 3)},
        tmp_path=tmp_path,
    )
    outputs = layer(maps)
    np.testing.assert_array_equal(
        outputs["joints"][0], [(13, 16), (28, 8), (0, 0)]
    )
    np.testing.assert_array_equal(outputs["confidence"][0], [0.5, 0.5, 0])
    # Scores that are logarithms or logits may be below 0.
    for activation in ("softmax", "sigmoid"):
        outputs = layers.Argmax(4, activation, cells="first")(maps)
        np.testing.assert_array_equal(outputs["joints"][0, 2], (20, 20))


def test_a_stride_for_each_axis_and_channels_first():
    # Rows step by 16 pixels of the crop, columns by 8.
    maps = peaks(4, 6, (5, 2), (0, 3))
    expected = [(43.5, 39.5), (3.5, 55.5)]
    outputs = layers.Argmax((16, 8))(maps)
    np.testing.assert_array_equal(outputs["joints"][0], expected)
    layer = layers.Argmax([16, 8], data_format="channels_first")
    outputs = layer(maps.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(outputs["joints"][0], expected)
    assert layer(keras.Input((2, 4, 6)))["joints"].shape == (None, 2, 2)


def test_a_file_of_before_is_channels_last():
    config = layers.Argmax(8).get_config()
    assert config.pop("data_format") == "channels_last"
    keras.config.set_image_data_format("channels_first")
    try:
        assert layers.Argmax.from_config(config).data_format == "channels_last"
        assert layers.Argmax(8).data_format == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


def test_the_first_of_equal_maxima_counts():
    maps = peaks(3, 4, (2, 1)) + peaks(3, 4, (0, 2))
    outputs = layers.Argmax()(maps)
    np.testing.assert_array_equal(outputs["joints"][0, 0], (2, 1))


def test_a_volume_has_three_coordinates():
    volume = np.zeros((1, 2, 3, 4, 1), "float32")
    volume[0, 1, 2, 3, 0] = 1.0
    outputs = layers.Argmax()(volume)
    np.testing.assert_array_equal(outputs["joints"][0, 0], (3, 2, 1))


@pytest.mark.parametrize(
    "score, confidence", [(0.25, 0.25), (1.5, 1.0), (-2.0, 0.0)]
)
def test_confidence_is_the_maximum_within_0_and_1(score, confidence):
    maps = np.full((1, 2, 2, 1), score, "float32")
    outputs = layers.Argmax()(maps)
    assert outputs["confidence"].numpy().tolist() == [[confidence]]


def confidence(maps, activation):
    """`(B, K)`: the largest value of the activated maps, in float64."""
    scores = maps.astype(np.float64).reshape(len(maps), -1, maps.shape[-1])
    if activation == "softmax":
        values = numpy_reference.softmax(scores, axis=1)
    else:
        values = 1 / (1 + np.exp(-scores))
    return values.max(axis=1)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("spatial", [(4, 6), (64, 64), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_confidence_is_the_activated_maximum(activation, spatial, scale):
    rng = np.random.default_rng(0)
    maps = rng.normal(scale=scale, size=(2, *spatial, 3)).astype("float32")
    outputs = layers.Argmax(activation=activation)(maps)
    assert outputs["confidence"].dtype == "float32"
    np.testing.assert_allclose(
        outputs["confidence"], confidence(maps, activation), rtol=1e-5
    )
    plain = layers.Argmax()(maps)
    np.testing.assert_array_equal(outputs["joints"], plain["joints"])


@pytest.mark.parametrize(
    "activation, score, expected",
    [
        # One pixel of 4 * 6 at 3 / 4, its score log(3 * 23) above the others.
        ("softmax", np.log(3 * 23), 3 / 4),
        ("softmax", 0.0, 1 / 24),
        ("sigmoid", np.log(3), 3 / 4),
        ("sigmoid", 0.0, 1 / 2),
    ],
)
def test_confidence_by_hand(activation, score, expected):
    maps = peaks(4, 6, (5, 2), score=score)
    outputs = layers.Argmax(activation=activation)(maps)
    np.testing.assert_allclose(outputs["confidence"], [[expected]], rtol=1e-5)


@ACTIVATIONS
@pytest.mark.parametrize("score", [1e4, -1e4])
def test_confidence_of_huge_scores(activation, score):
    flat = np.full((1, 4, 6, 1), score, "float32")
    expected = 1 / 24 if activation == "softmax" else float(score > 0)
    outputs = layers.Argmax(activation=activation)(flat)
    # 1e4 + log(24) is kept to 1e-3 of a score in float32.
    np.testing.assert_allclose(outputs["confidence"], [[expected]], rtol=1e-3)


def test_a_layer_saved_before_activations_is_linear():
    config = layers.Argmax(stride=8).get_config()
    del config["activation"]
    assert layers.Argmax.from_config(config).activation == "linear"


def test_joints_have_no_gradient():
    heatmaps = tf.constant(peaks(4, 6, (5, 2)))
    with tf.GradientTape() as tape:
        tape.watch(heatmaps)
        joints = layers.Argmax(stride=8)(heatmaps)["joints"]
    assert tape.gradient(joints, heatmaps) is None


def test_stays_in_float32_under_mixed_precision():
    # float16 has no 2049: column 2048 would come back as its neighbour.
    wide = peaks(1, 2050, (2049, 0))
    keras.config.set_dtype_policy("mixed_float16")
    try:
        outputs = layers.Argmax()(wide)
    finally:
        keras.config.set_dtype_policy("float32")
    assert outputs["joints"].dtype == outputs["confidence"].dtype == "float32"
    assert outputs["joints"][0, 0, 0] == 2049


@pytest.mark.parametrize("stride", [0, -8])
def test_rejects_a_stride_that_is_not_positive(stride):
    with pytest.raises(ValueError, match=f"Received: stride={stride}"):
        layers.Argmax(stride)


@pytest.mark.parametrize("activation", ["relu", None])
def test_rejects_an_activation_it_does_not_know(activation):
    with pytest.raises(
        ValueError, match=rf"\. Received: activation={activation!r}$"
    ):
        layers.Argmax(activation=activation)
