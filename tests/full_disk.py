"""A folder on a disk that is nearly full, or that is read only."""

import contextlib
import os
import resource
import subprocess

import pytest


@contextlib.contextmanager
def of(folder, size):
    """Makes a folder with room for this many bytes.

    It is a file system in memory, where this process may mount one. Elsewhere
    no file anywhere may be larger while the context lasts.

    Args:
        folder: Path of the folder, which is made.
        size: Bytes; the file system's are whole pages of 4096.

    Yields:
        The folder.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    with contextlib.ExitStack() as stack:
        if not (os.geteuid() == 0 and _succeeds(mount)):
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
            stack.callback(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        else:
            stack.callback(_succeeds, ["umount", "--lazy", str(folder)])
        yield folder


@contextlib.contextmanager
def read_only(folder):
    """Makes a folder into which nobody can write.

    It is a file system of its own, where this process may mount one.

    Args:
        folder: Path of the folder, which is made.

    Yields:
        The folder.
    """
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        if os.geteuid() == 0:
            mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
            if not _succeeds(mount):
                pytest.skip("root may write everywhere, and mount nothing")
            stack.callback(_succeeds, ["umount", "--lazy", str(folder)])
        else:
            folder.chmod(0o555)
            stack.callback(folder.chmod, 0o755)
        yield folder


def _succeeds(command):
    try:
        return not subprocess.run(command, capture_output=True).returncode
    except OSError:
        return False
