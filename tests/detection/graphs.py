"""Small ONNX detectors of each form, whose boxes are constants.

The scores of two boxes are what the network sees of one channel in the first
column: in its first row, and in its last.
"""

import numpy as np
import onnx
from onnx import helper
from onnx import numpy_helper
from onnx import TensorProto


class Graph:
    """An ONNX graph that grows.

    Args:
        inputs: Names to `(type, shape)`.
    """

    def __init__(self, **inputs):
        self.inputs = inputs
        self.nodes, self.constants, self.outputs = [], [], []

    def constant(self, value, dtype="float32"):
        name = f"constant{len(self.constants)}"
        array = np.asarray(value, dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind, *inputs, **settings):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def output(self, name, source, shape, kind=TensorProto.FLOAT):
        self.nodes.append(helper.make_node("Identity", [source], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def seen(self, images, rows, channel=0):
        """`(1, 2)`: a channel's first column in its first and last row."""
        for axis, index in (
            (1, channel),
            (2, 0),
        ):
            index = self.constant(index, "int64")
            # (1, 3, H, W) -> (1, H, W) -> (1, H)
            images = self.add("Gather", images, index, axis=axis)
        ends = self.constant([0, rows - 1], "int64")
        return self.add("Gather", images, ends, axis=1)

    def save(self, path):
        inputs = [
            helper.make_tensor_value_info(name, kind, shape)
            for name, (kind, shape) in self.inputs.items()
        ]
        graph = helper.make_graph(
            self.nodes, "detector", inputs, self.outputs, self.constants
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
        )
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        return path


def images(side=64, batch=1):
    return TensorProto.FLOAT, [batch, 3, side, side]


def yolox(path, raw, classes=80, side=64, rows=None):
    """YOLOX: the objectness of two rows is what is seen, over 255.

    Args:
        path: Where to.
        raw: Row to its four numbers; the first two rows' objectness is seen,
            that of others is 0.7.
        classes: How many; person, the first, is 1 and the second is 0.5.
        side: Of the input.
        rows: Rows of the output, if not as many as there are cells.
    """
    graph = Graph(images=images(side))
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    table = np.zeros((rows or cells, 5 + classes))
    places = np.zeros((rows or cells, 2))
    for number, (row, four) in enumerate(raw.items()):
        table[row, :4] = four
        table[row, 5:7] = 1, 0.5
        if number < 2:
            places[row, number] = 1
        else:
            table[row, 4] = 0.7
    seen = graph.add("Div", graph.seen("images", side), graph.constant(255.0))
    column = graph.add("Reshape", seen, graph.constant([2, 1], "int64"))
    column = graph.add("MatMul", graph.constant(places), column)
    objectness = np.zeros((1, 5 + classes))
    objectness[0, 4] = 1
    column = graph.add("MatMul", column, graph.constant(objectness))
    all_rows = graph.add("Add", graph.constant(table), column)
    shape = [1, *table.shape]
    out = graph.add("Reshape", all_rows, graph.constant(shape, "int64"))
    graph.output("output", out, shape)
    return graph.save(path)


def mmdeploy(path, corners, labels, scale=1.0, offset=0.0, side=64, any_n=True):
    """MMDeploy's: scores are seen * scale + offset, of two boxes."""
    graph = Graph(input=images(side))
    seen = graph.seen("input", side)
    seen = graph.add("Mul", seen, graph.constant(scale))
    scores = graph.add("Add", seen, graph.constant(offset))
    shape = graph.constant([1, 2, 1], "int64")
    scores = graph.add("Reshape", scores, shape)
    dets = graph.add("Concat", graph.constant([corners]), scores, axis=2)
    count = "boxes" if any_n else 2
    graph.output("dets", dets, ["batch", count, 5])
    labels = graph.constant([labels], "int64")
    graph.output("labels", labels, ["batch", count], TensorProto.INT64)
    return graph.save(path)


def detr(path, shares, labels, side=64):
    """D-FINE, RT-DETR, DEIM: boxes are shares of the size that is asked for."""
    graph = Graph(
        images=images(side, "N"),
        orig_target_sizes=(TensorProto.INT64, ["N", 2]),
    )
    size = graph.add("Cast", "orig_target_sizes", to=TensorProto.FLOAT)
    size = graph.add("Concat", size, size, axis=1)
    size = graph.add("Reshape", size, graph.constant([1, 1, 4], "int64"))
    boxes = graph.add("Mul", graph.constant([shares]), size)
    graph.output("labels", graph.constant([labels], "int64"), ["N", 2], 7)
    graph.output("boxes", boxes, ["N", 2, 4])
    graph.output("scores", graph.seen("images", side), ["N", 2])
    return graph.save(path)


def rf_detr(path, dets, classes=91, person=1, side=64):
    """RF-DETR: the logit of a person is what is seen; others are -9."""
    graph = Graph(input=images(side))
    column = np.zeros((1, classes))
    column[0, person] = 1
    seen = graph.seen("input", side)
    seen = graph.add("Reshape", seen, graph.constant([2, 1], "int64"))
    logits = graph.add("MatMul", seen, graph.constant(column))
    others = graph.constant(-9 * (1 - column))
    logits = graph.add("Add", logits, others)
    shape = graph.constant([1, 2, classes], "int64")
    graph.output("dets", graph.constant([dets]), [1, 2, 4])
    graph.output("labels", graph.add("Reshape", logits, shape), [1, 2, classes])
    return graph.save(path)
