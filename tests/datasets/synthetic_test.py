"""Tests for the builder of drawn people, as a command."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from tests import in_process

ROOT = pathlib.Path(__file__).parents[2]
# The script, which is the command.
BUILDER = str(ROOT / "datasets/build_synthetic.py")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_an_interrupt_is_one_sentence_and_leaves_nothing(tmp_path):
    out = tmp_path / "records"
    process = subprocess.Popen(
        [sys.executable, BUILDER, "--people=100000", f"--out={out}"],
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if "TF_CPP" not in k},
        # Of its own: whoever runs the tests may ignore it.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".records.partial/*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    first, *bar, last = told.strip().splitlines()
    assert last == "build-synthetic: interrupted; nothing written"
    # None of TensorFlow's lines, nor of the workers'.
    assert re.match(r"integral-tf \S+ build-synthetic · TensorFlow", first)
    assert all(line.startswith("write: ") for line in bar if line)
    assert list(tmp_path.iterdir()) == []


def test_a_flag_file_that_is_no_text_is_one_sentence(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_bytes(b"\xff\xfe--people=3\n")
    done = in_process.run("build-synthetic", f"--flagfile={path}")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("build-synthetic: A flag file is text, a flag per")
    assert last.endswith(f"Received: --flagfile={path}")
