"""Tests for a user's own network as a backbone."""

import keras
import numpy as np
import pytest

from integral_tf import models
from integral_tf.models import user_network


def steps(count, size=(None, None), name="mine"):
    """A network of convolutions that each halve the image."""
    keras.utils.set_random_seed(count)
    return keras.Sequential(
        [keras.Input((*size, 3))]
        + [
            keras.layers.Conv2D(
                4, 3, strides=2, padding="same", activation="relu"
            )
            for _ in range(count)
        ],
        name=name,
    )


def classifier(features):
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(features.outputs[0])
    x = keras.layers.Flatten()(keras.layers.Conv2D(5, 1)(x))
    return keras.Model(features.inputs, x, name="classifier")


def pose(backbone, **options):
    return models.pose_model("I1", backbone, 3, 64, head_channels=4, **options)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (2, 64, 64, 3)).astype("float32")


@pytest.mark.parametrize("size", [(None, None), (64, 64), (128, 160)])
@pytest.mark.parametrize("top", [lambda network: network, classifier])
def test_features_are_the_networks_last_map(size, top, images):
    mine = steps(5, size)
    model = pose(top(mine))
    body = models.body(model)
    assert body.output_shape == (None, 2, 2, 4)
    assert model.get_layer("centering").mode == "none"
    expected = images
    for layer in mine.layers:  # of any size of images
        expected = layer(expected)
    np.testing.assert_allclose(body(images), expected, atol=1e-4)
    # The copy is trained, and the user's network is not.
    assert not {*map(id, mine.weights)} & {*map(id, model.weights)}


@pytest.mark.parametrize("halvings, deconvolutions", [(5, 2), (4, 1), (3, 0)])
def test_maps_have_one_size_whatever_the_stride(halvings, deconvolutions):
    model = pose(steps(halvings))
    assert model.output["heatmaps"].shape == (None, 8, 8, 3)
    assert model.get_layer("heatmap_head").upsamplings == deconvolutions


def test_features_finer_than_the_maps_are_refused():
    with pytest.raises(ValueError, match="of 4 pixels.*upsamplings=2, maps of"):
        pose(steps(2))
    assert pose(steps(2), upsamplings=3).output["heatmaps"].shape[1] == 16


def test_of_a_pyramid_the_32nd_is_taken():
    mine = steps(6)
    maps = [layer.output for layer in mine.layers]
    model = pose(keras.Model(mine.inputs, dict(zip("abcdef", maps))))
    assert models.body(model).output_shape == (None, 2, 2, 4)


def test_names_do_not_depend_on_what_was_built_before():
    first, second = (
        [each.name for each in models.body(pose(steps(4))).layers[1:]]
        for _ in range(2)
    )
    assert first == second == [f"conv2d_{i}" for i in (1, 2, 3, 4)]


def test_a_file_is_a_backbone_with_its_weights(tmp_path, images):
    path = str(tmp_path / "mine.keras")
    mine = steps(5)
    mine.save(path)
    body = models.body(pose(path))
    np.testing.assert_allclose(body(images), mine(images), atol=1e-5)
    # Other preprocessing is the user's choice.
    asked = pose(path, preprocessing="torch")
    assert asked.get_layer("centering").mode == "torch"


def test_files_that_are_none_are_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: backbone=.*gone"):
        pose(str(tmp_path / "gone.keras"))
    path = tmp_path / "text.keras"
    path.write_text("no network")
    with pytest.raises(
        ValueError, match="text.keras is not a Keras model.*never a zip archive"
    ):
        pose(str(path))


def test_code_in_a_file_is_not_run(tmp_path):
    path = str(tmp_path / "code.keras")
    layers = [
        keras.Input((64, 64, 3)),
        keras.layers.Lambda(lambda x: x[:, ::2]),
    ]
    keras.Sequential(layers).save(path)
    with pytest.raises(
        ValueError, match="code.keras is not a Keras model.*`Lambda` layer"
    ):
        user_network.read(path)


class Class(keras.Model):
    def call(self, images):
        return images


def halving(stride, size):
    images = keras.Input((size, size, 3))
    return keras.Model(images, keras.layers.Conv2D(4, 64, stride)(images))


def grey():
    images = keras.Input((64, 64, 1))
    return keras.Model(images, keras.layers.Conv2D(4, 3)(images), name="grey")


@pytest.mark.parametrize(
    "network, sentence",
    [
        (lambda: Class(name="c"), "Received: 'c': it is written as a class"),
        (grey, "Received: 'grey': its inputs are"),
        (lambda: halving(64, 128), "its maps are .*, below 1/32"),
        (lambda: halving(64, 64), "none of its layers gives a map"),
    ],
)
def test_another_network_is_refused(network, sentence):
    with pytest.raises(ValueError, match=sentence):
        pose(network())


@pytest.mark.parametrize(
    "options", [{"weights": "imagenet"}, {"width_multiplier": 0.5}]
)
def test_options_of_the_packages_networks_are_refused(options):
    with pytest.raises(ValueError, match="has its own weights and width"):
        pose(steps(5), **options)


def test_features_of_no_power_of_two_are_refused():
    images = keras.Input((64, 64, 3))
    # 20 pixels, without padding: (64 - 5) // 3 + 1.
    x = keras.layers.Conv2D(4, 5, strides=3)(images)
    with pytest.raises(ValueError, match="power of two.* 20 x 20 of 64 x 64"):
        pose(keras.Model(images, x))
