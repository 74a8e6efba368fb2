"""Tests for what is said of maps, strides and formats that look wrong."""

import warnings

import keras
import numpy as np
import pytest

import integral_tf

L = keras.layers


def network(*last, size=(32, 32, 3)):
    return keras.Sequential(
        [keras.Input(size), L.Conv2D(3, 3, 4, "same"), *last]
    )


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return integral_tf.integralize(*args, **kwargs)


SOFTMAXED = pytest.mark.parametrize(
    "last",
    [
        [L.Softmax(axis=(1, 2))],
        [L.Reshape((64, 3)), L.Softmax(axis=1), L.Reshape((8, 8, 3))],
        [L.Lambda(lambda maps: keras.ops.softmax(maps, (1, 2)), (8, 8, 3))],
        [L.Permute((3, 1, 2)), L.Reshape((3, 64)), L.Activation("softmax")]
        + [L.Reshape((3, 8, 8)), L.Permute((2, 3, 1))],
    ],
)


@SOFTMAXED
def test_maps_that_are_softmaxed_are_refused_unless_that_is_said(last):
    model = network(*last)
    with pytest.raises(ValueError, match="probabilities=True.* sums of 1.0000"):
        integral_tf.integralize(model)
    quietly(model, probabilities=True)


@pytest.mark.parametrize("last", ["softmax", "sigmoid"])
def test_a_softmax_over_joints_makes_no_probabilities(last):
    model = network(L.Activation(last))
    with pytest.warns(UserWarning, match="sum to 1 each"):
        integral_tf.integralize(model, probabilities=True)
    # As scores they may be read, as H1's Gaussians are.
    quietly(model)


def test_the_features_of_a_backbone_are_told():
    backbone = keras.applications.MobileNetV3Small(
        weights=None, include_top=False, input_shape=(64, 64, 3)
    )
    with pytest.warns(UserWarning, match="576 channels of"):
        integral_tf.integralize(backbone)
    # As many joints as are labelled anywhere, on small maps.
    quietly(network(L.Conv2D(64, 1)))


def test_an_open_size_is_no_hindrance():
    model = network(L.Softmax(axis=(1, 2)), size=(None, None, 3))
    with pytest.raises(ValueError, match="softmaxed twice"):
        integral_tf.integralize(model, stride=4)
    quietly(network(size=(None, None, 3)), stride=4)


def first(k=3, size=(3, 32, 32)):
    """A network with images and maps channels first."""
    images = keras.Input(size)
    maps = L.Conv2D(k, 3, 4, "same")(L.Permute((2, 3, 1))(images))
    return keras.Model(images, L.Permute((3, 1, 2))(maps))


@pytest.mark.parametrize("joints", [3, 5, 8])
def test_a_data_format_that_was_forgotten(joints):
    model = first(joints)
    with pytest.raises(ValueError, match="is it data_format='channels_first'"):
        integral_tf.integralize(model)
    with pytest.warns(UserWarning, match="is it data_format='channels_first'"):
        integral_tf.integralize(model, stride=4)
    quietly(model, data_format="channels_first", stride=4)
    pose = quietly(model, data_format="channels_first")
    assert pose.get_layer("integral").stride == 4


def test_images_may_have_another_format_than_maps():
    images = keras.Input((32, 32, 3))
    maps = L.Permute((3, 1, 2))(L.Conv2D(5, 3, 4, "same")(images))
    model = keras.Model(images, maps)
    pose = quietly(model, data_format="channels_first")
    assert pose.get_layer("integral").stride == 4
    assert pose.output["heatmaps"].shape == (None, 8, 8, 5)


def test_the_data_format_is_keras_own_unless_given():
    keras.config.set_image_data_format("channels_first")
    try:
        images = keras.Input((3, 32, 32))
        maps = L.AveragePooling2D(4, data_format="channels_last")
        maps = maps(L.Permute((2, 3, 1))(images))
        model = keras.Model(images, L.Permute((3, 1, 2))(maps))
        pose = quietly(model)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert pose.output["heatmaps"].shape == (None, 8, 8, 3)
    assert pose.output["joints"].shape == (None, 3, 2)


def test_a_stride_of_each_axis_is_in_the_maps_order():
    images = keras.Input((32, 32, 3))
    model = keras.Model(images, L.Conv2D(3, 3, (8, 4), "same")(images))
    pose = quietly(model)
    assert pose.get_layer("integral").stride == (8, 4)
    quietly(model, stride=(8, 4))
    # The last is a whole factor off: half of the pixels, another unit.
    for wrong in (4, 8, (4, 8), (16, 8)):
        with pytest.warns(UserWarning, match=r"they tell \(8.0, 4.0\)"):
            integral_tf.integralize(model, stride=wrong)
    with pytest.raises(ValueError, match=r"maps with 2 axes of space"):
        integral_tf.integralize(model, stride=(8, 4, 4))
    picture = np.random.default_rng(0).normal(size=(1, 32, 32, 3))
    found = pose(picture.astype("float32"))
    plain = integral_tf.IntegralRegression()(found["heatmaps"])
    np.testing.assert_allclose(
        found["joints"], (np.asarray(plain) + 0.5) * (4, 8) - 0.5, atol=1e-4
    )


@pytest.mark.parametrize("size", [(33, 33, 3), (1, 32, 3)])
def test_sizes_that_tell_no_stride(size):
    with pytest.raises(ValueError, match="`stride` is the crop pixels"):
        integral_tf.integralize(network(L.Resizing(9, 9), size=size))


def test_a_film_is_no_volume():
    film = keras.Input((5, 32, 32, 3))
    maps = L.TimeDistributed(L.Conv2D(3, 3, 4, "same"))(film)
    with pytest.raises(ValueError, match="integralize the network of one"):
        integral_tf.integralize(keras.Model(film, maps))
