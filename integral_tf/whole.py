"""Files and folders that appear whole or not at all."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator

from integral_tf import ownership


@contextlib.contextmanager
def file(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a file to write, which becomes `path` when all went well.

    After an error or an interrupt everything is as it was.

    Args:
        path: The file that is to appear, or to be replaced.

    Yields:
        Path of the file to write: hidden, with the same ending.
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def folder(
    out: str | os.PathLike, *, taken: str = ""
) -> Iterator[pathlib.Path]:
    """Gives a folder to write into, which becomes `out` when all went well.

    One process writes it at a time.

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
