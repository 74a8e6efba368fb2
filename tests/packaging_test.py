"""What the wheel and the image are made of, said in one place each."""

import pathlib
import re

import pytest

import integral_tf

ROOT = pathlib.Path(__file__).parent.parent


def test_the_version_stands_in_one_place():
    toml = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML")
    project = toml.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "integral_tf.__version__"
    }
    source = (ROOT / "integral_tf" / "__init__.py").read_text()
    # Setuptools reads it without importing the package, so it is a literal.
    assert f'__version__ = "{integral_tf.__version__}"' in source


def test_the_released_version_is_cut_in_the_changelog_and_cited():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE
    )
    heads = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert heads == ["Unreleased", *released]
    cited = re.search(
        r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE
    )
    assert cited[1] == released[0]


@pytest.mark.parametrize("file", ["Dockerfile", ".github/workflows/ci.yml"])
def test_what_runs_elsewhere_names_what_is_here(file):
    text = (ROOT / file).read_text()
    targets = set(re.findall(r"make ([a-z][\w-]*)", text))
    makefile = (ROOT / "Makefile").read_text()
    worlds = re.search(r"^WORLDS := (.*)$", makefile, re.MULTILINE)[1].split()
    made = re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE)
    made += ["test-" + world for world in ["", *worlds]]
    assert targets <= {*made}
    for path in re.findall(r"^COPY ([\w.]+) ", text, re.MULTILINE):
        assert path == "." or (ROOT / path).exists()
