"""Drops TensorFlow's known start-up lines from stderr, and no other lines.

C++ writes them to file descriptor 2, some before TensorFlow reads any setting.
So descriptor 2 is a pipe while a command runs. Another process reads the pipe,
drops the lines of `_KNOWN`, and passes on the rest. It outlives a crash of the
command, so that the crash's last messages pass, too. Python's `sys.stderr`,
with progress bars, does not go through the pipe.
"""

import contextlib
import logging
import os
import re
import select
import signal
import sys
from collections.abc import Iterator

# Patterns of the known lines after their time, file and line number.
_SAYINGS = (
    "oneDNN custom operations are on",
    "Could not find (?:cuda|TensorRT)",
    "This TensorFlow binary is optimized",
    r"Unable to register cu\w+ factory",
    "computation placer already registered",
    "[Ff]ailed call to cuInit",
    "retrieving CUDA diagnostic information",
    "hostname: ",
    "libcuda reported version",
    "kernel (?:driver|reported|version)",
    "Created device ",
    "Loaded cuDNN version",
    "could not open file to read NUMA",
    "successful NUMA node read",
    r"XLA service \w+ initialized",
    r"  StreamExecutor \[",
    "Using CUDA|TensorFloat-32 will be used",
    "Compiled cluster using XLA",
    "disabling MLIR crash reproducer",
    "Local rendezvous is aborting with status: (?:OUT_OF_RANGE|CANCELLED)",
    "MLIR V1 optimization pass",
    "Fingerprinting done",
    "Reading (?:meta graph|SavedModel)",
    "Restoring SavedModel|SavedModel load for tags",
    "Running initialization op",
    "oneDNN supports DT_UINT8 only on platforms",
    "Skipping runtime version metadata in the model",
    "TFRecordDataset `buffer_size` is unspecified",
    "Memory patch applied",
    "Input of GeneratorDatasetOp::Dataset will not be optimized",
    "Ignored (?:output_format|drop_control_dependency)",
    "Sharding callback duration",
    "Estimated count of arithmetic ops",
    "Number of eligible GPUs|Starting new session|Optimization results",
)
_KNOWN = re.compile(
    rb"(?:[IWE]\d{4} |\d{4}-\d\d-\d\d )[\d:. ]+\s?"
    rb"(?:[IWE] )?[\w./-]+:\d+\] ?(?:"
    + "|".join(_SAYINGS).encode()
    + rb")[^\n]*\n"
    rb"|WARNING: All log messages before absl::InitializeLog\(\)[^\n]*\n"
    rb"|To enable the following instructions: [^\n]*\n"
    rb"|fully_quantize: \d+, inference_type: [^\n]*\n"
    rb"|INFO: Created TensorFlow Lite XNNPACK delegate[^\n]*\n"
    rb"|INFO:tensorflow:[^\n]*\n"
)
# An unfinished line, at the end of the text read, that may become a known one.
_MAY_BE = re.compile(
    rb"(?:^|[\n\r])([IWE]\d{4} [^\n]*|\d{4}-\d\d-\d\d [^\n]*|WARNING: All log"
    rb"[^\n]*|To enable the[^\n]*|INFO:[^\n]*)\Z"
)
# Seconds to wait for the rest of such a line.
_PATIENCE = 0.2
# Marks the end of this command's text; other processes may hold the pipe open.
_END = b"\0integral_tf:end\0"


@contextlib.contextmanager
def startup() -> Iterator[None]:
    """A context in which stderr is filtered.

    Also silences TensorFlow's Python logging below warnings.
    """
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    # After TensorFlow's import the lines are past, and a fork is not safe.
    if "tensorflow" in sys.modules or not hasattr(os, "fork"):
        yield
        return
    stderr = sys.stderr
    for stream in (sys.stdout, stderr):
        stream.flush()
    real = os.dup(2)
    finished = _start(real)
    sys.stderr = os.fdopen(
        real, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        with contextlib.suppress(OSError):
            os.write(2, _END)
            select.select([finished], [], [], 2.0)
        os.dup2(real, 2)
        os.close(finished)
        sys.stderr = stderr


@contextlib.contextmanager
def converters() -> Iterator[None]:
    """A context for exports.

    The converters log every step, and warn about deprecated names.
    """
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _start(real):
    """Starts the filter's process, and makes descriptor 2 its pipe.

    Args:
        real: A copy of the real descriptor 2.

    Returns:
        A descriptor that becomes readable when all text has passed.
    """
    ours, theirs = os.pipe()
    finished, signalled = os.pipe()
    if os.fork() == 0:
        try:
            # Ctrl-C ends the command; the filter passes on its last messages.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for each in {0, 1, 2, theirs, finished} - {ours, real, signalled}:
                with contextlib.suppress(OSError):
                    os.close(each)
            _pass_on(ours, real, signalled)
        finally:
            os._exit(0)
    os.dup2(theirs, 2)
    for each in (ours, theirs, signalled):
        os.close(each)
    return finished


def _pass_on(source, target, signalled):
    """Copies text from one descriptor to another, without the known lines.

    Args:
        source: Descriptor to read.
        target: Descriptor to write.
        signalled: Descriptor to write a byte to after `_END`.
    """
    held = b""
    while True:
        ready = select.select([source], [], [], _PATIENCE if held else None)
        text = os.read(source, 65536) if ready[0] else b""
        if ready[0] and not text:
            break
        if not text:  # the rest of the line is late
            _write(target, held)
            held = b""
            continue
        text = held + text
        if _END in text:
            text = text.replace(_END, b"")
            _write(target, filtered(text))
            os.write(signalled, b".")
            held = b""
            continue
        line = _MAY_BE.search(text)
        cut = line.start(1) if line else len(text)
        _write(target, filtered(text[:cut]))
        held = text[cut:]
    _write(target, filtered(held))


def filtered(text: bytes) -> bytes:
    """The text without TensorFlow's known lines."""
    return _KNOWN.sub(b"", text)


def _write(target, text):
    while text:
        text = text[os.write(target, text) :]
