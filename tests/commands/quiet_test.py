"""Tests for the filter of TensorFlow's start-up lines."""

import os
import subprocess
import sys

import pytest

from integral_tf.commands import _quiet

# As TensorFlow 2.21 writes them on a machine without a GPU, and 2.15 with one.
START = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written to\
 STDERR
I0000 00:00:1795702498.708615   12358 port.cc:153] oneDNN custom operations are\
 on. You may see slightly different numerical results. To turn them off, ...
I0000 00:00:1795702498.708967   12358 cudart_stub.cc:31] Could not find cuda\
 drivers on your machine, GPU will not be used.
I0000 00:00:1795702498.755931   12358 cpu_feature_guard.cc:227] This TensorFlow\
 binary is optimized to use available CPU instructions in performance-critical.
To enable the following instructions: AVX2 FMA, in other operations, rebuild.
E0000 00:00:1795702501.161926   12358 cuda_platform.cc:52] failed call to\
 cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)
I0000 00:00:1795702501.234430   12358 service.cc:161]   StreamExecutor [0]: Host
2024-01-01 10:00:00.123456: E external/local_xla/xla/stream_executor/cuda/\
cuda_dnn.cc:9261] Unable to register cuDNN factory: Attempting to register
"""
ERROR = (
    b"E0000 00:00:1795.1 12 gpu.cc:5] ran out of memory trying to allocate\n"
)


def test_known_lines_go_and_all_others_stay():
    assert _quiet.filtered(START) == b""
    others = (
        b"Fatal Python error: Segmentation fault\n" + ERROR + b"\nWARNING\n"
    )
    assert _quiet.filtered(START + others + START) == others


def test_a_line_that_follows_a_bar_goes_and_the_bar_stays():
    bar = b"\rtrain:  10%|#         | 1/10 [00:01<00:09]"
    line = START.splitlines(keepends=True)[1]
    assert _quiet.filtered(bar + line + bar) == bar + bar


CODE = """
import os, subprocess, sys, time
from integral_tf.commands import _quiet
START = {start!r}
with _quiet.startup():
    assert sys.stderr.fileno() != 2
    os.write(2, START)
    {body}
os.write(2, b"after\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
@pytest.mark.parametrize(
    "body, told",
    [
        ('os.write(2, b"one\\ntwo\\n")', b"one\ntwo\nafter\n"),
        # From Python, around the filter; and in halves, a bar at once.
        ('print("mine", file=sys.stderr)', b"mine\nafter\n"),
        # Half a line that might be a known one passes when it has to.
        ('os.write(2, b"I0000 00"); time.sleep(1); os.write(2, b":0\\n")',
         b"I0000 00:0\nafter\n"),
        ('os.write(2, b"\\r 1/2"); os.write(2, b"\\r 2/2")',
         b"\r 1/2\r 2/2after\n"),
        # Whoever is started meanwhile may live on, and hold the pipe.
        (
            'subprocess.Popen(["sleep", "5"]); os.write(2, START)',
            b"after\n",
        ),
        (
            'pid = os.fork()\n    if not pid: os.write(2, b"child\\n");'
            " os._exit(0)\n    os.waitpid(pid, 0)",
            b"child\nafter\n",
        ),
    ],
)  # fmt: skip
def test_what_passes_a_command(body, told):
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(start=START, body=body)],
        stderr=subprocess.PIPE,
    )
    process.wait(timeout=300)
    os.set_blocking(process.stderr.fileno(), False)
    seen = process.stderr.read()
    assert seen == told
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_a_crash_is_told():
    code = CODE.format(
        start=START, body="import faulthandler; faulthandler._sigsegv()"
    )
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code], capture_output=True
    )
    assert done.returncode != 0
    assert b"Segmentation fault" in done.stderr
    assert b"oneDNN" not in done.stderr
