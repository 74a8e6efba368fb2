"""Files and folders that appear whole or not at all, and undivided steps."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import threading
from collections.abc import Iterator

from integral_tf import ownership

# Of a full disk, a quota, and a file system's or a user's largest file.
_FULL = ("ENOSPC", "EDQUOT", "EFBIG")
_FULL = {getattr(errno, name) for name in _FULL if hasattr(errno, name)}


class DiskFull(OSError):
    """There was no space to write a file, which the text names."""


@contextlib.contextmanager
def naming(path: str | os.PathLike) -> Iterator[None]:
    """Names a file, or a folder, if the disk is full in the block.

    The errors of Python and of TensorFlow name no file, or a temporary one.

    Raises:
        DiskFull: there is no space; the error names `path`, unless a block
            inside has named a file.
    """
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        reason = _full(error)
        if not reason:
            raise
        raise DiskFull(
            f"The disk is full ({reason}), and this was not written; make "
            "space, and give the same command again. "
            f"Received: {str(path)!r}"
        ) from error


def _full(error):
    """The operating system's text of a full disk; empty for other errors."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return os.strerror(error.errno)
        if type(error).__module__.startswith("tensorflow."):
            for each in map(os.strerror, _FULL):
                if each in str(error):
                    return each
        if isinstance(error, RuntimeError) and "iostream" in str(error):
            return str(error)  # OpenVINO's, by C++'s streams: no reason
        # A writer that is closed after the error may raise one of its own.
        error = error.__cause__ or error.__context__
    return ""


@contextlib.contextmanager
def file(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields a temporary file, which becomes `path` if the block succeeds.

    After an error or an interrupt everything is as it was before.

    Args:
        path: The file that appears, or is replaced.

    Yields:
        Path of the temporary file: hidden, with the same ending.

    Raises:
        DiskFull: there is no space for the file.
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        with naming(path):
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def clear(folder: str | os.PathLike) -> None:
    """Deletes temporary files of `file` that a killed process left in a folder.

    Only the owner of the folder may call it (`ownership.of`).
    """
    for left in pathlib.Path(folder).glob(".*.partial*"):
        if left.is_file():
            left.unlink()


@contextlib.contextmanager
def folder(
    out: str | os.PathLike, *, taken: str = ""
) -> Iterator[pathlib.Path]:
    """Yields a temporary folder, which becomes `out` if the block succeeds.

    Only one process at a time writes `out`. After an error or an interrupt
    everything is as it was before.

    Args:
        out: The folder that appears.
        taken: The error's sentence if `out` exists; if `taken` is empty, the
            new folder replaces the old one.

    Yields:
        Path of the temporary folder.

    Raises:
        BlockingIOError: another process is writing `out`.
        DiskFull: there is no space for the folder.
        FileExistsError: `out` exists, and `taken` is not empty.
        ValueError: `out` has no name, as "." or "/".
    """
    out = pathlib.Path(out)
    if not out.name:  # "", "." and "/"
        raise ValueError(
            f"A folder that is to appear has a name. Received: {str(out)!r}"
        )
    # Hidden names: without the dot they might be folders of a user.
    partial = out.with_name(f".{out.name}.partial")
    replaced = out.with_name(f".{out.name}.replaced")
    with ownership.of(out, beside=True):
        _put_back(replaced, out)
        if taken and os.path.lexists(out):  # Also true for a broken link.
            raise FileExistsError(f"{taken} Received: {str(out)!r}")
        # A killed process may have left it.
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            with naming(out):
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


@contextlib.contextmanager
def step() -> Iterator[None]:
    """A block that Ctrl-C and SIGTERM do not cut in two: they come after it.

    Python gives signals to the main thread; in another the block is as usual.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: came.append(number))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            # None: a handler that was not installed from Python.
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
    if came:
        signal.raise_signal(came[0])


def _put_back(replaced, out):
    """Restores the old folder if the new one did not get to its place."""
    if replaced.exists() and not out.exists():
        replaced.rename(out)
