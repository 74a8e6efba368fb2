"""Reads a variable of a MATLAB `.mat`, in a process of its own.

SciPy's reader can crash, or take gigabytes, if the file is damaged. Here both
are one sentence (`matlab_process`).
"""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import types
from typing import Any

import numpy as np

# ours: MPII's own .mat is of 13 MB, and takes some 100 times its size.
_MEMORY, _MEMORY_PER_BYTE = 2**30, 256
_SECONDS, _SECONDS_PER_MEGABYTE = 30, 30
# The child has the parent's path of modules, and one thread.
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from integral_tf.records import matlab_process; "
    "matlab_process.main(*sys.argv[2:])"
)
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def read(path: str | os.PathLike, name: str, *, squeeze: bool = False) -> Any:
    """Reads a variable of a `.mat`.

    Args:
        path: Path of the file.
        name: Name of the variable.
        squeeze: Drop axes of length 1.

    Returns:
        Numbers as arrays, or as Python's where they have no axes; texts; cells
        and arrays of structs as arrays of objects; a struct as a namespace of
        its fields. None if the file lacks the variable.

    Raises:
        ValueError: SciPy cannot read the file, crashes while reading, or takes
            more memory or time than the file's size justifies. The text is the
            reason, without the file's name.
    """
    size = pathlib.Path(path).stat().st_size
    memory = _MEMORY + _MEMORY_PER_BYTE * size
    seconds = _SECONDS + _SECONDS_PER_MEGABYTE * size // 10**6
    answer = _ask(str(path), name, squeeze, memory, seconds)
    if answer.get("memory"):
        raise ValueError(
            f"a file of {size:,} bytes that takes more than "
            f"{memory / 2**30:.1f} GiB of memory is damaged"
        )
    if "error" in answer:
        raise ValueError(answer["error"])
    return _unpacked(answer["value"])


def _ask(path, name, squeeze, memory, seconds):
    """The answer of `matlab_process`, a dict."""
    arguments = (path, name, str(int(squeeze)), str(memory), str(seconds))
    late = f"reading takes longer than {seconds} s, as of a damaged file"
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _CODE]
            + [json.dumps(sys.path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            # Beside the limit of computing: reading may wait for the disk.
            timeout=4 * seconds,
            env={**os.environ, **_ALONE},
        )
    except subprocess.TimeoutExpired:
        raise ValueError(late) from None
    if not done.returncode:
        return json.loads(done.stdout)
    if done.returncode == -getattr(signal, "SIGXCPU", 0):
        raise ValueError(late)
    if done.returncode < 0:
        raise ValueError(
            "SciPy's reader crashed, by the signal "
            f"{signal.Signals(-done.returncode).name}, as of a damaged file"
        )
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise ValueError(last or f"its reader ended with {done.returncode}")


def _unpacked(value):
    if not isinstance(value, dict):
        return value
    if "struct" in value:
        fields = value["struct"].items()
        return types.SimpleNamespace(**{n: _unpacked(v) for n, v in fields})
    if "cells" in value:
        cells = np.empty(len(value["cells"]), object)
        for place, each in enumerate(value["cells"]):
            cells[place] = _unpacked(each)
        return cells.reshape(value["shape"])
    data = base64.b64decode(value["bytes"])
    return np.frombuffer(data, value["dtype"]).reshape(value["shape"])
