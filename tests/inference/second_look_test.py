"""Tests for pictures that are taken for one person, and looked at twice."""

import keras
import numpy as np

import integral_tf
from integral_tf import layers

SPOTS = np.array([[400.0, 100], [560, 100], [480, 260]])


def coloured():
    """A model of 14 joints, whose maps are red, green, blue, red, ..."""
    images = keras.Input((64, 64, 3), name="images")
    maps = keras.layers.Conv2D(14, 1, use_bias=False, name="colours")(images)
    read = layers.IntegralRegression(1, confidence=True)(maps)
    outputs = {"joints": read["joints"], "scores": read["confidence"]}
    model = keras.Model(images, outputs)
    kernel = np.zeros((1, 1, 3, 14), "float32")
    for joint in range(14):
        kernel[0, 0, joint % 3, joint] = 0.06  # a peak of 15
    model.get_layer("colours").set_weights([kernel])
    return model


def test_the_second_look_is_nearer_and_surer():
    # A red, a green and a blue spot, 160 px apart in a picture of 640. A pixel
    # of the first look is 12.5 px, of the second 4.
    y, x = np.mgrid[:640, :640]
    spots = [
        np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 8**2))
        for cx, cy in SPOTS
    ]
    image = np.round(255 * np.stack(spots, axis=-1)).astype(np.uint8)
    estimate = integral_tf.PoseEstimator(coloured(), "lsp")
    (once,) = estimate(image, [0, 0, 640, 640])
    (twice,) = estimate(image)
    # 1.25 times the extent of the spots, as the first look has them.
    np.testing.assert_allclose(twice.box, [380, 80, 200, 200], atol=10)
    assert twice.sure and twice.score > once.score
    # Each pixel without a spot weighs a little, most of all in the first look.
    truth = SPOTS[np.arange(14) % 3]
    far, near = (np.abs(pose.joints - truth).max() for pose in (once, twice))
    assert far > 10 and near < 0.5


def test_a_picture_of_nothing_is_not_sure_and_stays_whole():
    estimate = integral_tf.PoseEstimator(coloured(), "lsp")
    (pose,) = estimate(np.zeros((64, 48, 3), np.uint8))
    assert not pose.sure
    assert list(pose.box) == [0, 0, 48, 64]
