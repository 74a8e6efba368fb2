"""Runs a command: parses its flags, prints its first line, and its error.

A command is a module with

    docstring     the help text
    CONFIG        a dataclass of settings, for the flags
    call(config)  does the work; may return an exit status
    INTERRUPTED   optional: the message after Ctrl-C or SIGTERM, unless the
                  KeyboardInterrupt has a text; it may also have a `status`
    arguments(words)  optional: the flags in other words
    uses(config)  optional: "python" or "" if the first line is not to name
                  TensorFlow; see `_versions.announce`
"""

import contextlib
import errno
import io
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from types import ModuleType

from integral_tf import flagfiles
from integral_tf.commands import _help
from integral_tf.commands import _quiet
from integral_tf.commands import _versions

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FRAME = re.compile(r'File "(.*?)", line \d+, in .*\n +(.*)')
_HELP = {"--help", "-h", "-?", "--helpfull", "--helpshort", "-help"}


def run(name: str, module: ModuleType, arguments: list[str]) -> int:
    """Runs a command.

    Args:
        name: Name of the command.
        module: Module of the command.
        arguments: The flags.

    Returns:
        The exit status.

    Raises:
        SystemExit: the user made a mistake; the text is the error to print.
        Exception: this package has a fault.
    """
    if _HELP & set(arguments):
        print(_help.of(module))
        return 0
    # Faster convolutions, which TensorFlow takes unasked only on processors
    # with VNNI instructions. PyTorch takes them on every one.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # A file's names may be no text: they are printed all the same.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with _quiet.startup(), _terminable() as ended_by:
        try:
            words = getattr(module, "arguments", list)(arguments)
            config = flagfiles.parse(module.CONFIG, words)
            uses = getattr(module, "uses", lambda _: "tensorflow")
            _versions.announce(name, uses(config))
            return module.call(config) or 0
        except KeyboardInterrupt as interrupt:
            usual = getattr(module, "INTERRUPTED", "nothing written")
            after = str(interrupt) or usual
            print(f"\n{name}: interrupted; {after}", file=sys.stderr)
            return getattr(interrupt, "status", 128 + ended_by[-1])
        except BrokenPipeError:
            raise  # the reader of the output has closed the pipe
        except Exception as error:
            said = sentence(error)
            if said is None or os.environ.get("INTEGRAL_TF_TRACEBACK") == "1":
                raise
            raise SystemExit(f"{name}: {said}") from None


@contextlib.contextmanager
def _terminable() -> Iterator[list[int]]:
    """A context in which the first SIGTERM is a KeyboardInterrupt.

    So a command that is told to end leaves nothing half-written. A second
    SIGTERM ends it at once.

    Yields:
        A list whose last number is that of the signal of an interrupt; a
        shell's exit status is 128 and this number.
    """
    numbers = [signal.SIGINT]

    def end(number, _):
        numbers.append(number)
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield numbers
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield numbers
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def sentence(error: Exception) -> str | None:
    """The sentence of an error by a user's mistake; None for other errors.

    A user's mistake is an error of the operating system, or one that this
    package raises itself. Other libraries' errors may have their last frame in
    this package, too (NumPy's about shapes), but that line has no `raise`.
    """
    kind = type(error)
    if isinstance(error, OSError):
        return _of_system(error)
    if kind.__module__.startswith("integral_tf."):
        return str(error)
    if isinstance(error, (ValueError, ImportError, FloatingPointError)):
        file, line = _raised_at(error)
        says = ("raise",)
        if isinstance(error, ImportError):  # a package is not installed
            says = ("raise", "import ", "from ")
        if file.startswith(_PACKAGE + os.sep) and line.startswith(says):
            return str(error)
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow and isinstance(error, tensorflow.errors.OpError):
        # The other lines are TensorFlow's stack.
        return "TensorFlow: " + str(error).partition("\n")[0]
    return None


def _of_system(error):
    """The text of an error; a text of the system is without its number."""
    if error.errno is None or error.filename is None:
        return str(error)
    files = " -> ".join(
        repr(os.fspath(file))
        for file in (error.filename, error.filename2)
        if file is not None
    )
    then = ""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        then = "; name another path, or change who may use this one"
    return f"{error.strerror}{then}. Received: {files}"


def _raised_at(error):
    """File and text of the line that raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    # Without source code, the line counts as a `raise`.
    file, line = last.filename, last.line or "raise"
    if "concurrent" in file or "multiprocessing" in file:
        # Raised in another process, whose frames are in the cause's text.
        frames = _FRAME.findall(str(error.__cause__))
        file, line = frames[-1] if frames else (file, line)
    return os.path.abspath(file), line
