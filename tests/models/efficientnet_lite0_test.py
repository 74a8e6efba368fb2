"""Tests for EfficientNet-Lite0, and for what of a backbone is trained."""

import keras
import numpy as np
import pytest

from integral_tf import config
from integral_tf import models
from integral_tf.models import efficientnet_lite0
from integral_tf.training import optimizers


def tensors():
    """Arrays with the names and shapes of the PyTorch file, drawn."""
    rng, found = np.random.default_rng(0), {}

    def conv(name, out, into, side):
        shape = (out, into, side, side)
        found[f"{name}.weight"] = rng.normal(0, 0.3, shape).astype("float32")

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            values = rng.uniform(0.5, 1.5, channels)
            found[f"{name}.{part}"] = values.astype("float32")

    conv("_conv_stem", 32, 3, 3)
    norm("_bn0", 32)
    number, before = 0, 32
    # Tan and Le's Table 1: blocks, kernel, expansion, channels.
    for blocks, side, expansion, channels in (
        (1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40),
        (3, 3, 6, 80), (3, 5, 6, 112), (4, 5, 6, 192),
    ):  # fmt: skip
        for _ in range(blocks):
            path, wide = f"_blocks.{number}", before * expansion
            if expansion > 1:
                conv(f"{path}._expand_conv", wide, before, 1)
                norm(f"{path}._bn0", wide)
            conv(f"{path}._depthwise_conv", wide, 1, side)
            norm(f"{path}._bn1", wide)
            conv(f"{path}._project_conv", channels, wide, 1)
            norm(f"{path}._bn2", channels)
            number, before = number + 1, channels
    return found


@pytest.fixture(scope="module")
def assigned():
    model = efficientnet_lite0.efficientnet_lite0((64, 96, 3))
    efficientnet_lite0.assign(model, tensors())
    return model


def test_features_are_a_thirtysecond_of_the_image(assigned):
    assert assigned.output_shape == (None, 2, 3, 192)
    # Every tensor of the file found its place, and no weight is without one.
    held = sum(values.size for values in tensors().values())
    assert assigned.count_params() == held


def test_a_block_computes_what_its_tensors_say(assigned):
    # Stage 4's second block: 80 channels of 4 x 6, with a shortcut.
    given = tensors()
    inputs = np.random.default_rng(2).normal(size=(1, 4, 6, 80))
    start = assigned.get_layer("stage4_block1_project_bn").output
    end = assigned.get_layer("stage4_block2_out").output
    block = keras.Model(start, end)(inputs.astype("float32"))

    def normed(x, name):
        gain, bias, mean, variance = (
            given[f"{name}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gain + bias

    path = "_blocks.6"  # after 1 + 2 + 2 of other stages, and one of this
    x = inputs @ given[f"{path}._expand_conv.weight"][:, :, 0, 0].T
    x = np.clip(normed(x, f"{path}._bn0"), 0, 6)
    kernel = given[f"{path}._depthwise_conv.weight"][:, 0]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = sum(
        padded[:, i : i + 4, j : j + 6] * kernel[:, i, j]
        for i in range(3)
        for j in range(3)
    )
    x = np.clip(normed(x, f"{path}._bn1"), 0, 6)
    x = x @ given[f"{path}._project_conv.weight"][:, :, 0, 0].T
    expected = inputs + normed(x, f"{path}._bn2")
    np.testing.assert_allclose(block, expected, rtol=2e-3, atol=2e-3)


def test_another_file_is_refused():
    given = tensors()
    del given["_blocks.3._bn1.bias"]
    model = efficientnet_lite0.efficientnet_lite0((64, 64, 3))
    with pytest.raises(ValueError, match="stage3_block1_depthwise_bn"):
        efficientnet_lite0.assign(model, given)


def lite(**flags):
    """The settings, network and optimizer of a run of 64 pixels."""
    keras.utils.set_random_seed(0)
    run = config.TrainConfig(learning_rate=0.01, **flags)
    model = models.pose_model(
        "H1", "efficientnet_lite0", 2, 64, upsamplings=1,
        head_channels=4, preprocessing="lite",
    )  # fmt: skip
    return model, optimizers.optimizer(run, model)


def changes(model, optimizer):
    """How far each weight goes in one step of Adam, by the layer's name."""
    before = {id(w): w.numpy().copy() for w in model.weights}
    variables = model.trainable_variables
    model(np.ones((2, 64, 64, 3), "float32"), training=True)
    optimizer.apply([np.ones(v.shape, "float32") for v in variables], variables)
    return {
        layer.name: max(
            (np.abs(w.numpy() - before[id(w)]).max() for w in layer.weights),
            default=0,
        )
        for layer in models.body(model).layers + [model.layers[-5]]
        if layer.weights
    }


def test_frozen_stages_and_all_norms_of_the_backbone_stay():
    model, optimizer = lite(frozen_stages=3)
    moved = changes(model, optimizer)
    for name, far in moved.items():
        stays = name.endswith("_bn") or name[:6] in (
            "stem_c", "stage1", "stage2", "stage3",
        )  # fmt: skip
        assert (far == 0) == stays, name
    assert {"stem_conv", "stage3_block2_project", "stage4_block1_expand"} <= {
        *moved
    }


def test_without_a_frozen_stage_everything_moves():
    assert all(far > 0 for far in changes(*lite()).values())


def test_the_backbones_rate_is_a_factor():
    model, optimizer = lite(backbone_rate=0.25, frozen_stages=1)
    head = model.get_layer("heatmap_head").score.kernel
    before = head.numpy().copy()
    moved = changes(model, optimizer)
    # Adam's first step is the rate, whatever the gradient.
    assert moved["stage4_block1_expand"] == pytest.approx(0.0025, rel=1e-3)
    np.testing.assert_allclose(before - head.numpy(), 0.01, rtol=1e-3)


def test_a_resnets_stages_are_counted_from_conv2():
    model = models.pose_model(
        "H1", "resnet18", 2, 64, upsamplings=1, width_multiplier=1 / 16
    )
    models.freeze(model, 1)
    body = models.body(model)
    assert not body.get_layer("conv1_conv").trainable
    assert not body.get_layer("conv2_block2_2_conv").trainable
    assert body.get_layer("conv3_block1_1_conv").trainable


def test_later_stages_of_figure_1_are_refused():
    model = models.pose_model(
        "H1",
        "resnet18",
        2,
        64,
        upsamplings=1,
        stages=2,
        width_multiplier=1 / 16,
    )
    with pytest.raises(ValueError, match="--stages=1"):
        models.freeze(model, 1)
    with pytest.raises(ValueError, match="Received: backbone='efficientnet"):
        models.pose_model("H1", "efficientnet_lite0", 2, 64, stages=2)


def test_it_has_one_width_and_no_weights_of_keras():
    for arguments in ({"weights": "imagenet"}, {"width_multiplier": 0.5}):
        with pytest.raises(ValueError, match="import_lite0.py.*Received"):
            models.pose_model(
                "H1", "efficientnet_lite0", 2, 64, **arguments
            )  # fmt: skip
