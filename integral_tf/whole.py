"""Folders that appear whole or not at all, written by one process at a time."""

import contextlib
import os
import pathlib
import shutil

from integral_tf import ownership


@contextlib.contextmanager
def folder(out: str | os.PathLike, *, taken: str = ""):
    """Gives a folder to write into, which becomes `out` when all went well.

    After an error or an interrupt everything is as it was.

    Args:
        out: The folder that is to appear.
        taken: What to say where it is there already; where this is empty, the
            new one replaces it.

    Yields:
        Path of the folder to write into.

    Raises:
        BlockingIOError: another process is writing `out`.
        FileExistsError: `out` is there, and `taken` is not empty.
    """
    out = pathlib.Path(out)
    partial = out.with_name(out.name + ".partial")
    replaced = out.with_name(out.name + ".replaced")
    with ownership.of(out, beside=True):
        if taken and out.exists():
            raise FileExistsError(f"{taken} Received: {str(out)!r}")
        # Left there by a process that was killed.
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            shutil.rmtree(replaced, ignore_errors=True)
            if out.exists():
                out.rename(replaced)
            partial.rename(out)
            shutil.rmtree(replaced, ignore_errors=True)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
