"""A folder on a disk that is nearly full."""

import contextlib
import os
import resource
import subprocess


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


def _succeeds(command):
    try:
        return not subprocess.run(command, capture_output=True).returncode
    except OSError:
        return False
