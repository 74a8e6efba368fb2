"""Takes TensorFlow's start-up lines, and only these, out of what a user sees.

They are written to file descriptor 2 by C++, some before any setting of
TensorFlow's is read. So descriptor 2 becomes a pipe while a command runs, and a
process of its own reads it, drops the lines of `_KNOWN`, and passes on the
rest: it outlives a crash, whose last words pass, too. What Python writes to
`sys.stderr`, such as a bar, goes around the pipe.
"""

import contextlib
import logging
import os
import re
import select
import signal
import sys

# What known lines say after their time, file and number.
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
# The start of a line that may become one of them, at the end of what came.
_MAY_BE = re.compile(
    rb"(?:^|[\n\r])([IWE]\d{4} [^\n]*|\d{4}-\d\d-\d\d [^\n]*|WARNING: All log"
    rb"[^\n]*|To enable the[^\n]*|INFO:[^\n]*)\Z"
)
# Seconds that the rest of such a line may take.
_PATIENCE = 0.2
# Ends what is to be read of this process, whoever else holds the pipe.
_END = b"\0integral_tf:end\0"


@contextlib.contextmanager
def startup():
    """Filters descriptor 2, and hushes TensorFlow's Python side, meanwhile."""
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    # A process that has it is past those lines, and forks badly.
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


def _start(real):
    """Puts the filter before descriptor 2; returns what ends with it."""
    ours, theirs = os.pipe()
    finished, told = os.pipe()
    if os.fork() == 0:
        try:
            # A terminal's Ctrl-C is for the command; its last words pass.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for each in {0, 1, 2, theirs, finished} - {ours, real, told}:
                with contextlib.suppress(OSError):
                    os.close(each)
            _pass_on(ours, real, told)
        finally:
            os._exit(0)
    os.dup2(theirs, 2)
    for each in (ours, theirs, told):
        os.close(each)
    return finished


def _pass_on(source, target, told):
    """Copies from one descriptor to the other, but for the known lines."""
    held = b""
    while True:
        waits = select.select([source], [], [], _PATIENCE if held else None)
        came = os.read(source, 65536) if waits[0] else b""
        if waits[0] and not came:
            break
        if not came:  # the rest of the line did not come
            _write(target, held)
            held = b""
            continue
        came = held + came
        if _END in came:
            came = came.replace(_END, b"")
            _write(target, filtered(came))
            os.write(told, b".")
            held = b""
            continue
        line = _MAY_BE.search(came)
        cut = line.start(1) if line else len(came)
        _write(target, filtered(came[:cut]))
        held = came[cut:]
    _write(target, filtered(held))


def filtered(text: bytes) -> bytes:
    """The text without TensorFlow's known lines."""
    return _KNOWN.sub(b"", text)


def _write(target, text):
    while text:
        text = text[os.write(target, text) :]
