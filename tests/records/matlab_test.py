"""Tests for reading .mat in a process of its own."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.io

from integral_tf.records import matlab
from integral_tf.records import mpii_annotations
from tests.records import mpii_files


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


def test_a_crash_of_scipy_is_one_sentence(tmp_path, monkeypatch):
    # Files that crash SciPy, if its memory lies so, are in tests/corpus.
    path = tmp_path / "release.mat"
    mpii_files.write_release(path, mpii_files.IMAGES)
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(matlab, "_CODE", crash)
    with pytest.raises(ValueError) as refused:
        matlab.read(path, "RELEASE")
    assert str(refused.value) == (
        "SciPy's reader crashed, by the signal SIGSEGV, as of a damaged file"
    )
    with pytest.raises(ValueError, match=f"MPII's .*SIGSEGV.*Rec.*'{path}'"):
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
