"""The process that `matlab.read` starts, with SciPy and without TensorFlow.

SciPy's reader of `.mat` is native code. A few altered bytes of a file can make
it crash, or take gigabytes, so that it runs in a process of its own, with a
limit of memory and of time.

The answer is JSON: texts, numbers and None as they are, and three dicts:

    {"struct": {name: value}}                      a struct
    {"cells": [value, ...], "shape": [n, ...]}     an array of values
    {"dtype": "<f8", "shape": [n, ...], "bytes": base64}
"""

import base64
import json
import pathlib
import sys

import numpy as np
import scipy.io

try:
    import resource
except ImportError:  # not on Windows
    resource = None

_NUMBERS = "biufc"  # kinds of NumPy's types
_STATUS = pathlib.Path("/proc/self/statm")  # Linux's


def main(path: str, name: str, squeeze: str, memory: str, seconds: str) -> None:
    """Writes the answer for a file to the standard output.

    Args:
        path: Path of the `.mat`.
        name: Name of the variable.
        squeeze: "1" to drop axes of length 1.
        memory: Bytes that the process may take beyond those that it has.
        seconds: Seconds of computing that it may take.
    """
    _limit(int(memory), int(seconds))
    sys.stdout.write(answer(path, name, squeeze == "1"))


def _limit(memory, seconds):
    if resource is None:
        return
    # The second number of each is the limit at which the kernel kills.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _STATUS.is_file():
        pages = int(_STATUS.read_text().split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answer(path: str, name: str, squeeze: bool) -> str:
    """The JSON of a dict: `value`, or else `memory` or `error`, the reason."""
    try:
        read = scipy.io.loadmat(
            path,
            variable_names=[name],
            struct_as_record=False,
            squeeze_me=squeeze,
        )
        return json.dumps({"value": _packed(read.get(name))})
    except MemoryError:
        return json.dumps({"memory": True})
    except Exception as error:  # zlib.error, IndexError, MatReadError, ...
        reason = str(error).partition("\n")[0]
        return json.dumps({"error": reason or type(error).__name__})


def _packed(value):
    if isinstance(value, np.ndarray) and not value.shape:
        value = value.item()
    if isinstance(value, scipy.io.matlab.mat_struct):
        names = value._fieldnames
        return {"struct": {n: _packed(getattr(value, n)) for n in names}}
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS:
        data = np.ascontiguousarray(value).tobytes()
        return {
            "dtype": value.dtype.newbyteorder("<").str,
            "shape": value.shape,
            "bytes": base64.b64encode(data).decode("ascii"),
        }
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        cells = [_packed(each) for each in value.ravel()]
        return {"cells": cells, "shape": value.shape}
    if isinstance(value, np.generic):
        value = value.item()
    # Anything else, such as a function of MATLAB's, is no annotation.
    return value if isinstance(value, (str, int, float)) else None


if __name__ == "__main__":
    main(*sys.argv[1:])
