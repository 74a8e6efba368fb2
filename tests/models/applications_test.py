"""Tests for the networks of keras.applications as backbones."""

import inspect

import keras
import numpy as np
import pytest
from keras.src.applications import convnext
from keras.src.applications import efficientnet
from keras.src.applications import efficientnet_v2

from integral_tf import layers
from integral_tf import models
from integral_tf.config import backbones as names
from integral_tf.models import applications as keras_applications
from integral_tf.models import backbone as backbones

applications = keras.applications


@pytest.fixture
def photographs():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (2, 64, 64, 3)).astype("float32")


def test_every_network_of_keras_has_a_name():
    theirs = {
        name
        for name, made in vars(applications).items()
        if inspect.isfunction(made) and "Inception" not in name
    }
    ours = {name.replace("resnet", "ResNet") for name in names.NAMES}
    assert ours - theirs == {"ResNet18", "efficientnet_lite0"}
    assert theirs <= ours


@pytest.mark.parametrize(
    "name, module",
    [
        ("MobileNet", applications.mobilenet),
        ("MobileNetV2", applications.mobilenet_v2),
        ("ResNet50V2", applications.resnet_v2),
        ("resnet50", applications.resnet),
        ("VGG16", applications.vgg16),
        ("DenseNet121", applications.densenet),
        ("NASNetMobile", applications.nasnet),
        ("Xception", applications.xception),
    ],
)
def test_the_preprocessing_is_that_of_keras(name, module, photographs):
    centred = layers.ImageNetNormalization(names.preprocessing(name))
    expected = module.preprocess_input(photographs.copy())  # overwrites
    np.testing.assert_allclose(centred(photographs), expected, atol=1e-4)


def tiny_convnext():
    return convnext.ConvNeXt(
        [1] * 4, [8] * 4, weights=None, include_top=False,
        input_shape=(64, 64, 3),
    )  # fmt: skip


def tiny_efficientnet(name):
    return efficientnet_v2.EfficientNetV2(
        0.1, 0.1, 224, weights=None, include_top=False, name=name,
        input_shape=(64, 64, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    "name, network",
    [
        # Smaller siblings of these networks, by Keras's own functions.
        ("ConvNeXtTiny", tiny_convnext),
        ("EfficientNetV2B0", lambda: tiny_efficientnet("efficientnetv2-b0")),
        ("EfficientNetV2S", lambda: tiny_efficientnet("efficientnetv2-s")),
        (
            "MobileNetV3Small",
            lambda: applications.MobileNetV3Small(
                include_top=False, weights=None, input_shape=(64, 64, 3)
            ),
        ),
    ],
)
def test_what_keras_has_in_the_network_is_in_the_pose_model(
    name, network, photographs
):
    theirs = network()
    ours = keras_body(theirs)
    centred = layers.ImageNetNormalization(names.preprocessing(name))
    expected = np.asarray(theirs(photographs))
    assert expected.std() > 0
    np.testing.assert_allclose(
        ours(centred(photographs)), expected,
        atol=1e-4 * np.abs(expected).max(),
    )  # fmt: skip
    assert backbones.stride(ours) == 32
    # What Keras nests, as ConvNeXt's stem, would not be folded.
    assert not [layer for layer in ours.layers if hasattr(layer, "layers")]


def keras_body(theirs):
    return keras_applications.body(theirs, (64, 64), "Body")


@pytest.mark.parametrize(
    "momentum, expected", [(0.9997, 0.99), (0.999, 0.99), (0.9, 0.9)]
)
def test_averages_of_batch_normalisation_follow_the_training(
    momentum, expected
):
    # Keras's NASNets, MobileNetV3 and EfficientNetV2 have these momenta.
    image = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    norm = keras.layers.BatchNormalization(momentum=momentum, name="norm")
    ours = keras_body(keras.Model(image, norm(x)))
    assert ours.get_layer("norm").momentum == expected
    again = keras.models.clone_model(ours)
    assert again.get_layer("norm").momentum == expected


def test_efficientnets_imagenet_weights_normalise_as_torch(photographs):
    # Keras's source says so of these weights, from its issue 49930: their
    # Normalization has the deviations for variances, and another layer divides
    # by the roots of the deviations.
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    layer = keras.layers.Normalization(mean=mean, variance=deviation)
    expected = layer(photographs / 255) / np.sqrt(deviation)
    assert names.preprocessing("EfficientNetB0") == "torch"
    seen = layers.ImageNetNormalization("torch")(photographs)
    np.testing.assert_allclose(seen, expected, atol=1e-4)


def test_efficientnet_begins_with_its_first_convolution():
    theirs = efficientnet.EfficientNet(
        0.1, 0.1, 224, weights=None, include_top=False,
        input_shape=(64, 64, 3),
    )  # fmt: skip
    kinds = [type(layer).__name__ for layer in keras_body(theirs).layers[:3]]
    assert kinds == ["InputLayer", "ZeroPadding2D", "Conv2D"]


def test_a_mobilenet_comes_in_other_widths(tmp_path):
    # Howard et al., Table 1: 32 filters of the first convolution; a fourth.
    ours = backbones.build("MobileNet", (64, 64), width_multiplier=0.25)
    assert ours.get_layer("conv1").filters == 8
    with pytest.raises(ValueError, match="MobileNets.*width_multiplier=1`"):
        backbones.build("ResNet50V2", (64, 64), width_multiplier=0.5)
    path = tmp_path / "fourth.weights.h5"
    ours.save_weights(path)
    again = backbones.build("MobileNet", (64, 64), path, width_multiplier=0.25)
    for here, there in zip(again.get_weights(), ours.get_weights()):
        np.testing.assert_array_equal(here, there)
    with pytest.raises(ValueError, match="`weights` must hold mobilenet"):
        backbones.build("MobileNet", (64, 64), path, width_multiplier=0.5)


def test_keras_refusal_of_a_size_is_one_sentence():
    with pytest.raises(ValueError, match="Xception for images of 64 x 64.*71"):
        backbones.build("Xception", (64, 64))


def test_imagenet_weights_are_for_their_own_preprocessing():
    with pytest.raises(ValueError, match="trained on `preprocessing` torch"):
        models.pose_model(
            backbone="convnexttiny", weights="imagenet", preprocessing="caffe"
        )


def test_the_pose_model_has_the_preprocessing_and_an_eighth_of_the_size():
    model = models.pose_model(
        "I1", "mobilenetV3small", 3, (64, 96), head_channels=4
    )
    assert model.get_layer("centering").mode == "tf"
    assert model.output["heatmaps"].shape == (None, 8, 12, 3)
    assert model.name == "i1_mobilenetv3small"
    with pytest.raises(ValueError, match="conv3.*backbone='MobileNetV3Small'"):
        models.pose_model("I1", "MobileNetV3Small", 3, 64, stages=2)


def test_stages_are_counted_by_the_features_size():
    # Howard et al., "Searching for MobileNetV3", Table 2: features of 1/4
    # after the first block, of 1/8 after the second; the third's expansion
    # widens these.
    model = models.pose_model("H1", "MobileNetV3Small", 2, 64, head_channels=4)
    models.freeze(model, 1)
    body = models.body(model)
    moving = [layer.name for layer in body.layers if layer.trainable_weights]
    assert moving[0] == "expanded_conv_1_depthwise"
    assert not body.get_layer("expanded_conv_squeeze_excite_conv").trainable
    assert not body.get_layer("expanded_conv_8_project_bn").trainable
    # A pooled vector belongs to the stage of its features.
    assert body.get_layer("expanded_conv_3_squeeze_excite_conv").trainable
