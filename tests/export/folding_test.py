"""Tests for batch normalisation folded into convolutions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import integral_tf
from integral_tf import models
from integral_tf.export import folding
from tests import conformance
from tests.export import cases
from tests.models import pose_resnet


def normalisations(model):
    return [
        layer.name
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.built
    ]


@pytest.mark.parametrize("phases", [False, True])
@pytest.mark.parametrize(
    "method, stages", [("I*", 1), ("H2", 1), ("R1", 1), ("I1", 2), ("SimCC", 1)]
)
def test_the_same_network_without_normalisations(method, stages, phases):
    model = cases.model(method, stages=stages)
    folded = folding.fold(model, phases)
    assert normalisations(model) and not normalisations(folded)
    images = cases.crops()
    before, after = model(images), folded(images)
    assert before.keys() == after.keys()
    for name, value in before.items():
        value = np.asarray(value)
        # Equal up to float32's rounding of what the maps are made of.
        np.testing.assert_allclose(
            after[name], value, atol=1e-4 * np.abs(value).max(), err_msg=name
        )
    # The joints are spread, so that the comparison means something.
    assert np.ptp(before["joints"]) > 5


def test_a_bottleneck_resnet_folds_too():
    model = integral_tf.pose_model("I*", "resnet50", image_size=32)
    assert not normalisations(folding.fold(model))


def test_an_imported_network_folds_too():
    # BGR by PyTorch's numbers, and strided convolutions padded on their own.
    tensors = pose_resnet.random_tensors(50)
    model = models.from_pytorch(tensors, 64)
    folded = folding.fold(model)
    assert not normalisations(folded)
    images = cases.crops()
    before = np.asarray(model(images)["heatmaps"])
    assert before.std() > 0.5
    np.testing.assert_allclose(folded(images)["heatmaps"], before, atol=1e-4)


def head(x):
    return {"joints": x, "scores": x}


def test_what_a_convolution_cannot_hold_stays():
    images = keras.Input((8, 8, 3))
    # An activation in between, or a second reader of the convolution.
    x = keras.layers.Conv2D(4, 3, activation="relu", name="active")(images)
    x = keras.layers.BatchNormalization(name="after_activation")(x)
    x = keras.layers.Conv2D(4, 3, name="read_twice")(x)
    y = keras.layers.BatchNormalization(name="one_of_two")(x)
    y = keras.layers.Conv2D(4, 1, name="plain")(keras.layers.Add()([x, y]))
    y = keras.layers.BatchNormalization(name="foldable")(y)
    model = keras.Model(images, head(y))
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 2, variable.shape))
    folded = folding.fold(model)
    assert sorted(normalisations(folded)) == ["after_activation", "one_of_two"]
    x = rng.uniform(size=(2, 8, 8, 3))
    np.testing.assert_allclose(
        folded(x)["joints"], model(x)["joints"], rtol=1e-5
    )


def test_mixed_precision_is_exported_in_float32():
    with conformance.policy("mixed_float16"):
        mixed = cases.model()
    plain = folding.in_float32(mixed)
    assert {layer.compute_dtype for layer in plain._flatten_layers()} == {
        "float32"
    }
    images = cases.crops()
    got = cases.answer(folding.fold(mixed), images)
    assert cases.distance(got, cases.answer(plain, images)).max() < 0.01
    assert folding.in_float32(plain) is plain


def test_groups_and_gelu_are_operations_of_every_format():
    # As in ConvNeXt. Keras computes groups by a function of XLA, and GELU by
    # erfc.
    images = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(4, 3, 2, "same", groups=4)(images)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(6, 3, groups=2, activation="gelu")(x)
    model = keras.Model(images, head(x))
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0, 1, variable.shape))
    folded = folding.fold(model)
    graph = tf.function(folded).get_concrete_function(
        tf.TensorSpec([None, 8, 8, 4])
    )
    kinds = {node.type for node in graph.graph.get_operations()}
    assert {"DepthwiseConv2dNative", "Conv2D"} < kinds
    assert not any("Call" in kind or kind == "Erfc" for kind in kinds)
    x = rng.normal(size=(2, 8, 8, 4)).astype("float32")
    np.testing.assert_allclose(
        folded(x)["joints"], model(x)["joints"], rtol=1e-4, atol=1e-6
    )
