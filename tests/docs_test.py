"""The documentation, run: every Python block and every doctest."""

import doctest
import importlib
import json
import pathlib
import pkgutil
import re
import runpy
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf.export import onnx
from tests import untrained
from tests.export import cases
from tests.inference import clips

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(
        integral_tf.__path__, prefix="integral_tf."
    )
)
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
# A block to leave out has `<!-- not run: reason -->` on the line before it.
BLOCK = re.compile(
    r"^(?P<skip><!-- not run: [^\n]+ -->\n+)?```python\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def code_of(page):
    """The page's Python, each line on the line where the page has it."""
    text = page.read_text()
    lines = [""] * len(text.splitlines())
    for block in BLOCK.finditer(text):
        if block["skip"]:
            continue
        first = text.count("\n", 0, block.start("code"))
        code = block["code"].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a model, written once for all pages."""
    path = tmp_path_factory.mktemp("demo") / "model.keras"
    untrained.network().save(path)
    return path


@pytest.fixture
def workplace(tmp_path, monkeypatch, model):
    """What the pages read: a trained run, a photograph and a video."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    shutil.copy(model, tmp_path / "runs" / "demo")
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "photo.jpg")
    clips.write(tmp_path / "clip.avi", [noise] * 3)
    return tmp_path


@pytest.fixture
def artifact(workplace):
    """What the page of exports reads: a version for ONNX Runtime."""
    pytest.importorskip("tf2onnx")
    folder = workplace / "models" / "onnx" / "1"
    folder.mkdir(parents=True)
    onnx.write(cases.frozen(cases.model()), folder)


# The pages call as a user does, who is told of the starter model's worth and of
# joints that nothing names.
TOLD = pytest.mark.filterwarnings(
    "ignore:no model was named:UserWarning",
    "ignore:Nothing says what the model's:UserWarning",
)


@TOLD
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_block_runs(page, workplace, request):
    code = code_of(page)
    if not code.strip():
        pytest.skip("no Python on this page")
    if "models/onnx/1" in code:
        request.getfixturevalue("artifact")
    script = workplace / f"{page.stem}.py"
    script.write_text(code)
    runpy.run_path(str(script), run_name="__main__")


def test_an_artifact_without_the_package_gives_the_estimators_joints(
    workplace, artifact
):
    script = workplace / "export.py"
    script.write_text(code_of(ROOT / "docs" / "export.md"))
    noise = np.random.default_rng(0).uniform(0, 255, (8, 10, 3))
    smooth = Image.fromarray(noise.astype("uint8")).resize((320, 256))
    smooth.save(workplace / "photo.jpg")
    found = runpy.run_path(str(script))
    estimate = integral_tf.PoseEstimator("models/onnx/1", skeleton="mpii")
    box = [found[name] for name in "xywh"]
    (pose,) = estimate("photo.jpg", [box])
    apart = np.linalg.norm(found["points"] - pose.joints, axis=-1)
    # In pixels of the crop. Pillow rounds otherwise: 0.02, and 0.28 or more
    # without the half pixel or with another margin.
    assert np.median(apart / found["scale"]) < 0.1


def test_no_block_is_missed():
    # One that is indented, or says `py`, would quietly never run.
    for page in PAGES:
        text = page.read_text()
        fences = re.findall(
            r"^[ \t]*```[ \t]*(?:python|py)\b", text, re.MULTILINE
        )
        assert len(fences) == len(BLOCK.findall(text)), page.name


def test_the_matrix_of_worlds_is_what_is_tested():
    page = (ROOT / "docs" / "layer.md").read_text()
    rows = re.findall(r"^\|.*`make test[\w-]*`.*\|$", page, re.MULTILINE)
    (head,) = re.findall(r"^\| World.*\|$", page, re.MULTILINE)
    tests = "".join(
        path.read_text() for path in (ROOT / "tests" / "worlds").glob("*.py")
    )
    for column in head.strip("|").split("|")[1:]:
        name = re.sub(r"\W", "_", column.strip())
        assert f"def test_{name}(" in tests, column
    targets = {re.search(r"`make ([\w-]+)`", row)[1] for row in rows}
    made = (ROOT / "Makefile").read_text()
    worlds = re.search(r"^WORLDS := (.*)$", made, re.MULTILINE)[1].split()
    assert targets == {"test", *(f"test-{world}" for world in worlds)}


def test_a_block_can_be_left_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Words.\n\n<!-- not run: needs a GPU -->\n```python\nskipped\n```\n"
        "\n```python\nkept\n```\n"
    )
    assert code_of(page) == "\n" * 8 + "kept\n"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_runs(path, workplace):
    cells = json.loads(path.read_text())["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    script = workplace / f"{path.stem}.py"
    script.write_text("\n\n".join(code))
    with plt.rc_context():
        plt.switch_backend("agg")
        runpy.run_path(str(script), run_name="__main__")
        plt.close("all")


def test_notebooks_show_what_they_gave():
    assert [path.stem for path in NOTEBOOKS] == ["layer", "photograph"]
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text())["cells"]
        outputs = [out for c in cells for out in c.get("outputs", [])]
        assert any("image/png" in out.get("data", {}) for out in outputs)
        # A warning or an error is no part of a page.
        streams = {out.get("name", "stdout") for out in outputs}
        kinds = {out["output_type"] for out in outputs}
        assert streams == {"stdout"} and "error" not in kinds, path.name


@TOLD
@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
