"""Locks a folder, so that one process at a time writes it.

The lock is the operating system's, on a small file that names its owner. It
ends with the process: a killed process leaves no lock, and the next owner
reuses the file. Two threads of one process exclude each other as two processes
do. `end_with_parent` ends the workers of a killed process.
"""

import contextlib
import errno
import multiprocessing
import os
import pathlib
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    fcntl = None

# Errors that mean that another process holds the lock. Windows gives EACCES
# and EDEADLK, and some network file systems give EACCES.
_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


@contextlib.contextmanager
def of(folder: str | os.PathLike, *, beside: bool = False) -> Iterator[None]:
    """Locks a folder inside the `with` block, or refuses.

    Args:
        folder: The folder. A missing one is made, and removed again if it
            stays empty.
        beside: For a folder that appears by a rename: the lock's file is
            `.NAME.lock` beside the folder, and the folder is not made.
            Otherwise the file is `.lock` in the folder.

    Raises:
        BlockingIOError: another process, which is named, owns the folder.
    """
    # Two names of one folder share one lock.
    real = pathlib.Path(folder).resolve()
    path = real.with_name(f".{real.name}.lock") if beside else real / ".lock"
    made = not path.parent.exists()
    lock = _locked(path, folder)
    try:
        _sign(lock)
        yield
    finally:
        _release(lock, path)
        if made:
            # Fails if something was written into it.
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def end_with_parent() -> None:
    """Ends this worker process when the process that started it ends.

    Without this a pool's workers wait for ever for a parent that was killed.
    """

    def watch(parent):
        parent.join()
        os._exit(1)

    parent = multiprocessing.parent_process()
    if parent is not None:  # None in a pool of threads.
        # Ctrl-C reaches every process of a terminal; the parent answers it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=watch, args=(parent,), daemon=True).start()


def _locked(path, folder):
    """Locks a lock's file; returns its descriptor."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # Its last owner removed the empty folder.
        except FileExistsError:
            # So here, unless a file has the folder's name.
            with contextlib.suppress(FileNotFoundError):
                if not stat.S_ISDIR(path.parent.stat().st_mode):
                    raise
            continue
        try:
            _lock(lock)
        except OSError as error:
            if error.errno in _HELD:
                owner = _owner(lock)
                os.close(lock)
                raise BlockingIOError(
                    "Another process is writing this folder; wait until it "
                    "has ended, or name another folder. "
                    f"Received: {str(folder)!r}, which {owner} owns"
                ) from None
            print(
                f"{folder} is on a file system without locks ({error}): let "
                "nobody else write it meanwhile"
            )
            return lock
        # Its last owner may have deleted the file while this one opened it.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        os.close(lock)


def _lock(lock):
    if fcntl:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        # One byte far behind the text, so that others can still read the text.
        os.lseek(lock, 1 << 20, os.SEEK_SET)
        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)


def _release(lock, path):
    # Deletes the file before it unlocks: later, the file might be the next
    # owner's. Windows deletes no open file, neither ours nor the next owner's.
    if fcntl:
        path.unlink(missing_ok=True)
    os.close(lock)
    if not fcntl:
        with contextlib.suppress(OSError):
            path.unlink()


def _sign(lock):
    command = " ".join(os.path.basename(part) for part in sys.argv[:1])
    text = f"process {os.getpid()} on {socket.gethostname()} ({command})\n"
    os.ftruncate(lock, 0)
    os.lseek(lock, 0, os.SEEK_SET)
    with contextlib.suppress(OSError):  # a full disk: a lock without a name
        os.write(lock, text.encode(errors="replace"))


def _owner(lock):
    os.lseek(lock, 0, os.SEEK_SET)
    return os.read(lock, 1000).decode(errors="replace").strip() or "somebody"
