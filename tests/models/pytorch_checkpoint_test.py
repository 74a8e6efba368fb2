"""Tests for checkpoints of PyTorch, without PyTorch and with it."""

import pathlib
import sys

import numpy as np
import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import models
from integral_tf import skeletons
from integral_tf.inference import loading
from integral_tf.models import backbone as backbones
from integral_tf.training import importing
from tests.models import pose_resnet

ROOT = pathlib.Path(__file__).parent.parent.parent

# What names a project gives the tensors, and whether it trained on BGR.
NAMES = {
    "simple baselines": (lambda tensors: tensors, True),
    "simple baselines in training": (
        lambda tensors: {
            "epoch": 1,
            "state_dict": {f"module.{n}": t for n, t in tensors.items()},
        },
        True,
    ),
    "mmpose 0": (
        lambda tensors: {
            "meta": {"epoch": 1},
            "state_dict": pose_resnet.named_as_mmpose(tensors, "keypoint_head"),
        },
        False,
    ),
    "mmpose 1": (
        lambda tensors: {
            "meta": {"epoch": 1},
            "state_dict": pose_resnet.named_as_mmpose(tensors, "head"),
        },
        False,
    ),
}


@pytest.fixture(scope="module")
def tensors():
    """ResNet-18 of 1/8 width, 3 deconvolutions, 5 joints."""
    return pose_resnet.random_tensors(18, width=8)


@pytest.fixture
def images():
    """Noise, but white and black at two borders, where padding tells."""
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3))
    images[:, :5], images[:, :, -4:] = 255, 0
    return images.astype("float32")


def heatmaps(model, images):
    """`(B, K, h, w)`, as PyTorch has them."""
    return np.asarray(model(images)["heatmaps"]).transpose(0, 3, 1, 2)


def assert_same_maps(model, images, expected):
    assert expected.shape == (2, 5, 16, 24)  # stride 4
    assert expected.std() > 0.5  # 1e-3 is little
    np.testing.assert_allclose(heatmaps(model, images), expected, atol=1e-3)


@pytest.mark.parametrize("project", NAMES)
def test_maps_are_those_of_numpy(project, tensors, images):
    named, bgr = NAMES[project]
    model = models.from_pytorch(named(tensors), image_size=(64, 96))
    seen = pose_resnet.normalised(images, bgr)
    assert_same_maps(model, images, pose_resnet.forward(tensors, seen))


@pytest.mark.parametrize(
    "stride, caffe", [("pytorch", False), ("1x1", True)], ids=str
)
def test_bottlenecks_have_the_stride_where_it_is_asked(stride, caffe, images):
    tensors = pose_resnet.random_tensors(50)
    model = models.from_pytorch(tensors, (64, 96), "torch", stride)
    seen = pose_resnet.normalised(images, bgr=False)
    expected = pose_resnet.forward(tensors, seen, caffe)
    assert_same_maps(model, images, expected)


def test_a_stride_padded_as_pytorch_takes_the_same_weights():
    known, padded = (
        backbones.build("resnet50", (64, 64), bottleneck_stride=stride)
        for stride in ("1x1", "pytorch")
    )
    weighted = [
        [layer.name for layer in model.layers if layer.weights]
        for model in (known, padded)
    ]
    assert weighted[0] == weighted[1]
    padded.set_weights(known.get_weights())
    assert padded.output_shape == known.output_shape


def test_joints_are_of_the_cells_middle(tensors, images):
    # What the docstring says: 4 m + 1.5 here, 4 m in Simple Baselines.
    outputs = models.from_pytorch(tensors, (64, 96))(images)
    maps = np.asarray(outputs["heatmaps"]).reshape(2, 16 * 24, 5)
    y, x = np.unravel_index(maps.argmax(axis=1), (16, 24))
    expected = 4 * np.stack([x, y], axis=-1) + 1.5
    np.testing.assert_allclose(outputs["joints"], expected)


def test_what_is_read_is_in_the_tensors():
    tensors = pose_resnet.random_tensors(18, 3, 16, deconvolutions=(12, 12))
    tensors["fc.weight"] = np.zeros((1000, 128), "float32")
    tensors["bn1.num_batches_tracked"] = np.array(7)
    model = models.from_pytorch(tensors, 64)
    assert model.output["heatmaps"].shape == (None, 8, 8, 3)
    assert model.get_layer("heatmap_head").channels == 12
    assert model.get_layer("centering").mode == "torch_bgr"


@pytest.mark.parametrize(
    "change, message",
    [
        pytest.param(
            {"layer2.0.bn2.running_var": None},
            r"missing: layer2\.0\.bn2\.running_var$",
            id="missing",
        ),
        pytest.param({"conv1.weight": None}, r"missing: conv1\.w", id="first"),
        pytest.param(
            {"deconv_layers.0.bias": np.zeros(8)},
            r"too many: deconv_layers\.0\.bias$",
            id="too many",
        ),
        pytest.param(
            {"final_layer.weight": np.zeros((5, 8, 3, 3))},
            r"shape: final_layer\.weight \(5, 8, 3, 3\), not \(5, 8, 1, 1\)$",
            id="a 3 x 3 kernel at the end",
        ),
        pytest.param(
            {"bn1.bias": np.zeros(8, int)}, r"bn1\.bias of type int", id="ints"
        ),
        pytest.param(
            {"layer3.2.conv1.weight": np.zeros((32, 32, 3, 3))},
            "2-2-3-2 basic blocks",
            id="another backbone",
        ),
    ],
)
def test_says_which_tensors_are_wrong(tensors, change, message):
    changed = {**tensors, **change}
    changed = {n: t for n, t in changed.items() if t is not None}
    with pytest.raises(ValueError, match=message):
        models.from_pytorch(changed, 64)


