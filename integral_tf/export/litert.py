"""A trained network as .tflite for LiteRT: float32, float16 or int8.

It has one signature, from `images` to `joints` and `scores`, with a free batch.
float16 is the type of the weights; int8 is that of weights and activations up
to the last convolution. The decoding after it, from heat maps to points, stays
float32.
"""

import os
import pathlib
import tempfile
import warnings

import numpy as np
import tensorflow as tf

from integral_tf.export import saved_model
from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import backends

_CONVOLUTIONS = ("CONV_2D", "TRANSPOSE_CONV")


def write(
    frozen: Frozen,
    folder: str | os.PathLike,
    precision: str = "float32",
    crops: np.ndarray | None = None,
) -> dict[str, str]:
    """Writes `model.tflite`.

    Args:
        frozen: A `frozen_network.Frozen`.
        folder: Folder to write into.
        precision: `"float32"`, `"float16"` or `"int8"`.
        crops: `(N, height, width, 3)` float32 crops to calibrate int8 on.

    Returns:
        Dict of the packages' versions; empty.

    Raises:
        ImportError: LiteRT, which int8 needs, is not installed.
    """
    with tempfile.TemporaryDirectory() as aside:
        _save(frozen, aside)
        network = _converter(aside).convert()
        if precision == "float16":
            converter = _converter(aside)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
            network = converter.convert()
        elif precision == "int8":
            network = _quantised(_converter(aside), reading(network), crops)
    (pathlib.Path(folder) / "model.tflite").write_bytes(network)
    return {}


def reading(network: bytes) -> list[str]:
    """Names of the operations from the last convolution on.

    They compute the heat maps from features, and the points from heat maps.

    Args:
        network: A float .tflite as bytes.
    """
    litert = backends.need(
        "ai_edge_litert.interpreter", "ai-edge-litert", "int8 LiteRT"
    )
    plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = litert.Interpreter(
        model_content=network, experimental_op_resolver_type=plain
    )
    names = {t["index"]: t["name"] for t in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()
    last = max(
        i
        for i, operation in enumerate(operations)
        if operation["op_name"] in _CONVOLUTIONS
    )
    return [names[each["outputs"][0]] for each in operations[last:]]


def _save(frozen, folder):
    """Writes the network as a SavedModel with one signature."""
    module = tf.Module()
    module.network = frozen.function
    shape = [None, frozen.height, frozen.width, 3]
    signature = tf.function(
        frozen.__call__, autograph=False
    ).get_concrete_function(tf.TensorSpec(shape, tf.float32, "images"))
    saved_model.save(module, folder, {"serving_default": signature})


def _converter(folder):
    return tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=["serving_default"]
    )


def _quantised(converter, names, crops):
    """An int8 network that leaves the named operations in float32."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        {"images": crop[None]} for crop in crops
    )
    # TensorFlow offers no other way to leave operations out.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that tf.lite's interpreter moved
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=converter.representative_dataset,
            debug_options=tf.lite.experimental.QuantizationDebugOptions(
                denylisted_nodes=names
            ),
        )
    return debugger.get_nondebug_quantized_model()
