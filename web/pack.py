"""Packs the built page and its engine for the Python package.

    python web/pack.py FOLDER

copies `web/dist`, and of onnxruntime-web the two engines that the page uses,
into FOLDER. The engines' .wasm files are compressed: four times smaller.
"""

import lzma
import pathlib
import shutil
import sys

WEB = pathlib.Path(__file__).parent
ENGINES = WEB / "node_modules" / "onnxruntime-web" / "dist"
# By WASM alone; and by WebGPU or WASM, in a browser that can suspend WASM.
NAMES = ("ort-wasm-simd-threaded", "ort-wasm-simd-threaded.jspi")


def pack(folder: pathlib.Path) -> None:
    """Writes the folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(WEB / "dist", folder)
    engine = folder / "engine"
    engine.mkdir()
    shutil.copyfile(WEB / "engine-licence.txt", engine / "LICENSE.txt")
    for name in NAMES:
        shutil.copyfile(ENGINES / f"{name}.mjs", engine / f"{name}.mjs")
        data = (ENGINES / f"{name}.wasm").read_bytes()
        packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
        (engine / f"{name}.wasm.xz").write_bytes(packed)


if __name__ == "__main__":
    pack(pathlib.Path(sys.argv[1]))
