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
    if not out.name:  # "", "." and "/"
        raise ValueError(
            f"A folder that is to appear has a name. Received: {str(out)!r}"
        )
    # Hidden: a folder without the dot might be somebody's.
    partial = out.with_name(f".{out.name}.partial")
    replaced = out.with_name(f".{out.name}.replaced")
    with ownership.of(out, beside=True):
        _put_back(replaced, out)
        if taken and os.path.lexists(out):  # A link to nothing, too.
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
            _put_back(replaced, out)
            raise


def _put_back(replaced, out):
    """Undoes half of a replacement: the old one away, the new one not there."""
    if replaced.exists() and not out.exists():
        replaced.rename(out)
