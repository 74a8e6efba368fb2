"""The page in the package is that of `web/`, and complete."""

import json
import lzma
import pathlib
import shutil
import subprocess

import pytest

from integral_tf.export import web

ROOT = pathlib.Path(__file__).parents[2]


def test_the_version_of_the_engine_is_that_of_the_build():
    wanted = json.loads((ROOT / "web" / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert versions["onnxruntime-web"] == web.ENGINE
    # Exact versions, since there is no lock file.
    assert all(each[0].isdigit() for each in versions.values())


def test_the_page_in_the_package_is_built_from_its_sources(tmp_path):
    modules = ROOT / "web" / "node_modules"
    if not modules.is_dir() or shutil.which("npx") is None:
        pytest.skip("no Node, or `make web` has not installed its packages")
    subprocess.run(
        ["npx", "vite", "build", "--outDir", str(tmp_path)],
        cwd=ROOT / "web", check=True, capture_output=True,
    )  # fmt: skip
    for path in sorted(each for each in tmp_path.rglob("*") if each.is_file()):
        name = path.relative_to(tmp_path)
        assert path.read_bytes() == (web.PAGE / name).read_bytes(), name
    for packed in (web.PAGE / "engine").glob("*.xz"):
        built = modules / "onnxruntime-web" / "dist" / packed.stem
        assert lzma.decompress(packed.read_bytes()) == built.read_bytes()