def test_refuses_what_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="Received: list"):
        models.from_pytorch([1, 2])
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        models.from_pytorch(tmp_path / "none.pth")


def test_without_pytorch_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "some.pth").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        models.from_pytorch(tmp_path / "some.pth")


def test_becomes_a_run(tmp_path, monkeypatch, images):
    tensors = pose_resnet.random_tensors(18, 17, width=8)
    expected = models.from_pytorch(tensors, (64, 96), "torch")
    run = tmp_path / "runs" / "imported"
    arguments = run, skeletons.COCO, tensors, (64, 96), "torch", "pytorch"
    importing.write_run(*arguments)

    flags = flagfiles.read(config.TrainConfig, run / "flags.cfg")
    assert (flags.method, flags.backbone, flags.width) == (
        "H1",
        "resnet18",
        0.125,
    )
    assert (flags.size, flags.upsamplings, flags.head_channels) == (
        (64, 96),
        3,
        8,
    )
    assert flags.preprocessing == "torch"
    assert loading.saved_skeleton(run) == skeletons.COCO
    loaded = loading.load(run)
    np.testing.assert_allclose(
        heatmaps(loaded, images), heatmaps(expected, images), atol=1e-6
    )
    with pytest.raises(FileExistsError, match="imported"):
        importing.write_run(*arguments)

    # Broken off, nothing is left.
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(importing.checkpoint, "save_model", full)
    with pytest.raises(OSError, match="no space"):
        importing.write_run(run.with_name("other"), *arguments[1:])
    assert [path.name for path in run.parent.iterdir()] == ["imported"]


def test_weights_go_into_the_same_network_only(tensors):
    def built(**options):
        return models.pose_model(
            "I1", "resnet18", 5, 64, 3, width=0.125, head_channels=8, **options
        )

    imported = models.network(models.from_pytorch(tensors, 64))
    assert imported == models.network(built(preprocessing="torch_bgr"))
    assert imported != models.network(built())
    strides = [
        models.network(models.pose_model(image_size=64, bottleneck_stride=each))
        for each in ("1x1", "3x3", "pytorch")
    ]
    assert strides[0] != strides[1] != strides[2] != strides[0]


@pytest.fixture(scope="module")
def torch():
    # Triton's LLVM and TensorFlow's abort a process that has both.
    sys.modules.setdefault("triton", None)
    return pytest.importorskip("torch")


@pytest.mark.parametrize("project", NAMES)
def test_maps_are_those_of_pytorch(project, torch, tmp_path, images):
    from tests.models import torch_pose_resnet

    named, bgr = NAMES[project]
    network = torch_pose_resnet.PoseResNet((3, 4, 6, 3), joints=5, channels=8)
    tensors = pose_resnet.random_tensors(50)
    state = {name: torch.from_numpy(t) for name, t in tensors.items()}
    missing, extra = network.load_state_dict(state, strict=False)
    assert not extra
    assert all(name.endswith("num_batches_tracked") for name in missing)
    torch.save(named(network.state_dict()), tmp_path / "pose.pth.tar")

    with torch.no_grad():
        seen = pose_resnet.normalised(images, bgr).astype("float32")
        expected = network.eval()(torch.from_numpy(seen)).numpy()
    model = models.from_pytorch(tmp_path / "pose.pth.tar", (64, 96))
    assert_same_maps(model, images, expected)


def test_other_types_are_read(torch, tensors, images):
    halves = {n: torch.from_numpy(t).bfloat16() for n, t in tensors.items()}
    rounded = {n: t.float().numpy() for n, t in halves.items()}
    np.testing.assert_array_equal(
        heatmaps(models.from_pytorch(halves, (64, 96)), images),
        heatmaps(models.from_pytorch(rounded, (64, 96)), images),
    )


class Trap:
    """Unpickled, it would be called."""

    def __reduce__(self):
        return (sys.exit, ("the checkpoint ran code",))


def test_runs_no_code_of_a_file(torch, tmp_path):
    path = tmp_path / "trap.pth"
    torch.save({"state_dict": {}, "hooks": Trap()}, path)
    with pytest.raises(ValueError, match=r"could run code.*trap\.pth"):
        models.from_pytorch(path)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match=r"trap\.pth"):
        models.from_pytorch(path)


def test_safetensors(tensors, images, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file(tensors, tmp_path / "pose.safetensors")
    model = models.from_pytorch(tmp_path / "pose.safetensors", (64, 96))
    expected = models.from_pytorch(tensors, (64, 96))
    np.testing.assert_array_equal(
        heatmaps(model, images), heatmaps(expected, images)
    )
