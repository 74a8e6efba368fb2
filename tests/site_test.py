"""The site of `make site`: it builds without a warning, and has every name."""

import importlib
import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
TOOLS = ("mkdocs", "material", "mkdocstrings_handlers")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    missing = [tool for tool in TOOLS if not importlib.util.find_spec(tool)]
    if missing:
        pytest.skip(f"extra [docs] is not installed: no {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_documents_keep_their_places(site):
    assert (site / "index.html").is_file()
    for document in (ROOT / "docs").glob("*.md"):
        stem = document.stem.replace("README", "index")
        assert (site / "docs" / f"{stem}.html").is_file()


@pytest.mark.parametrize("room", ["layers", "losses", "metrics", "models"])
def test_every_public_name_of_a_room_is_on_its_page(site, room):
    page = (site / "reference" / f"{room}.html").read_text()
    module = importlib.import_module(f"integral_tf.{room}")
    for name in module.__all__:
        value = getattr(module, name)
        if callable(value):  # a constant has no docstring
            homes = (module.__name__, value.__module__)
            assert any(f'id="{home}.{name}"' in page for home in homes), name


def test_examples_are_code(site):
    page = (site / "reference" / "inference.html").read_text()
    assert 'class="gp"' in page and "<blockquote>" not in page
