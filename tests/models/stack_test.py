"""Tests for finding heat maps in networks of others.

What is found is compared with the same layers, called by hand.
"""

import keras
import numpy as np
import pytest

import integral_tf
from tests import numpy_reference

L = keras.layers
PICTURES = np.random.default_rng(0).uniform(size=(2, 32, 32, 3))
PICTURES = PICTURES.astype("float32")


def found(model, *args, **kwargs):
    pose = integral_tf.integralize(model, *args, **kwargs)
    return np.asarray(pose(PICTURES)["heatmaps"])


def same(got, wanted):
    np.testing.assert_allclose(got, np.asarray(wanted), atol=1e-6)


@keras.saving.register_keras_serializable("tests")
class Coarse(keras.Model):
    """Written as a class; its dict is not in the alphabet's order."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.coarse = L.Conv2D(3, 3, 4, "same")
        self.fine = L.Conv2D(3, 3, 4, "same")

    def call(self, images):
        if isinstance(images, dict):
            images = images["images"]
        return {"z": self.coarse(images), "a": self.fine(images)}


def nested():
    """A head that is a model, with a head in it, behind a sigmoid."""
    features = keras.Input((8, 8, 4))
    inner = L.Conv2D(3, 1, name="maps")
    core = keras.Model(features, inner(L.Conv2D(4, 1)(features)), name="core")
    head = keras.Model(
        features,
        {"a": core(features), "b": L.Conv2D(5, 1)(features)},
        name="head",
    )
    images = keras.Input((32, 32, 3))
    body = L.Conv2D(4, 3, 4, "same")(images)
    outer = head(body)["a"]
    network = keras.Model(images, L.Activation("sigmoid")(outer))
    return network, keras.Model(images, outer)


@pytest.mark.parametrize(
    "path", ["maps", "core/maps", "head/core/maps", "head/a", "core"]
)
def test_a_layer_within_a_model_that_is_a_layer(path, tmp_path):
    network, wanted = nested()
    same(found(network, path), wanted(PICTURES))
    pose = integral_tf.integralize(network, path)
    pose.save(tmp_path / "pose.keras")
    again = keras.saving.load_model(tmp_path / "pose.keras")
    same(again(PICTURES)["joints"], pose(PICTURES)["joints"])
    # The weights are the network's own.
    own = {id(weight) for weight in network.weights}
    shared = [weight for weight in pose.trainable_weights if id(weight) in own]
    assert len(shared) == len(pose.trainable_weights) > 2


def test_the_layer_itself_within_a_model():
    network, wanted = nested()
    maps = network.get_layer("head").get_layer("core").get_layer("maps")
    same(found(network, maps), wanted(PICTURES))


def test_a_layer_in_a_sequential_within_a_sequential():
    head = keras.Sequential([L.Conv2D(3, 1, name="maps"), L.ReLU()])
    network = keras.Sequential(
        [keras.Input((32, 32, 3)), L.Conv2D(4, 3, 4, "same"), head]
    )
    wanted = head.get_layer("maps")(network.layers[0](PICTURES))
    same(found(network, "maps"), wanted)


def test_an_outer_layer_is_meant_before_an_inner_one():
    network, _ = nested()
    images = keras.Input((32, 32, 3))
    maps = L.Conv2D(3, 1, name="maps")
    both = keras.Model(images, maps(network(images)))
    same(found(both, "maps", stride=4), both(PICTURES))
    with pytest.raises(ValueError, match="layer='head', which is head/a "):
        integral_tf.integralize(nested()[0], "head")


def outputs_within_outputs():
    images = keras.Input((32, 32, 3))
    one, two, three = (L.Conv2D(k, 3, 4, "same")(images) for k in (3, 4, 5))
    return keras.Model(images, {"z": {"heat": one}, "b": [two, three]})


@pytest.mark.parametrize(
    "layer, joints", [("z/heat", 3), ("z", 3), (0, 3), ("b/0", 4), ("b/1", 5)]
)
def test_outputs_within_outputs(layer, joints):
    assert found(outputs_within_outputs(), layer).shape[-1] == joints


@pytest.mark.parametrize("layer", [0, -1, np.int64(0), "output"])
def test_the_only_output(layer):
    images = keras.Input((32, 32, 3))
    network = keras.Model(images, L.Conv2D(3, 3, 4, "same")(images))
    assert found(network, layer).shape[-1] == 3


@pytest.mark.parametrize("layer", [None, "b", 1, 2, "z/head", ""])
def test_outputs_that_are_not_one(layer):
    with pytest.raises(ValueError, match="z/heat .*b/0 .*b/1 "):
        integral_tf.integralize(outputs_within_outputs(), layer)


def test_an_output_called_heatmaps_goes_before_others():
    images = keras.Input((32, 32, 3))
    maps, fields = (L.Conv2D(k, 3, 4, "same")(images) for k in (3, 9))
    network = keras.Model(images, {"heatmaps": maps, "paf": fields})
    assert found(network).shape[-1] == 3


def test_a_model_written_as_a_class_as_often_as_one_likes():
    model = Coarse()
    wanted = model(PICTURES)
    assert list(wanted) == ["z", "a"]
    for _ in range(2):
        same(found(model, "a"), wanted["a"])
        # Places are those of the dict that it returns.
        same(found(model, 0), wanted["z"])
        same(found(model, 1), wanted["a"])
    called = Coarse()
    called(keras.Input((32, 32, 3)))
    same(found(called, "a"), called(PICTURES)["a"])
    with pytest.raises(ValueError, match="not seen of a model written as"):
        integral_tf.integralize(model, "coarse")


def test_a_model_written_as_a_class_on_a_dict():
    model = Coarse()
    wanted = model({"images": PICTURES})
    pose = integral_tf.integralize(model, "a")
    same(pose({"images": PICTURES})["heatmaps"], wanted["a"])


def test_a_model_written_as_a_class_that_is_not_built():
    with pytest.raises(ValueError, match="call it once"):
        integral_tf.integralize(Coarse())


def test_twice_and_on_its_own_result(tmp_path):
    network, wanted = nested()
    integral_tf.integralize(network, "maps")
    pose = integral_tf.integralize(network, "maps", covariance=True)
    again = integral_tf.integralize(pose)
    same(again(PICTURES)["heatmaps"], wanted(PICTURES))
    third = integral_tf.integralize(again, window=3)
    assert third.get_layer("integral").window == 3
    same(third(PICTURES)["heatmaps"], wanted(PICTURES))
    third.save(tmp_path / "third.keras")
    loaded = keras.saving.load_model(tmp_path / "third.keras")
    same(loaded(PICTURES)["joints"], third(PICTURES)["joints"])


def test_names_that_the_network_has_already():
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            L.Conv2D(3, 3, 4, "same", name="integral"),
            L.Conv2D(3, 1, name="score_calibration"),
        ]
    )
    pose = integral_tf.integralize(network)
    assert isinstance(
        pose.get_layer("integral_1"), integral_tf.IntegralRegression
    )
    assert pose.get_layer("integral") is network.layers[0]


@pytest.mark.parametrize(
    "shape, layer",
    [
        ((32, 1), L.Conv1D(3, 3, 2, "same")),
        ((32, 16, 24, 1), L.Conv3D(3, 3, 2, "same")),
    ],
)
def test_lines_and_volumes(shape, layer):
    network = keras.Sequential([keras.Input(shape), layer])
    pose = integral_tf.integralize(network, covariance=True)
    assert pose.get_layer("integral").stride == 2
    signals = np.random.default_rng(0).normal(size=(2, *shape))
    found = pose(signals.astype("float32"))
    wanted = numpy_reference.joints(network(signals))
    np.testing.assert_allclose(found["joints"], 2 * wanted + 0.5, atol=1e-4)
    dimensions = len(shape) - 1
    assert found["covariance"].shape == (2, 3, dimensions, dimensions)


def test_maps_have_three_to_five_axes():
    network = keras.Sequential(
        [keras.Input((32, 32, 3)), L.Flatten(name="flat")]
    )
    with pytest.raises(ValueError, match=r"four axes.*flat \(None, 3072\)"):
        integral_tf.integralize(network, "flat")
