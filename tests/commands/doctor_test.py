"""Tests for the doctor: what it says of a machine, and of a broken one."""

import sys

import pytest

from integral_tf.commands import doctor
from tests import in_process


@pytest.fixture
def machine(monkeypatch):
    """Runs the doctor on a machine that a test describes."""
    for name in ("TF_USE_LEGACY_KERAS", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)

    def run(broken=(), installed=(), **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(
            doctor,
            "_import",
            lambda module: (
                ("", dict(broken)[module])
                if module in dict(broken)
                else ("9.1", "")
            ),
        )
        monkeypatch.setattr(doctor, "_distribution", dict(installed).get)
        monkeypatch.setattr(
            doctor, "_python_says", lambda code: (0, "12.5|H100", "")
        )
        return in_process.run("doctor")

    return run


def test_a_machine_in_order(machine):
    done = machine()
    assert done.returncode == 0
    lines = [line.split(None, 1) for line in done.stdout.splitlines()]
    told = {first: rest for first, *rest in lines}
    assert told["tensorflow"] == told["onnxruntime"] == ["9.1"]
    assert told["GPUs"][0].startswith("H100")
    assert done.stdout.endswith("nothing is broken\n")


def test_what_only_an_extra_needs_is_no_fault(machine):
    done = machine({"openvino": "ModuleNotFoundError: No module named 'x'"})
    assert done.returncode == 0
    assert "pip install 'integral_tf[export]'" in done.stdout


@pytest.mark.parametrize(
    "given, remedy",
    [
        (
            {"broken": {"tensorflow": "died of signal 4"}},
            "--upgrade tensorflow",
        ),
        ({"TF_USE_LEGACY_KERAS": "1"}, "unset TF_USE_LEGACY_KERAS"),
        ({"KERAS_BACKEND": "jax"}, "unset KERAS_BACKEND"),
        (
            {"installed": {"tensorflow-addons": "0.23"}},
            "pip uninstall tensorflow-addons",
        ),
        (
            {
                "installed": {
                    "opencv-python": "5",
                    "opencv-python-headless": "5",
                }
            },
            "pip uninstall opencv-python opencv-python-headless",
        ),
    ],
)
def test_a_fault_has_its_remedy(machine, given, remedy):
    done = machine(**given)
    assert done.returncode == 1
    (fault,) = [
        line for line in done.stdout.splitlines() if line.startswith("FAULT")
    ]
    assert remedy in fault
    assert done.stdout.endswith("1 to mend\n")


def test_a_library_is_tried_in_a_process_of_its_own():
    version, reason = doctor._import("json")
    assert version and not reason
    assert doctor._import("no_such_module") == (
        "",
        "ModuleNotFoundError: No module named 'no_such_module'",
    )
    status, _, reason = doctor._python_says("import os; os.abort()")
    assert status
    if sys.platform != "win32":
        assert reason == "its process died of signal 6"
