"""Tests for reading .mat in a process of its own.

The corpus has files of the form of LSP's and MPII's, of invented numbers, with
a few bytes altered at random.
"""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.io

from integral_tf.records import matlab
from integral_tf.records import mpii_annotations

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"


def test_values_of_every_kind_come_back(tmp_path):
    numbers = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    cells = np.empty((1, 2), object)
    cells[0] = [np.uint8([[1, 2]]), "text"]
    scipy.io.savemat(
        tmp_path / "a.mat",
        {
            "numbers": numbers,
            "whole": {"inner": {"x": 1.5}, "name": "é", "cells": cells},
            "rows": np.zeros((0, 0)),
        },
    )
    found = matlab.read(tmp_path / "a.mat", "numbers")
    np.testing.assert_array_equal(found, numbers)
    assert found.dtype == np.float32
    whole = matlab.read(tmp_path / "a.mat", "whole", squeeze=True)
    assert (whole.inner.x, whole.name) == (1.5, "é")
    assert whole.cells.shape == (2,) and whole.cells[1] == "text"
    assert whole.cells[0].tolist() == [1, 2]
    assert matlab.read(tmp_path / "a.mat", "rows").shape == (0, 0)
    assert matlab.read(tmp_path / "a.mat", "others") is None


@pytest.mark.parametrize(
    "file, name",
    [
        ("lsp/crash.mat", "joints"),
        ("release/crash.mat", "RELEASE"),
    ],
)
def test_a_crash_of_scipy_is_one_sentence(file, name):
    # SciPy 1.17.1 crashes; another version may refuse the file.
    with pytest.raises(ValueError) as refused:
        matlab.read(CORPUS / file, name)
    assert "\n" not in str(refused.value)
    if scipy.__version__ == "1.17.1":
        assert str(refused.value) == (
            "SciPy's reader crashed, by the signal SIGSEGV, as of a damaged "
            "file"
        )


def test_a_crash_names_the_file_of_a_dataset():
    path = CORPUS / "release/crash.mat"
    with pytest.raises(ValueError, match=f"MPII's .mat.*Received: '{path}'"):
        mpii_annotations.read_release(path)


def test_memory_is_limited(tmp_path, monkeypatch):
    # 160 MB of zeros are 160 kB of file.
    scipy.io.savemat(
        tmp_path / "z.mat",
        {"z": np.zeros((1000, 20_000))},
        do_compression=True,
    )
    monkeypatch.setattr(matlab, "_MEMORY", 50 * 2**20)
    with pytest.raises(ValueError, match=r"takes more than 0\.\d GiB"):
        matlab.read(tmp_path / "z.mat", "z")


def test_time_is_limited(tmp_path, monkeypatch):
    scipy.io.savemat(tmp_path / "z.mat", {"z": np.zeros((2, 2))})
    with monkeypatch.context() as context:
        context.setattr(matlab, "_SECONDS", 0)  # also of waiting
        with pytest.raises(ValueError, match="takes longer than 0 s"):
            matlab.read(tmp_path / "z.mat", "z")
    endless = "from integral_tf.records import matlab_process as process\n"
    endless += "process._limit(2**30, 1)\nwhile True: pass"
    monkeypatch.setattr(matlab, "_CODE", endless)
    with pytest.raises(ValueError, match="takes longer than 30 s"):
        matlab.read(tmp_path / "z.mat", "z")


def test_a_file_that_is_none_has_the_reason(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"no MATLAB at all" * 20)
    with pytest.raises(ValueError, match="Unknown mat file type"):
        matlab.read(tmp_path / "a.mat", "a")


def test_the_process_imports_neither_tensorflow_nor_keras():
    code = (
        "import sys; from integral_tf.records import matlab_process; "
        "print([n for n in ('tensorflow', 'keras') if n in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert told.stdout == "[]\n", told.stderr
