"""A folder has one owner at a time: a lock that ends with its process.

The lock is the operating system's, on a small file that names its owner, so
that a process which was killed holds nothing and leaves nothing to clean up:
the next owner takes the file over; `end_with_parent` does the same for its
workers. Two threads of one process exclude each
other as two processes do.
"""

import contextlib
import errno
import multiprocessing
import os
import pathlib
import signal
import socket
import sys
import threading

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    fcntl = None

# What a lock that somebody else holds is told by; EACCES and EDEADLK are
# Windows's, and EACCES that of some network file systems.
_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


@contextlib.contextmanager
def of(folder: str | os.PathLike, *, beside: bool = False):
    """Owns a folder inside the `with` block, or refuses.

    Args:
        folder: The folder; it is made where there is none, and taken away
            again where it stays empty.
        beside: For a folder that appears by a rename: the lock's file stands
            beside it, as `.NAME.lock`, and the folder is not made. Otherwise
            it is `.lock` in the folder.

    Raises:
        BlockingIOError: somebody else owns it, who is named.
    """
    # Of two names of one folder, the lock is one.
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
            # Only where nothing was written.
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def end_with_parent() -> None:
    """Ends this worker process when the process that started it ends.

    A pool's workers wait for ever for a parent that was killed.
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
    """The descriptor of a lock's file, locked."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # An owner took the folder away, empty.
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
        # One byte far behind the text, which others may then read.
        os.lseek(lock, 1 << 20, os.SEEK_SET)
        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)


def _release(lock, path):
    # Deleted while it is held, or the next owner's file might be deleted.
    # Windows deletes no open file, and none that the next owner has open.
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
    os.write(lock, text.encode(errors="replace"))


def _owner(lock):
    os.lseek(lock, 0, os.SEEK_SET)
    return os.read(lock, 1000).decode(errors="replace").strip() or "somebody"
