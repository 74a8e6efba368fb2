"""Tests for the augmentation of light, colours and sharpness."""

import numpy as np
import pytest

from integral_tf import layers
from integral_tf.layers import photometric

# Numbers that change nothing: the signed ones in the middle, no blur, nothing
# paler, nothing erased.
STILL = np.full((1, photometric.DRAWS), 0.5, "float32")
STILL[0, [7, 12]] = 0.0, 0.9


def crop(seed=0):
    return np.random.default_rng(seed).uniform(60, 180, (1, 8, 8, 3))


def shaded(images, strength=1.0, **numbers):
    """The layer's answer where the numbered draws are others than `STILL`."""
    shades = STILL.copy()
    for place, value in numbers.items():
        shades[0, int(place[1:])] = value
    return np.asarray(layers.Photometric(strength)(images, shades))


def test_without_strength_the_crops_stay():
    shades = np.random.default_rng(1).uniform(size=(1, photometric.DRAWS))
    same = layers.Photometric(0.0)(crop(), shades)
    np.testing.assert_allclose(same, crop(), rtol=1e-5)


def test_middle_numbers_change_nothing():
    np.testing.assert_allclose(shaded(crop()), crop(), rtol=1e-5)


def test_brightness_and_contrast_are_by_hand():
    # Twice the number less 1 is 0.5: a gain of 1 + 0.4 * 0.5.
    np.testing.assert_allclose(shaded(crop(), s6=0.75), 1.2 * crop(), rtol=1e-4)
    mean = crop().mean()
    expected = mean + (crop() - mean) * 0.75
    np.testing.assert_allclose(shaded(crop(), s2=0.25), expected, rtol=1e-4)


def test_grey_is_the_mean_of_the_channels():
    grey = shaded(crop(), s7=1.0)
    np.testing.assert_allclose(grey, np.broadcast_to(
        crop().mean(-1, keepdims=True), grey.shape), rtol=1e-4)  # fmt: skip


def test_a_rectangle_in_one_colour_is_erased():
    # 0.4 of either side around (0.5, 0.5): the centres 3/16 .. of 8 pixels
    # within 0.2 are those at 0.3125 < x < 0.7, four of them.
    numbers = {"s8": 1.0, "s9": 1.0, "s12": 0.0}
    numbers |= {"s13": 1.0, "s14": 0.0, "s15": 0.2}
    erased = shaded(crop(), **numbers)
    changed = np.abs(erased - crop()).max(-1)[0] > 1
    expected = np.zeros((8, 8), bool)
    expected[2:6, 2:6] = True
    np.testing.assert_array_equal(changed, expected)
    np.testing.assert_allclose(erased[0, 3, 3], [255, 0, 51], rtol=1e-5)


def test_blur_takes_and_sharpening_adds_variation():
    blurred = shaded(crop(), s0=0.1, s1=1.0)
    sharpened = shaded(crop(), s0=0.1, s1=0.0)
    assert blurred.std() < 0.6 * crop().std() < crop().std() < sharpened.std()


def test_a_config_makes_the_layer_again():
    layer = layers.Photometric(0.7, name="light")
    again = layers.Photometric.from_config(layer.get_config())
    assert (again.strength, again.name) == (0.7, "light")


def test_no_strength_below_none():
    with pytest.raises(ValueError, match="Received: strength=-1"):
        layers.Photometric(-1)
