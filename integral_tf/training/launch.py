"""Starts the workers of a training on this machine, over loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import IO

# How long workers have to end by themselves once one has failed.
GRACE = 30.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def launch(workers: int, command: Sequence[str]) -> int:
    """Runs a command once for each worker, until all have ended.

    Each line that worker i prints begins with `[i] `. SIGINT and SIGTERM are
    passed on. Where a worker fails the others are told to end, and are killed
    if they have not ended after `GRACE` seconds.

    Args:
        workers: How many workers.
        command: The words after `integral-tf`.

    Returns:
        The exit status of the worker that failed first; 0 if none did.
    """
    hosts = _free_ports(workers)
    processes = [_start(command, hosts, i) for i in range(workers)]
    readers = [
        _prefixed(stream, out, f"[{number}] ")
        for number, process in enumerate(processes, start=1)
        for stream, out in (
            (process.stdout, sys.stdout),
            (process.stderr, sys.stderr),
        )
    ]
    try:
        with _passing_on(processes):
            status = _wait(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for reader in readers:
        reader.join()
    return status


def _free_ports(count):
    """Addresses of loopback on which nobody listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def _start(command, hosts, index):
    """Starts a worker, in a session of its own: Ctrl-C is passed on once."""
    task = {"type": "worker", "index": index}
    announced = {"cluster": {"worker": hosts}, "task": task}
    return subprocess.Popen(
        [sys.executable, "-m", "integral_tf", *command],
        env={**os.environ, "TF_CONFIG": json.dumps(announced)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _prefixed(stream: IO[str], out: IO[str], prefix: str) -> threading.Thread:
    """Starts a thread that copies a stream's lines."""

    def copy():
        with stream:
            for line in stream:
                out.write(f"{prefix}{line.rstrip()}\n")
                out.flush()

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread


@contextlib.contextmanager
def _passing_on(processes) -> Iterator[None]:
    """A context in which signals go to the processes."""

    def pass_on(number, _):
        for process in processes:
            process.send_signal(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, pass_on) for each in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(processes):
    """Waits for all; returns the first bad exit status, as a shell gives it."""
    status, deadline = 0, None
    while running := [each for each in processes if each.poll() is None]:
        bad = [each.returncode for each in processes if each.returncode]
        if bad and deadline is None:
            status, deadline = bad[0], time.monotonic() + GRACE
            for each in running:
                each.terminate()
        if deadline and time.monotonic() > deadline:
            for each in running:
                each.kill()
        time.sleep(0.1)
    bad = [each.returncode for each in processes if each.returncode]
    status = status or next(iter(bad), 0)
    return 128 - status if status < 0 else status
