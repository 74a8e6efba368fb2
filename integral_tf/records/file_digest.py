"""The SHA-256 of a file, of which a part is in memory."""

from __future__ import annotations

import hashlib
import os

_BLOCK = 1 << 20  # bytes


def of(path: str | os.PathLike) -> str:
    """A file's SHA-256, in hexadecimal digits."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()
