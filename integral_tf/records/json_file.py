"""Reads a JSON file; needs no TensorFlow, which `convert` does without."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any


def read(path: str | os.PathLike, argument: str) -> Any:
    """Reads a JSON file; errors name its path as `argument`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no JSON.
    """
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise FileNotFoundError(
            f"There is no such JSON file. Received: {argument}={str(path)!r}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"This is not a JSON file ({error}). "
            f"Received: {argument}={str(path)!r}"
        ) from None
