"""Tests for ONNX, LiteRT and OpenVINO: one network, three runtimes."""

import numpy as np
import pytest

import integral_tf
from integral_tf.export import litert
from integral_tf.export import onnx as exporter
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends
from tests.export import cases

FORMATS = [
    pytest.param(exporter, ("onnx", "onnxruntime", "tf2onnx"), id="onnx"),
    pytest.param(litert, ("ai_edge_litert",), id="litert"),
    pytest.param(openvino, ("openvino", "onnx", "tf2onnx"), id="openvino"),
]


def written(module, packages, folder, *args):
    """What a module writes, opened again; skips without its packages."""
    for package in packages:
        pytest.importorskip(package)
    module.write(*args[:1], folder, *args[1:])
    return backends.load(backends.find(folder))


@pytest.mark.parametrize("method", ["I*", "R1", "H2"])
@pytest.mark.parametrize("module, packages", FORMATS)
def test_float32_is_keras(module, packages, method, tmp_path):
    model = cases.model(method)
    backend = written(module, packages, tmp_path, cases.frozen(model))
    assert (backend.height, backend.width, backend.joints) == (64, 64, 16)
    images = cases.crops()
    want = cases.answer(model, images)
    for people in (6, 1, 3):  # the batch is free
        got = backend(images[:people])
        some = {name: value[:people] for name, value in want.items()}
        assert cases.distance(got, some).max() < 0.01
        np.testing.assert_allclose(got["scores"], some["scores"], atol=1e-3)


@pytest.mark.parametrize(
    "options", [{"window": 5}, {"background": 0.0, "learn_beta": True}], ids=str
)
@pytest.mark.parametrize(
    "module, packages", [*FORMATS, pytest.param(saved_model, (), id="saved")]
)
def test_another_network_made_integral(module, packages, options, tmp_path):
    model = integral_tf.integralize(
        cases.model("H1"), "heatmaps", beta=3.0, **options
    )
    backend = written(module, packages, tmp_path, cases.frozen(model))
    images = cases.crops()
    want = cases.answer(model, images)
    assert cases.distance(backend(images), want).max() < 0.01


@pytest.mark.parametrize("module, packages", FORMATS)
def test_a_network_of_others_is_read_as_theirs(module, packages, tmp_path):
    model = cases.model("H1", cells="first")
    backend = written(module, packages, tmp_path, cases.frozen(model))
    images = cases.crops()
    want = cases.answer(model, images)
    # On quarters of a cell of 8 pixels, and most not on whole ones.
    assert (want["joints"] % 2 == 0).all()
    assert (want["joints"] % 8 != 0).mean() > 0.5
    assert cases.distance(backend(images), want).max() < 0.01


@pytest.mark.parametrize(
    "precision, typical, smaller", [("float16", 0.05, 0.65), ("int8", 1.5, 0.5)]
)
@pytest.mark.parametrize("module, packages", FORMATS)
def test_rounded_networks_are_smaller_and_near(
    module, packages, precision, typical, smaller, tmp_path
):
    model = cases.model()
    sizes, images = [], cases.crops(24)
    for kind in ("float32", precision):
        folder = tmp_path / kind
        folder.mkdir()
        backend = written(
            module, packages, folder, cases.frozen(model), kind, images
        )
        sizes.append(sum(path.stat().st_size for path in folder.iterdir()))
    apart = cases.distance(backend(images), cases.answer(model, images))
    # A random network's maps are unsure, so single joints may go far.
    assert 0 < np.median(apart) < typical
    assert sizes[1] < smaller * sizes[0] + 100_000


def test_onnx_float16_reads_joints_in_float32(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    exporter.write(cases.frozen(cases.model()), tmp_path, "float16")
    model = onnx.load(tmp_path / "model.onnx")
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in (*graph.value_info, *graph.output)
    }
    made = {}
    for node in graph.node:
        made.setdefault(node.op_type, []).append(types[node.output[0]])
    single, half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    # The backbone's six, two deconvolutions, and the one that makes the scores.
    assert sorted(made["Conv"]) == [single] + [half] * 6
    assert made["ConvTranspose"] == [half] * 2
    for name in ("ReduceMax", "ReduceSum", "Exp"):
        assert set(made[name]) == {single}, name
    assert [v.name for v in graph.input] == ["images"]
    assert {v.name for v in graph.output} == {"joints", "scores"}


def test_onnx_int8_reads_joints_in_float32(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    frozen = cases.frozen(cases.model())
    exporter.write(frozen, tmp_path, "int8", cases.crops())
    nodes = onnx.load(tmp_path / "model.onnx").graph.node
    made = {name: node.op_type for node in nodes for name in node.output}
    quantised = [
        node
        for node in nodes
        if node.op_type in ("Conv", "ConvTranspose")
        and made.get(node.input[1]) == "DequantizeLinear"
    ]
    # The backbone's six, two deconvolutions, but not the one to the scores.
    assert len(quantised) == 8
    reading = [
        node for node in nodes if node.op_type in ("ReduceMax", "ReduceSum")
    ]
    assert reading
    for node in reading:
        assert made[node.input[0]] != "DequantizeLinear", node.name


def test_litert_int8_reads_joints_in_float32(tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    frozen = cases.frozen(cases.model())
    litert.write(frozen, tmp_path, "int8", cases.crops())
    plain = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    opened = interpreter.Interpreter(
        str(tmp_path / "model.tflite"), experimental_op_resolver_type=plain
    )
    types = {t["index"]: t["dtype"] for t in opened.get_tensor_details()}
    made = {}
    for operation in opened._get_ops_details():
        kinds = made.setdefault(operation["op_name"], [])
        kinds.append(types[operation["outputs"][0]])
    assert made["TRANSPOSE_CONV"] == [np.int8] * 2
    # The last of seven convolutions makes the scores.
    assert made["CONV_2D"] == [np.int8] * 6 + [np.float32]
    for name in ("REDUCE_MAX", "SUM", "MUL", "EXP"):
        assert set(made[name]) == {np.float32}, name
    assert "READ_VARIABLE" not in made


def test_a_missing_package_is_one_sentence():
    with pytest.raises(
        ImportError, match=r"needs nowhere: `pip install nowhere`.*Received:"
    ):
        backends.need("integral_tf_nowhere", "nowhere", "an artifact")
