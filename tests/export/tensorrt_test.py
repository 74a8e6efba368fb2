"""Tests for TensorRT, as far as a machine without a GPU goes.

TensorRT's libraries are several GB and want a GPU, but its Python bindings are
a small wheel. Linked to stub libraries that are compiled here, they can be
imported, and say whether every name exists that this package calls.
"""

import ast
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from integral_tf import config
from integral_tf.export import parity
from integral_tf.export import publish
from integral_tf.export import tensorrt
from integral_tf.inference import estimator
from integral_tf.inference import tensorrt_engine
from tests.export import cases

# What holds what in the two modules: variable -> class of the bindings.
HOLDS = {
    "trt": None,
    "builder": "Builder",
    "parser": "OnnxParser",
    "settings": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "context": "IExecutionContext",
}
# Calls on what a call returned.
MORE = {"ITimingCache": {"serialize"}}
STUBS = """
void *createInferBuilder_INTERNAL(void) { return 0; }
void *createInferRefitter_INTERNAL(void) { return 0; }
void *createInferRuntime_INTERNAL(void) { return 0; }
void *createNvOnnxParserRefitter_INTERNAL(void) { return 0; }
void *createNvOnnxParser_INTERNAL(void) { return 0; }
void *getBuilderPluginRegistry(void) { return 0; }
void *getNvOnnxParserVersion(void) { return 0; }
void *getPluginRegistry(void) { return 0; }
void *initLibNvInferPlugins(void) { return 0; }
"""
ASK = """
import json
import sys
import tensorrt_bindings as trt
missing = []
for name in json.loads(sys.argv[1]):
    thing = trt
    for part in name.split("."):
        thing = getattr(thing, part, None)
    if thing is None:
        missing.append(name)
try:
    trt.Builder(trt.Logger(trt.Logger.ERROR))
    missing.append("Builder without a GPU did not raise TypeError")
except TypeError:
    pass
print(json.dumps([trt.__version__, missing]))
"""


def called_names():
    """Names of the bindings that the package uses, e.g. `Builder.create_...`"""
    names = {f"{c}.{m}" for c, methods in MORE.items() for m in methods}
    for module in (tensorrt, tensorrt_engine):
        for node in ast.walk(
            ast.parse(pathlib.Path(module.__file__).read_text())
        ):
            if not isinstance(node, ast.Attribute):
                continue
            dotted = ast.unparse(node).removeprefix("self.").split(".")
            if dotted[0] in HOLDS and all(
                part.isidentifier() for part in dotted
            ):
                parts = [HOLDS[dotted[0]], *dotted[1:]]
                names.add(".".join(part for part in parts if part))
    return names


def test_the_names_are_found():
    # A few by hand, so that an empty list is no success.
    assert {
        "Builder.build_serialized_network",
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
        "IOptimizationProfile.set_shape",
        "ICudaEngine.get_tensor_profile_shape",
        "IExecutionContext.execute_async_v3",
    } <= called_names()


def test_every_name_is_in_the_real_bindings(tmp_path):
    spec = importlib.util.find_spec("tensorrt_bindings")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if spec is None or compiler is None:
        pytest.skip(
            "needs a C compiler and TensorRT's bindings: "
            "pip install --no-deps tensorrt-cu12-bindings"
        )
    library = pathlib.Path(spec.origin).parent / "tensorrt.so"
    linked = subprocess.run(
        ["ldd", library], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "stubs.c").write_text(STUBS)
    for line in linked.splitlines():
        name = line.split()[0]
        if "not found" in line:
            subprocess.run(
                [compiler, "-shared", "-fPIC", f"-Wl,-soname,{name}",
                 "-o", tmp_path / name, tmp_path / "stubs.c"],
                check=True,
            )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(sorted(called_names()))],
        env={"LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    version, missing = json.loads(done.stdout)
    assert missing == [], version


def test_without_tensorrt_its_network_and_the_command_are_left(run, tmp_path):
    if importlib.util.find_spec("tensorrt"):
        pytest.skip("TensorRT is installed")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    settings = config.ExportConfig(
        workdir=str(run),
        out=str(tmp_path / "models"),
        formats="tensorrt",
        precisions="float16",
        max_batch=32,
        compare_people=4,
    )
    with pytest.raises(parity.Refused, match="is not installed: ") as error:
        publish.export(settings)
    root = tmp_path / "models" / "tensorrt_float16"
    assert f"trtexec --onnx={root}/model.onnx" in str(error.value)
    assert f"--saveEngine={root}/1/model.plan" in str(error.value)
    assert "--maxShapes=images:32x64x64x3" in str(error.value)
    assert sorted(p.name for p in root.iterdir()) == [
        "config.pbtxt",
        "model.onnx",
    ]


def test_int8_for_tensorrt_is_symmetric(tmp_path):
    # TensorRT refuses zero points other than 0, and quantised biases.
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = tmp_path / "network.onnx"
    frozen = cases.frozen(cases.model())
    tensorrt.write_network(frozen, path, "int8", cases.crops())
    graph = onnx.load(path).graph
    constants = {
        w.name: onnx.numpy_helper.to_array(w) for w in graph.initializer
    }
    pairs = [n for n in graph.node if n.op_type.endswith("tizeLinear")]
    assert len(pairs) > 40
    for node in pairs:
        zero = constants[node.input[2]]
        assert zero.dtype == "int8" and not zero.any(), node.name


def test_tritons_configuration():
    text = tensorrt.triton_config("pose", cases.frozen(cases.model()), 16)
    assert text.splitlines()[:3] == [
        'name: "pose"',
        'platform: "tensorrt_plan"',
        "max_batch_size: 16",
    ]
    assert '{ name: "images" data_type: TYPE_FP32 dims: [ 64, 64, 3 ] }' in text
    assert '{ name: "joints" data_type: TYPE_FP32 dims: [ 16, 2 ] },' in text
    assert text.count("{") == text.count("}")
    assert text.count("[") == text.count("]")


def test_an_engine_without_tensorrt_says_what_to_install(tmp_path):
    if importlib.util.find_spec("tensorrt"):
        pytest.skip("TensorRT is installed")
    (tmp_path / "model.plan").write_bytes(b"an engine")
    with pytest.raises(ImportError, match=r"integral_tf\[tensorrt\]"):
        estimator.PoseEstimator(tmp_path)
