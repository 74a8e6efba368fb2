"""Public names say what they take and give, and a type checker can read it."""

import ast
import importlib
import importlib.util
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

from tests import typed_user

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "integral_tf"
PUBLIC = sorted(
    path
    for pattern in (
        "*/__init__.py checks.py coordinates.py keras_version.py sides.py "
        "skeletons.py ops/*.py layers/*.py losses/*.py metrics/*.py "
        "models/methods.py models/integralize.py models/pose.py "
        "models/backbone.py models/multi_stage.py models/resnet18.py "
        "models/freezing.py models/efficientnet_lite0.py "
        "models/pytorch_checkpoint.py evaluation/calibrate.py "
        "inference/estimator.py inference/oks_nms.py inference/pose.py "
        "inference/rescoring.py"
    ).split()
    for path in PACKAGE.glob(pattern)
)


def relative(path):
    return str(path.relative_to(PACKAGE))


def functions(body):
    """Public functions, and all classes' public and special methods."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node.body)
        elif isinstance(node, ast.FunctionDef):
            if not re.match(r"_(?!_)", node.name):
                yield node


def unannotated(function):
    """What of a function's signature says nothing; `return` is its result."""
    a = function.args
    arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
    names = [
        each.arg
        for each in arguments
        if each and not each.annotation and each.arg not in ("self", "cls")
    ]
    return names + ([] if function.returns else ["return"])


@pytest.mark.parametrize("path", PUBLIC, ids=relative)
def test_public_functions_are_annotated(path):
    for function in functions(ast.parse(path.read_text()).body):
        names = unannotated(function)
        assert not names, f"{relative(path)}, {function.name}: {names}"


@pytest.mark.parametrize(
    "package", ["", ".layers", ".losses", ".metrics", ".inference", ".models"]
)
def test_every_name_of_an_all_comes_from_a_file_that_is_read(package):
    module = importlib.import_module(f"integral_tf{package}")
    assert module.__all__
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            path = pathlib.Path(inspect.getsourcefile(inspect.unwrap(value)))
            assert path in PUBLIC, name


def test_checkers_are_told_of_the_annotations():
    # Without py.typed in the wheel, a checker takes every name for Any.
    assert (PACKAGE / "py.typed").is_file()
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^integral_tf = \[\s*"py\.typed"', project, re.M)
    assert '"Typing :: Typed"' in project


def test_a_users_program_satisfies_mypy(tmp_path):
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed; `make setup` installs it")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", f"--cache-dir={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_users_program_runs():
    # Row 2, column 3 of a map at stride 8: ((3, 2) + 0.5) * 8 - 0.5.
    assert typed_user.layer() == pytest.approx([27.5, 19.5], abs=1e-3)
    typed_user.calibrated(typed_user.network())
    assert typed_user.figures() == {0.5: 100.0, 0.1: 100.0}
    # Of a window that is not scaled the corner's pixel is the box's.
    assert typed_user.places().tolist() == [[10.0, 20.0]]
