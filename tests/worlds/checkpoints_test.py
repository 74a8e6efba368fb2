"""Files that PyTorch itself wrote, and its own maps: in the torch world."""

import sys

import numpy as np
import pytest

from integral_tf.keras_version import LEGACY
from tests.models import pose_resnet
from tests.models import their_decode

# Triton's LLVM and TensorFlow's abort a process that has both.
sys.modules.setdefault("triton", None)
torch = pytest.importorskip("torch")
if LEGACY:
    pytest.skip("networks need Keras 3", allow_module_level=True)

from integral_tf import models  # noqa: E402
from integral_tf.models import pytorch_checkpoint  # noqa: E402
from integral_tf.models import tensor_files  # noqa: E402
from tests.models import torch_pose_resnet  # noqa: E402

IMAGES = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3))
IMAGES[:, :5], IMAGES[:, :, -4:] = 255, 0  # where padding tells


@pytest.fixture(scope="module")
def network():
    """Simple Baselines' ResNet-50, with narrow deconvolutions, of 5 joints."""
    made = torch_pose_resnet.PoseResNet((3, 4, 6, 3), joints=5, channels=8)
    state = {
        name: torch.from_numpy(tensor)
        for name, tensor in pose_resnet.random_tensors(50).items()
    }
    missing, extra = made.load_state_dict(state, strict=False)
    assert not extra
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return made.eval()


def as_published(network):
    return network.state_dict()


def in_training(network):
    network = torch.nn.DataParallel(network)
    optimizer = torch.optim.Adam(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    return {
        "epoch": 140,
        "model": "pose_resnet",
        "state_dict": network.state_dict(),
        "perf": np.float64(0.704),
        "optimizer": optimizer.state_dict(),
    }


def compiled(network):
    return {"model": torch.compile(network).state_dict()}


def of_mmpose(network):
    named = pose_resnet.named_as_mmpose(network.state_dict(), "head")
    return {"meta": {"epoch": 210}, "state_dict": named}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("saved", [as_published, in_training, compiled])
def test_tensors_are_those_that_pytorch_saved(saved, zipped, network, tmp_path):
    path = tmp_path / "some.pth"
    torch.save(saved(network), path, _use_new_zipfile_serialization=zipped)
    read = pytorch_checkpoint._state_dict(path)
    read = tensor_files.arrays(read, path)
    state = network.state_dict()
    assert len(read) == len(state)
    for (name, array), (wanted, tensor) in zip(read.items(), state.items()):
        assert name.endswith(wanted)
        np.testing.assert_array_equal(array, tensor.numpy())


@pytest.mark.parametrize(
    "saved, bgr", [(in_training, True), (of_mmpose, False)]
)
def test_maps_and_joints_are_those_of_pytorch(saved, bgr, network, tmp_path):
    torch.save(saved(network), tmp_path / "pose_resnet_50_96x64.pth.tar")
    with torch.no_grad():
        seen = pose_resnet.normalised(IMAGES, bgr).astype("float32")
        expected = network(torch.from_numpy(seen)).numpy()
    model = models.from_pytorch(
        tmp_path / "pose_resnet_50_96x64.pth.tar", (64, 96)
    )
    outputs = model.predict(IMAGES.astype("float32"), verbose=0)
    maps = outputs["heatmaps"].transpose(0, 3, 1, 2)
    assert expected.shape == (2, 5, 16, 24) and expected.std() > 0.5
    np.testing.assert_allclose(maps, expected, atol=1e-3)
    joints = 4 * their_decode.final_cells(expected)
    np.testing.assert_allclose(outputs["joints"], joints, atol=0.01)


def test_every_type_and_view_is_read(tmp_path):
    wide = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    tensors = {
        "slice": wide[:, 1:, ::2],
        "turned": wide.permute(2, 0, 1),
        "parameter": torch.nn.Parameter(torch.ones(3)),
        **{
            str(kind): (wide[0] - 5).to(kind)
            for kind in (torch.float64, torch.float16, torch.bfloat16)
        },
        "int": torch.tensor([1, 2], dtype=torch.int32),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
    }
    for zipped in (True, False):
        path = tmp_path / f"{zipped}.pth"
        torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
        read = tensor_files.arrays(tensor_files.read(path), path)
        assert list(read) == list(tensors)
        for name, tensor in tensors.items():
            wanted = tensor.detach().double().numpy()
            np.testing.assert_array_equal(read[name], wanted)
            assert read[name].shape == wanted.shape


def test_tensors_in_memory_are_taken():
    tensors = pose_resnet.random_tensors(18, width=8)
    halves = {n: torch.from_numpy(t).bfloat16() for n, t in tensors.items()}
    rounded = {n: t.float().numpy() for n, t in halves.items()}
    maps = [
        models.from_pytorch(each, (64, 96)).predict(IMAGES, verbose=0)
        for each in (halves, rounded)
    ]
    np.testing.assert_array_equal(maps[0]["heatmaps"], maps[1]["heatmaps"])


def test_a_whole_network_is_refused(network, tmp_path):
    torch.save(network, tmp_path / "whole.pth")
    wanted = r"the class tests\.models\.torch_pose_resnet\.PoseResNet$"
    with pytest.raises(ValueError, match=wanted):
        models.from_pytorch(tmp_path / "whole.pth")
