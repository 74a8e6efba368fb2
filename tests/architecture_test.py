"""The architecture, as assertions: one-way imports, small files, a live map."""

import ast
import io
import pathlib
import re
import subprocess
import tokenize

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "integral_tf"
FILES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(
    path
    for folder in (".", "datasets", "benchmarks", "experiments", "serving")
    for path in (ROOT / folder).glob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGE = sorted((ROOT / "web" / "src").iterdir())

# Data flows left to right; a stage may import only itself and what is before.
STAGES = (
    "signatures ownership whole optional lazy former registration keras2 "
    "keras_version checks sides skeletons halves joint_numbers units "
    "conventions coordinates settings "
    "flagfiles paper config builds progress records pipeline ops layers "
    "models losses metrics runs detection inference evaluation training export "
    "experiments serving commands __main__"
).split()

# Paths of one machine, and where packages come from, are nobody else's.
FOREIGN = re.compile(
    r"(?<![\w.*-])/(?:root|work)\b"
    r"|pypi\.org|pythonhosted\.org|piwheels\.|anaconda\.org"
    r"|download\.pytorch\.|--(?:extra-)?index-url|--find-l[i]nks"
)


def relative(path):
    return str(path.relative_to(ROOT))


def stage(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_stages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("integral_tf."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_point_upstream(path):
    if path == PACKAGE / "__init__.py":
        return  # the public names, gathered from every stage
    here = STAGES.index(stage(path))
    for other in imported_stages(path):
        assert STAGES.index(other) <= here, f"{path} imports {other}"


@pytest.mark.parametrize("path", FILES + SCRIPTS + TESTS + PAGE, ids=relative)
def test_files_stay_small_and_named_for_what_they_do(path):
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "misc", "common"}


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_tests_share_no_test_module(path):
    # What two test files need stands in a module that has no tests.
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
            found = [name for name in names if name.endswith("_test")]
            assert not found, f"{path} imports {found}"


def lines_of_code(text):
    """Numbers of the lines with more than a comment."""
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.DEDENT)
    return {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in nothing
        for line in range(token.start[0], token.end[0] + 1)
    }


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_functions_stay_small(path):
    # Fifty lines of code: neither the signature, the docstring nor comments.
    text = path.read_text()
    code = lines_of_code(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            last = node.body[0].end_lineno
            first = last + 1 if ast.get_docstring(node) else node.body[0].lineno
            lines = code & set(range(first, node.end_lineno + 1))
            assert len(lines) <= 50, f"{node.name} has {len(lines)}"


@pytest.mark.parametrize("path", PAGE, ids=relative)
def test_functions_of_the_page_stay_small(path):
    # Between its braces, a block that is no class has at most fifty lines.
    opened = []
    for number, line in enumerate(path.read_text().splitlines()):
        for brace in re.findall(r"[{}]", line):
            if brace == "{":
                opened.append((number, line))
                continue
            begun, head = opened.pop()
            is_class = head.startswith(("class ", "export class "))
            assert is_class or number - begun - 1 <= 50, head
    assert not opened


@pytest.mark.parametrize("path", FILES + SCRIPTS, ids=relative)
def test_nobody_counts_positions(path):
    # Six arguments by position at most; the others are named by the caller.
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            given = [each.arg for each in node.args.posonlyargs]
            given += [each.arg for each in node.args.args]
            count = len([each for each in given if each not in ("self", "cls")])
            assert count <= 6, f"{node.name} takes {count}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_only_coordinates_knows_of_the_half_pixel(path):
    if path == PACKAGE / "coordinates.py":
        return
    shift = re.compile(r"[+-] 0\.5\)? [*/] ?\w*(stride|size|width|height)")
    assert not shift.search(path.read_text())


@pytest.mark.parametrize(
    "page",
    ["architecture.md", "paper_map.md", "border.md", "reliability.md"],
)
def test_every_symbol_that_a_page_names_is_there(page):
    text = (ROOT / "docs" / page).read_text()
    links = re.findall(r"`(\w[\w/]*\.py)(?:::(\w+))?`", text)
    assert links
    for file, symbol in links:
        assert (ROOT / file).is_file(), f"{file} is gone"
        if symbol:
            assert symbol in defined_in(ROOT / file), (
                f"{file} no longer defines {symbol}"
            )


def defined_in(path):
    """Names a module defines: functions, classes, constants, fields."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        names.add(getattr(node, "name", None))
        if isinstance(node, ast.Assign):
            names.update(getattr(t, "id", None) for t in node.targets)
    return names


def test_every_guess_stands_in_the_choices():
    # Wherever the paper is silent the code says `ours:`, and docs/choices.md
    # names the file.
    choices = (ROOT / "docs" / "choices.md").read_text()
    for path in FILES:
        if "ours:" in path.read_text():
            assert f"`{relative(path)}`" in choices, relative(path)


def test_no_file_knows_one_machine():
    try:
        listed = subprocess.run(
            "git ls-files --cached --others --exclude-standard -z".split(),
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if path.is_file():
            found = FOREIGN.search(path.read_text(errors="ignore"))
            assert not found, f"{name}: {found and found.group()}"
