"""Tests for workers that are started on this machine."""

import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from integral_tf.commands import launch as command
from integral_tf.training import launch
from tests import drawn
from tests import untrained

# A worker that is told to end.
WAITS = """
import pathlib, signal, sys, time
def end(number, _):
    print("told", number, flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, {handler})
pathlib.Path({ready!r}).touch()
time.sleep(300)
"""


@pytest.fixture
def scripts(monkeypatch, tmp_path):
    """Runs two scripts as the workers; returns how `launch` does so."""

    def run(*texts):
        def start(_, hosts, index):
            return subprocess.Popen(
                [sys.executable, "-c", texts[index]],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        monkeypatch.setattr(launch, "_start", start)
        return launch.launch(len(texts), [])

    return run


def waits(tmp_path, number, handler="end"):
    ready = tmp_path / f"ready{number}"
    return WAITS.format(ready=str(ready), handler=handler), ready


def when(ready, then):
    """Calls a function once files are there."""

    def wait():
        while not all(path.exists() for path in ready):
            time.sleep(0.05)
        then()

    threading.Thread(target=wait, daemon=True).start()


def test_lines_have_the_number_of_their_worker(capsys):
    assert launch.launch(2, ["--version"]) == 0
    lines = sorted(capsys.readouterr().out.splitlines())
    assert [line[:16] for line in lines] == [
        "[1] integral-tf ",
        "[2] integral-tf ",
    ]


def test_the_others_are_ended_and_the_first_failure_is_the_status(
    scripts, tmp_path, capsys
):
    text, ready = waits(tmp_path, 0)
    fails = f"""
import pathlib, sys, time
while not pathlib.Path({str(ready)!r}).exists(): time.sleep(0.05)
sys.exit(3)
"""
    assert scripts(text, fails) == 3
    assert capsys.readouterr().out == "[1] told 15\n"


def test_a_worker_that_does_not_end_is_killed(scripts, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "GRACE", 0.5)
    text, ready = waits(tmp_path, 0, "signal.SIG_IGN")
    fails = f"""
import pathlib, sys, time
while not pathlib.Path({str(ready)!r}).exists(): time.sleep(0.05)
sys.exit(3)
"""
    started = time.monotonic()
    assert scripts(text, fails) == 3
    assert time.monotonic() - started < 60


def test_a_signal_is_passed_on_to_all(scripts, tmp_path, capsys):
    texts, ready = zip(*(waits(tmp_path, i) for i in range(2)))
    before = signal.getsignal(signal.SIGTERM)
    when(ready, lambda: signal.raise_signal(signal.SIGTERM))
    assert scripts(*texts) == 5
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == ["[1] told 15", "[2] told 15"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_killed_worker_has_a_shells_status(scripts):
    kill = "import signal; signal.raise_signal(signal.SIGKILL)"
    assert scripts(kill, "") == 128 + 9


def test_the_words_after_the_dashes_are_the_command():
    words = ["--workers=3", "--", "train", "--workdir=a b"]
    assert command.arguments(words) == [
        "--workers=3",
        "--command=train '--workdir=a b'",
    ]
    assert command.arguments(["--workers=3"]) == ["--workers=3"]
    with pytest.raises(ValueError, match="Only `train`.*Received: 'export'"):
        command.call(command.CONFIG(command="export"))


def test_two_workers_train(tmp_path):
    data = drawn.records(tmp_path / "data", 5, 0.0)
    flags = {
        **untrained.TINY, "method": "H1", "data": data, "batch_size": 5,
        "epochs": 1, "final_epochs": 0, "tensorboard": False,
        "workdir": tmp_path / "run",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "integral_tf", "launch", "--workers=2", "--"]
        + ["train", *(f"--{name}={value}" for name, value in flags.items())],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parent.parent.parent,
    )
    assert done.returncode == 0, done.stderr
    assert "[1] model: " in done.stdout and "2 device(s)" in done.stdout
    assert "[2] worker 2 of 2" in done.stdout
    assert (tmp_path / "run" / "model.keras").exists()
