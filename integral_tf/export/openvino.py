"""A trained network for OpenVINO: model.xml and model.bin.

They are made from the ONNX network, also in int8. float16 is the type of the
weights only.
"""

import os
import pathlib
import tempfile

import numpy as np

from integral_tf.export import onnx
from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import backends


def write(
    frozen: Frozen,
    folder: str | os.PathLike,
    precision: str = "float32",
    crops: np.ndarray | None = None,
) -> dict[str, str]:
    """Writes `model.xml` and `model.bin`.

    Args:
        frozen: A `frozen_network.Frozen`.
        folder: Folder to write into.
        precision: `"float32"`, `"float16"` or `"int8"`.
        crops: `(N, height, width, 3)` float32 crops to calibrate int8 on.

    Returns:
        Dict of the packages' versions.

    Raises:
        ImportError: a package is missing.
    """
    openvino = backends.need("openvino", "openvino", "an OpenVINO network")
    with tempfile.TemporaryDirectory() as aside:
        source = "int8" if precision == "int8" else "float32"
        versions = onnx.write(frozen, aside, source, crops)
        network = openvino.convert_model(pathlib.Path(aside) / onnx.FILE)
        openvino.save_model(
            network,
            pathlib.Path(folder) / "model.xml",
            compress_to_fp16=precision == "float16",
        )
    return {**versions, "openvino": openvino.__version__}
