"""Tests for the lock of a folder: two owners never, a dead one not at all."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from integral_tf import ownership

# The module alone: the package would import TensorFlow in each process.
_HOLD = """
import sys
import ownership
with ownership.of(sys.argv[1], beside=sys.argv[2] == "True"):
    print("owned", flush=True)
    sys.stdin.read()
"""
# Two inside at once could not both make the second file, exclusively.
_MEET = """
import os
import sys
import ownership
sys.stdin.readline()
owned = 0
for _ in range(1000):
    try:
        with ownership.of(sys.argv[1]):
            os.close(os.open(sys.argv[2], os.O_CREAT | os.O_EXCL))
            os.unlink(sys.argv[2])
            owned += 1
    except BlockingIOError:
        pass
print(owned)
"""

_WORK = """
import concurrent.futures
import multiprocessing
import os
import time
import ownership
pool = concurrent.futures.ProcessPoolExecutor(
    1, multiprocessing.get_context("spawn"), ownership.end_with_parent
)
print(pool.submit(os.getpid).result(), flush=True)
pool.submit(time.sleep, 1000).result()
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(ownership.__file__)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def owner():
    """A function that starts a process which owns a folder."""
    started = []

    def hold(folder, beside=False):
        process = start(_HOLD, folder, beside)
        started.append(process)
        assert process.stdout.readline() == "owned\n"
        return process

    yield hold
    for process in started:
        process.communicate()


@pytest.mark.parametrize("beside", [False, True])
def test_the_second_owner_is_refused_and_told_of_the_first(
    tmp_path, owner, beside
):
    folder = tmp_path / "run"
    process = owner(folder, beside)
    with pytest.raises(
        BlockingIOError, match=f"'{folder}', which process {process.pid} on"
    ):
        with ownership.of(folder, beside=beside):
            pass
    process.communicate()
    with ownership.of(folder, beside=beside):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX only")
def test_a_dead_owner_owns_nothing(tmp_path, owner):
    process = owner(tmp_path / "run")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / "run" / ".lock").exists()
    with ownership.of(tmp_path / "run"):
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX only")
@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
def test_workers_end_with_the_process_that_started_them(end):
    process = start(_WORK)
    worker = int(process.stdout.readline())
    process.send_signal(getattr(signal, end))
    process.communicate()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        os.kill(worker, signal.SIGKILL)
        pytest.fail("the worker waits for ever")


def test_two_names_of_one_folder_are_one(tmp_path, owner):
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    owner(folder)
    for name in ("link", "link/../run", "run/."):
        with pytest.raises(BlockingIOError):
            with ownership.of(tmp_path / name):
                pass


def test_threads_exclude_each_other(tmp_path):
    outcome = []

    def second():
        try:
            with ownership.of(tmp_path):
                outcome.append("owned")
        except BlockingIOError:
            outcome.append("refused")

    with ownership.of(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    second()
    assert outcome == ["refused", "owned"]


def test_never_two_at_once_however_they_come_and_go(tmp_path):
    every = [
        start(_MEET, tmp_path / "run", tmp_path / "inside") for _ in range(3)
    ]
    for process in every:
        process.stdin.write("go\n")
        process.stdin.flush()
    owned = [int(process.communicate()[0]) for process in every]
    assert min(owned) > 0


def test_a_folder_may_vanish_while_it_is_made(tmp_path, monkeypatch):
    def found(path, *_):
        monkeypatch.undo()
        raise FileExistsError(path)  # and then its last owner removes it

    monkeypatch.setattr(os, "mkdir", found)
    with ownership.of(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        with ownership.of(tmp_path / "file"):
            pass


def test_what_was_written_stays(tmp_path):
    with ownership.of(tmp_path / "a" / "run"):
        pathlib.Path(tmp_path / "a" / "run" / "file").write_text("")
    assert [p.name for p in (tmp_path / "a" / "run").iterdir()] == ["file"]


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, capsys):
    def lock(_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(ownership, "_lock", lock)
    with ownership.of(tmp_path):
        pass
    assert "without locks" in capsys.readouterr().out
