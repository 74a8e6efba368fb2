"""A page that runs a trained network in a browser.

The folder has the page (`index.html`, `assets/`), the engine (`engine/`, ONNX
Runtime for the web) and `model.onnx`, which also returns heat maps and
covariances. Any static server shows it; nothing comes from elsewhere.

The page is built from `web/` by `make web`, and comes with this package.
"""

import lzma
import os
import pathlib
import shutil

import numpy as np

from integral_tf.export import onnx
from integral_tf.export.frozen_network import Frozen

# The page as `make web` builds it. Its .xz files are a quarter of their size.
PAGE = pathlib.Path(__file__).parent / "page"
# Version of onnxruntime-web, as in web/package.json.
ENGINE = "1.30.0"


def write(
    frozen: Frozen,
    folder: str | os.PathLike,
    precision: str = "float32",
    crops: np.ndarray | None = None,
) -> dict[str, str]:
    """Writes the page, the engine and `model.onnx`.

    Args:
        frozen: A `frozen_network.Frozen`, with its maps.
        folder: Folder to write into.
        precision: As in `onnx.write`.
        crops: As in `onnx.write`.

    Returns:
        Dict of the packages' versions.

    Raises:
        ImportError: a package is missing.
        OSError: this installation lacks the page.
    """
    versions = onnx.write(frozen, folder, precision, crops)
    copy_page(folder)
    return {**versions, "onnxruntime-web": ENGINE}


def copy_page(folder: str | os.PathLike) -> None:
    """Copies the page and the engine, without a model, into a folder.

    Raises:
        OSError: this installation lacks the page.
    """
    for source in sorted(PAGE.rglob("*")):
        target = pathlib.Path(folder) / source.relative_to(PAGE)
        if source.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".xz":
            with lzma.open(source) as packed:
                with open(target.with_suffix(""), "wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
        else:
            shutil.copyfile(source, target)
    if not (pathlib.Path(folder) / "index.html").is_file():
        raise FileNotFoundError(
            f"This installation lacks the page; `make web` builds it. "
            f"Received: {PAGE}"
        )
