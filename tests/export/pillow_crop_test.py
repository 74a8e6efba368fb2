"""Tests for the crop as a graph: it must be `windows.cut`, by Pillow."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import coordinates
from integral_tf.export import pillow_crop
from integral_tf.records import windows


@tf.function(reduce_retracing=True)
def cut(image, region, height, width):
    return pillow_crop.cut(image, tf.unstack(region), height, width)


def photograph():
    """Smooth with sharp corners, so that the kernel over- and undershoots."""
    y, x = np.mgrid[:180, :240]
    waves = [128 + 120 * np.sin((x + k * y) / (3 + 4 * k)) for k in range(3)]
    image = np.stack(waves, axis=-1)
    image[40:90, 60:150] = 255
    image[95:140, 70:200] = 0
    return image.astype("uint8")


@pytest.mark.parametrize(
    "region",
    [
        pytest.param((0, 0, 240, 180), id="whole, aspect changed"),
        pytest.param((20.3, 31.7, 160.2, 160.2), id="fractions, shrunk"),
        pytest.param((60.5, 40.25, 20.5, 25.25), id="enlarged"),
        pytest.param((-70.4, -33.3, 200.0, 266.7), id="over the corner"),
        pytest.param((150.1, 100.2, 300.0, 400.0), id="over the other corner"),
        pytest.param((-1000.0, -900.0, 2500.0, 2000.0), id="far around"),
        pytest.param((-500.0, 20.0, 100.0, 133.0), id="to the left of it"),
        pytest.param((20.0, 5000.0, 100.0, 133.0), id="below it"),
        pytest.param((239.5, 10.0, 64.0, 48.0), id="half a pixel of it"),
        pytest.param((10.0, 10.0, 48.0, 64.0), id="as it is"),
    ],
)
def test_is_what_pillow_cuts(region):
    image = photograph()
    want = np.asarray(windows.cut(image, region, 48, 64), np.int32)
    region = tf.constant(region, tf.float64)
    got = cut(image, region, 64, 48).numpy()
    assert got.shape == (64, 48, 3)
    np.testing.assert_array_equal(got, np.round(got))
    off = np.abs(got - want)
    # Pillow adds up fixed-point numbers, TensorFlow float32: now and then a
    # value at half a grey level is rounded the other way.
    assert off.max() <= 1
    assert (off > 0).mean() < 1e-3


def test_a_huge_region_needs_no_huge_memory():
    # 100,000 pixels square would be 30 GB as a picture.
    region = tf.constant([-5e4, -5e4, 1e5, 1e5], tf.float64)
    got = cut(photograph(), region, 64, 64).numpy()
    # The photograph is less than a pixel of the crop, around its middle.
    assert got[:28].max() == 0 and got[36:].max() == 0
    assert got.max() < 2


def test_the_graph_takes_the_estimators_regions():
    # Four people around (60, 40), among them wide and tall ones.
    boxes = np.array([[50, 30, 20, 20], [40, 35, 40, 10], [55, 0, 10, 80]])
    for width, height in ((64, 64), (48, 64)):
        sides = tf.unstack(tf.constant(boxes, tf.float64), axis=1)
        got = coordinates.crop_region(*sides, width / height, tf.maximum)
        want = [coordinates.region_around(b, width / height) for b in boxes]
        np.testing.assert_allclose(np.stack(got, axis=1), want)
