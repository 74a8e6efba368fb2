"""Names the operations of a SavedModel, and refuses those beyond arithmetic.

A SavedModel is a program: TensorFlow has operations that read and write files,
call Python or print. Here the file is read as data, before it is loaded.

Allowed are the operations that `integral-tf export` writes and others that
networks of Keras have; any other is refused, also if it is harmless. Operations
of checkpoints are allowed only where TensorFlow itself saves and restores a
model's variables, to a path that the caller gives.
"""

import os
import pathlib

# ours: an operation is allowed by its name, since nothing in TensorFlow tells
# which ones reach outside the graph.
_ALLOWED = frozenset(
    # Values, shapes and indices
    """
    BroadcastArgs BroadcastTo Cast ConcatV2 Const EnsureShape ExpandDims Fill
    GatherNd GatherV2 Identity IdentityN InvertPermutation LinSpace MirrorPad
    NoOp OneHot OnesLike Pack Pad PadV2 Placeholder PlaceholderWithDefault
    PreventGradient Range Rank Reshape ResourceGather Reverse ReverseV2
    ScatterNd Select SelectV2 Shape ShapeN Size Slice Snapshot Split SplitV
    Squeeze StopGradient StridedSlice TensorScatterAdd TensorScatterUpdate Tile
    TopKV2 Transpose UniqueV2 Unpack Where ZerosLike
    """.split()
    # Arithmetic
    + """
    Abs AddN AddV2 All Any ApproximateEqual ArgMax ArgMin Atan Atan2
    BatchMatMulV2 BatchMatMulV3 Bincount BitwiseAnd BitwiseOr BitwiseXor Ceil
    ClipByValue Cos Cosh Cumprod Cumsum DivNoNan Einsum Equal Erf Erfc Erfinv
    Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual Invert IsFinite IsInf
    IsNan LeftShift Less LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot
    LogicalOr MatMul MatrixBandPart MatrixDiagPartV3 MatrixDiagV3 MatrixInverse
    Max Maximum Mean Min Minimum Mul MulNoNan Neg NotEqual Pow Prod RealDiv
    Reciprocal RightShift Rint Round Rsqrt Sigmoid Sign Sin Sinh Softmax Sqrt
    Square SquaredDifference Sub Sum Tan Tanh TruncateDiv Xdivy Xlogy
    """.split()
    # Networks
    + """
    AvgPool BiasAdd Conv2D Conv2DBackpropInput DepthwiseConv2dNative Elu
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LeakyRelu MaxPool MaxPoolV2
    Relu Relu6 Selu Softplus Softsign FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV4
    """.split()
    # Pictures and texts
    + """
    CropAndResize DecodeAndCropJpeg DecodeImage DecodeJpeg DecodePng DecodeRaw
    ExtractJpegShape ImageProjectiveTransformV3 NonMaxSuppressionV3
    NonMaxSuppressionV4 NonMaxSuppressionV5 NonMaxSuppressionWithOverlaps
    ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor
    ScaleAndTranslate AsString
    StaticRegexFullMatch StaticRegexReplace StringFormat StringJoin StringLength
    StringStrip StringToNumber Substr
    """.split()
    # Control flow, whose branches are functions of the same file
    + """
    Assert If PartitionedCall StatefulPartitionedCall StatelessIf StatelessWhile
    While TensorListConcatV2 TensorListElementShape TensorListFromTensor
    TensorListGather TensorListGetItem TensorListLength TensorListPushBack
    TensorListReserve TensorListResize TensorListSetItem TensorListStack
    """.split()
    # The model's own variables
    + """
    AssignVariableOp DisableCopyOnRead ReadVariableOp VarHandleOp
    VarIsInitializedOp
    """.split()
)
_OF_CHECKPOINTS = frozenset(
    "MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename".split()
)


def check(path: str | os.PathLike) -> None:
    """Requires that a SavedModel has allowed operations only.

    Args:
        path: Folder of the SavedModel.

    Raises:
        ValueError: the file is damaged, or has other operations; the text
            names them.
    """
    strange = sorted(_strange(pathlib.Path(path) / "saved_model.pb"))
    if strange:
        shown = ", ".join(strange[:8]) + ", ..." * (len(strange) > 8)
        raise ValueError(
            "it is a program with operations other than a network's, which "
            "could read or write files, or run code: export the network again "
            "with `integral-tf export`, or load it with TensorFlow where you "
            f"trust it. Received: {shown}"
        )


def _strange(file):
    """Names of the operations of a file that are not allowed."""
    from google.protobuf import message  # late: other runtimes need neither
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString(file.read_bytes())
    except message.DecodeError as error:
        raise ValueError(f"its saved_model.pb is damaged: {error}") from None
    found = set()
    for graph in saved.meta_graphs:
        functions = graph.graph_def.library.function
        # The operation may be a call of a function by its name.
        allowed = _ALLOWED | {each.signature.name for each in functions}
        found |= {node.op for node in graph.graph_def.node} - allowed
        of_saver = _of_saver(graph)
        for function in functions:
            strange = {node.op for node in function.node_def} - allowed
            if function.signature.name in of_saver:
                strange -= _OF_CHECKPOINTS
            found |= strange
    return found


def _of_saver(graph):
    """Names of functions that only TensorFlow's saver calls."""
    ends = (graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name)
    saver = {end.partition(":")[0] for end in ends}
    mine = [n for n in graph.graph_def.node if n.name in saver]
    others = [n for n in graph.graph_def.node if n.name not in saver]
    for function in graph.graph_def.library.function:
        others += function.node_def
    called = {name for node in others for name in _called(node)}
    for node in graph.object_graph_def.nodes:
        called |= set(node.function.concrete_functions)
        called.add(node.bare_concrete_function.concrete_function_name)
    return {name for node in mine for name in _called(node)} - called


def _called(node):
    """Names of the functions that a node may call."""
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        yield from (each.name for each in value.list.func)
