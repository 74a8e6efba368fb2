"""A trained network as ONNX: float32, float16 or int8.

The input is `images`, the outputs are `joints` and `scores`; address them by
name. The batch is free. The decoding after the last convolution, from heat maps
to points, stays float32 in every precision: half a pixel of a heat map is many
pixels of the photograph, and float16 and int8 are too coarse for it.
"""

import os
import pathlib
from typing import Any

import numpy as np

from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import backends

# The first opset with all operations that the quantiser writes.
_OPSET = 17
FILE = "model.onnx"
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_BATCH = 16


def write(
    frozen: Frozen,
    folder: str | os.PathLike,
    precision: str = "float32",
    crops: np.ndarray | None = None,
) -> dict[str, str]:
    """Writes `model.onnx`.

    Args:
        frozen: A `frozen_network.Frozen`.
        folder: Folder to write into.
        precision: `"float32"`, `"float16"` or `"int8"`: weights and
            activations up to the last convolution.
        crops: `(N, height, width, 3)` float32 crops to calibrate int8 on.

    Returns:
        Dict of the packages' versions.

    Raises:
        ImportError: a package is missing.
    """
    onnx = backends.need("onnx", "onnx", "an ONNX file")
    path = pathlib.Path(folder) / FILE
    model = convert(frozen)
    if precision == "float16":
        model = _halved(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    if precision == "int8":
        quantise(path, path, crops)
    return {name: _version(name) for name in ("onnx", "tf2onnx")}


def convert(frozen: Frozen) -> Any:
    """Converts a `Frozen` to an ONNX model, float32."""
    onnx = backends.need("onnx", "onnx", "an ONNX file")
    tf2onnx = backends.need("tf2onnx", "tf2onnx", "an ONNX file")
    model, _ = tf2onnx.convert.from_graph_def(
        frozen.function.graph.as_graph_def(),
        name="pose",
        input_names=["images:0"],
        output_names=[f"{name}:0" for name in frozen.outputs],
        opset=_OPSET,
    )
    for value in (*model.graph.input, *model.graph.output):
        _rename(model.graph, value.name, value.name.removesuffix(":0"))
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return onnx.shape_inference.infer_shapes(model)


def _rename(graph, old, new):
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new
    for value in (*graph.input, *graph.output):
        if value.name == old:
            value.name = new


def reading(graph: Any) -> list[str]:
    """Names of the nodes that no convolution comes after.

    They compute the points from the heat maps.
    """
    feeds = set()  # tensors that some convolution depends on
    names = []
    for node in reversed(graph.node):
        before = feeds.intersection(node.output)
        if before or node.op_type in _CONVOLUTIONS:
            feeds.update(node.input)
        if not before:
            names.append(node.name)
    return names


def _halved(model):
    """Changes weights and activations to float16, except those of `reading`."""
    onnx = backends.need("onnx", "onnx", "float16 ONNX")
    graph, kept_single = model.graph, set(reading(model.graph))
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in (*graph.value_info, *graph.input)
    }
    weights = {w.name: w for w in graph.initializer}
    types.update((w.name, w.data_type) for w in weights.values())
    single, half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    nodes, casts = [], set()

    def cast(name, to):
        new = f"{name}_{'half' if to == half else 'single'}"
        if new not in casts and name in weights:
            values = onnx.numpy_helper.to_array(weights[name])
            values = values.astype("float16")
            graph.initializer.append(onnx.numpy_helper.from_array(values, new))
        elif new not in casts:
            nodes.append(
                onnx.helper.make_node("Cast", [name], [new], new, to=to)
            )
        casts.add(new)
        return new

    for node in graph.node:
        wanted, other = half, single
        if node.name in kept_single:
            wanted, other = single, half
        for i, name in enumerate(node.input):
            if types.get(name) == other:
                node.input[i] = cast(name, wanted)
        nodes.append(node)
        for name in node.output:
            if types.get(name) == single:
                types[name] = wanted
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    for name, weight in weights.items():
        if name not in used:
            graph.initializer.remove(weight)
    return model


def quantise(
    source: str | os.PathLike,
    target: str | os.PathLike,
    crops: np.ndarray,
    for_tensorrt: bool = False,
) -> None:
    """Writes an int8 network in QDQ form, calibrated on crops.

    Args:
        source: Path of a float32 network.
        target: Path to write.
        crops: `(N, height, width, 3)` float32 crops.
        for_tensorrt: With zero points of 0 and float biases, as TensorRT needs.
    """
    onnx = backends.need("onnx", "onnx", "int8 ONNX")
    tools = backends.need(
        "onnxruntime.quantization", "onnxruntime", "int8 ONNX"
    )
    graph = onnx.load(source).graph

    class Crops(tools.CalibrationDataReader):
        def __init__(self):
            self.batches = iter(np.array_split(crops, -(-len(crops) // _BATCH)))

        def get_next(self):
            batch = next(self.batches, None)
            return None if batch is None else {"images": batch}

    tools.quantize_static(
        str(source),
        str(target),
        Crops(),
        quant_format=tools.QuantFormat.QDQ,
        nodes_to_exclude=reading(graph),
        per_channel=True,
        activation_type=tools.QuantType.QInt8,
        weight_type=tools.QuantType.QInt8,
        calibrate_method=tools.CalibrationMethod.MinMax,
        extra_options={
            "ActivationSymmetric": for_tensorrt,
            "WeightSymmetric": True,
            "QuantizeBias": not for_tensorrt,
        },
    )


def _version(package):
    return backends.need(package, package, "ONNX").__version__
