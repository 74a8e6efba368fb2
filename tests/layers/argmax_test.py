"""Tests for reading joints at the maximum."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import layers
from tests import conformance


def peaks(height, width, *cells, score=1.0):
    """One map per `(x, y)` cell, 0 but for `score` there."""
    maps = np.zeros((1, height, width, len(cells)), "float32")
    for joint, (x, y) in enumerate(cells):
        maps[0, y, x, joint] = score
    return maps


def test_conforms(tmp_path):
    heatmaps = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    conformance.check_layer(
        layers.Argmax(stride=8),
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
