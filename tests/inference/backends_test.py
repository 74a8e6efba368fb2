"""Tests that every runtime is right, whoever else asks it."""

import concurrent.futures
import ctypes
import types

import numpy as np
import pytest

import integral_tf
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends
from integral_tf.inference import published
from integral_tf.inference import tensorrt_engine
from tests.export import cases

THREADS, REQUESTS = 4, 60


def check_threads(ask):
    """Requires that each request is answered as it is alone.

    Args:
        ask: A function from a number to an array.
    """
    alone = [ask(i) for i in range(10)]
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, [i % 10 for i in range(REQUESTS)]))
    for i, answer in enumerate(answers):
        np.testing.assert_allclose(answer, alone[i % 10], atol=0.05)


@pytest.fixture(scope="module")
def network():
    return cases.model()


@pytest.mark.parametrize(
    "module, packages",
    [
        pytest.param(saved_model, (), id="saved_model"),
        pytest.param(onnx, ("onnxruntime", "tf2onnx"), id="onnx"),
        pytest.param(litert, ("ai_edge_litert",), id="litert"),
        pytest.param(openvino, ("openvino", "tf2onnx"), id="openvino"),
    ],
)
def test_an_artifact_asked_by_several_threads(
    network, module, packages, tmp_path
):
    for package in packages:
        pytest.importorskip(package)
    module.write(cases.frozen(network), tmp_path)
    backend = backends.load(backends.find(tmp_path))
    # Requests of one to three people: another's shape is a mistake, too.
    crops = [cases.crops(1 + i % 3, seed=i) for i in range(10)]
    check_threads(lambda i: backend(crops[i])["joints"])


@pytest.mark.parametrize("flip_test", [False, True])
def test_a_keras_model_whose_first_calls_are_at_once(network, flip_test):
    images = [cases.crops(1, seed=i)[0].astype("uint8") for i in range(10)]

    def ask(i, estimate):
        (pose,) = estimate(images[i])
        return pose.joints

    def new():
        return integral_tf.PoseEstimator(network, "mpii", flip_test=flip_test)

    alone, asked = new(), new()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda i: ask(i, asked), range(10)))
    for i, answer in enumerate(answers):
        np.testing.assert_allclose(answer, ask(i, alone), atol=0.05)


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "a/../../b"])
def test_a_card_names_files_of_its_folder_only(tmp_path, name):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match=r"its folder only.*card.json"):
        published.check(tmp_path / "1", {"sha256": {name: "0"}})


class Context:
    """TensorRT's context as far as it goes: one shape and one set of addresses.

    Its engine's joints are the mean of the crop, twice, and so are its scores.
    """

    def __init__(self):
        self.addresses = {}

    def set_input_shape(self, name, shape):
        self.shape = shape

    def set_tensor_address(self, name, address):
        self.addresses[name] = address

    def execute_async_v3(self, stream):
        people = self.shape[0]
        values = _memory(self.addresses["images"], np.prod(self.shape))
        means = values.reshape(people, -1).mean(axis=1)
        for name, size in (("joints", 32), ("scores", 16)):
            answer = _memory(self.addresses[name], people * size)
            answer[:] = np.repeat(means, size)
        return True


def _memory(address, count):
    return np.ctypeslib.as_array(
        (ctypes.c_float * int(count)).from_address(address)
    )


class Cuda:
    """Memory of the host in the place of the GPU's."""

    def __init__(self):
        self.held, self.freed = {}, []

    def allocate(self, size):
        memory = ctypes.create_string_buffer(max(size, 1 << 18))
        pointer = ctypes.c_void_p(ctypes.addressof(memory))
        self.held[pointer.value] = memory
        return pointer

    def copy(self, pointer, array, kind):
        pair = [pointer, ctypes.c_void_p(array.ctypes.data)]
        ctypes.memmove(*(pair if kind == 1 else pair[::-1]), array.nbytes)

    def free(self, pointer):
        # Kept, and larger than asked for: a mistake is to be wrong only.
        self.freed.append(self.held.pop(pointer.value))


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """`TensorRT` with a context and memory that need no GPU."""
    shapes = {
        "images": (-1, 64, 64, 3),
        "joints": (-1, 16, 2),
        "scores": (-1, 16),
    }
    engine = types.SimpleNamespace(
        create_execution_context=Context,
        get_tensor_shape=shapes.get,
        get_tensor_profile_shape=lambda name, profile: [(1,), (1,), (2,)],
    )
    runtime = types.SimpleNamespace(deserialize_cuda_engine=lambda plan: engine)
    trt = types.SimpleNamespace(
        Logger=lambda level: None,
        Runtime=lambda logger: runtime,
        __version__="10.1",
    )
    trt.Logger.ERROR = 1
    monkeypatch.setattr(tensorrt_engine, "load_tensorrt", lambda: trt)
    monkeypatch.setattr(tensorrt_engine, "Cuda", Cuda)
    (tmp_path / "model.plan").write_bytes(b"an engine")
    return backends.load(tmp_path / "model.plan")


def test_an_engine_asked_by_several_threads(engine):
    crops = [np.full((1 + i % 3, 64, 64, 3), i, "float32") for i in range(10)]
    check_threads(lambda i: engine(crops[i])["joints"])
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for i, answer in enumerate(pool.map(engine, crops * 20)):
            i = i % 10
            assert answer["joints"].shape == (1 + i % 3, 16, 2)
            assert (answer["joints"] == i).all()
            assert (answer["scores"] == i).all()
    assert engine.cuda.held == {}


def test_an_engine_that_tensorrt_refuses_is_one_sentence(engine, tmp_path):
    # TensorRT gives None for a damaged engine, or one of another GPU.
    engine.runtime.deserialize_cuda_engine = lambda plan: None
    with pytest.raises(
        ValueError, match="model.plan is not .*that TensorRT re"
    ):
        backends.load(tmp_path / "model.plan")


def test_a_runtime_that_is_missing_keeps_its_name():
    with pytest.raises(ImportError, match="^ONNX needs nothing_such: "):
        backends.need("nothing_such", "nothing_such", "ONNX")


class Damaged:
    """A runtime whose network opens, and gives something else than joints."""

    height, width, joints = 8, 8, 2

    def __init__(self, path):
        pass

    def __call__(self, crops):
        return self.outputs()


@pytest.mark.parametrize(
    "joints, reason",
    [
        (np.full((1, 2, 2), np.nan), "joints of a black crop are not finite"),
        (np.zeros((1, 3, 2)), "joints of a black crop are not .* shape"),
        (None, "no such output"),
    ],
)
def test_a_network_that_opens_but_gives_no_joints_is_refused(
    joints, reason, tmp_path, monkeypatch
):
    def outputs(self):
        if joints is None:
            raise RuntimeError("no such output\nand a second line")
        return {"joints": joints, "scores": np.zeros((1, 2))}

    monkeypatch.setattr(Damaged, "outputs", outputs, raising=False)
    monkeypatch.setitem(backends._RUNTIMES, ".onnx", Damaged)
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=f"that Damaged reads: .*{reason}"):
        backends.load(backends.find(tmp_path))
