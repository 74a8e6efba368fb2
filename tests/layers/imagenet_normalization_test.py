"""Tests for the preprocessing inside of the model."""

import keras
import numpy as np
import pytest

from integral_tf import layers
from tests import conformance


@pytest.fixture
def photographs():
    """RGB in 0..255, as uint8."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", layers.ImageNetNormalization.MODES)
def test_conforms(mode, photographs, tmp_path):
    conformance.check_layer(
        layers.ImageNetNormalization(mode),
        photographs.astype("float32"),
        expected_shape=(2, 4, 6, 3),
        tmp_path=tmp_path,
    )


def test_exchanges_red_and_blue_and_centres_each():
    pixel = np.array([[[[123.68, 126.779, 203.939]]]], "float32")  # R, G, B
    centred = layers.ImageNetNormalization()(pixel)
    np.testing.assert_allclose(centred[0, 0, 0], [100, 10, 0], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_agrees_with_keras_applications(photographs, dtype):
    expected = keras.applications.resnet.preprocess_input(
        photographs.astype("float32")
    )
    centred = layers.ImageNetNormalization()(photographs.astype(dtype))
    assert centred.dtype == "float32"
    np.testing.assert_allclose(centred, expected, atol=1e-4)


def test_torch_is_that_of_keras_applications(photographs):
    expected = keras.applications.imagenet_utils.preprocess_input(
        photographs.astype("float32"), mode="torch"
    )
    seen = layers.ImageNetNormalization("torch")(photographs)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_torch_bgr_takes_the_numbers_of_red_for_blue():
    # 255 * 0.485 = 123.675 and 255 * 0.229 = 58.395 are red's in "torch".
    pixel = np.array([[[[103.53, 116.28, 123.675 + 58.395]]]], "float32")
    seen = layers.ImageNetNormalization("torch_bgr")(pixel)
    np.testing.assert_allclose(seen[0, 0, 0], [1, 0, 0], atol=1e-5)


def test_lite_takes_127_off_and_divides_by_128():
    pixel = np.array([[[[255, 127, 63]]]], "uint8")
    seen = layers.ImageNetNormalization("lite")(pixel)
    np.testing.assert_array_equal(seen[0, 0, 0], [1, 0, -0.5])


def test_tf_goes_from_minus_1_to_1():
    pixel = np.array([[[[0, 51, 255]]]], "uint8")
    seen = layers.ImageNetNormalization("tf")(pixel)
    np.testing.assert_allclose(seen[0, 0, 0], [-1, -0.6, 1], atol=1e-6)


def test_tf_128_takes_128_off_and_divides_by_it():
    pixel = np.array([[[[0, 128, 192]]]], "uint8")
    seen = layers.ImageNetNormalization("tf_128")(pixel)
    np.testing.assert_array_equal(seen[0, 0, 0], [-1, 0, 0.5])


def test_none_leaves_rgb_as_it_is(photographs):
    seen = layers.ImageNetNormalization("none")(photographs)
    assert seen.dtype == "float32"
    np.testing.assert_array_equal(seen, photographs)


def test_refuses_an_unknown_mode():
    with pytest.raises(ValueError, match="Received: mode='keras'"):
        layers.ImageNetNormalization("keras")


def test_computes_in_the_layers_own_type(photographs):
    centred = layers.ImageNetNormalization(dtype="mixed_float16")(photographs)
    assert centred.dtype == "float16"
    exact = layers.ImageNetNormalization()(photographs)
    np.testing.assert_allclose(centred, exact, atol=0.1)
