"""Runs a command: its flags, one line of what runs, one sentence of an error.

A command is a module with a docstring, its help; `CONFIG`, a dataclass of
settings; and `call(config)`, which may return an exit status. It may have
`INTERRUPTED`, what to say then, and `uses(config)`, which says what the first
line names where that is not TensorFlow.
"""

import os
import re
import sys
import traceback
from types import ModuleType

from integral_tf import flagfiles
from integral_tf.commands import _help
from integral_tf.commands import _quiet
from integral_tf.commands import _versions

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FRAME = re.compile(r'File "(.*?)", line \d+, in .*\n +(.*)')
_HELP = {"--help", "-h", "-?", "--helpfull", "--helpshort", "-help"}


def run(name: str, module: ModuleType, arguments: list[str]) -> int:
    """Runs a command; returns its exit status.

    Raises:
        SystemExit: it failed; its text is the sentence to print.
        Exception: a fault of this package.
    """
    if _HELP & set(arguments):
        print(_help.of(module))
        return 0
    with _quiet.startup():
        try:
            config = flagfiles.parse(module.CONFIG, arguments)
            uses = getattr(module, "uses", lambda _: "tensorflow")
            _versions.announce(name, uses(config))
            return module.call(config) or 0
        except KeyboardInterrupt:
            after = getattr(module, "INTERRUPTED", "nothing written")
            raise SystemExit(f"\n{name}: interrupted; {after}") from None
        except BrokenPipeError:
            raise  # whoever read the output has gone
        except Exception as error:
            said = sentence(error)
            if said is None or os.environ.get("INTEGRAL_TF_TRACEBACK") == "1":
                raise
            raise SystemExit(f"{name}: {said}") from None


def sentence(error: Exception) -> str | None:
    """An error as a user's mistake; None for a fault of this package.

    A mistake is what this package raises itself, or the operating system. A
    NumPy that was given wrong shapes, say, raises in a line of ours, too, but
    that line has no `raise`.
    """
    kind = type(error)
    if isinstance(error, OSError) or kind.__module__.startswith("integral_tf."):
        return str(error)
    if isinstance(error, (ValueError, ImportError, FloatingPointError)):
        file, line = _raised_at(error)
        says = ("raise",)
        if isinstance(error, ImportError):  # of a package that is not here
            says = ("raise", "import ", "from ")
        if file.startswith(_PACKAGE + os.sep) and line.startswith(says):
            return str(error)
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow and isinstance(error, tensorflow.errors.OpError):
        # Its other lines are TensorFlow's own stack.
        return "TensorFlow: " + str(error).partition("\n")[0]
    return None


def _raised_at(error):
    """File and text of the line that raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    file, line = last.filename, last.line or "raise"  # no source: as if ours
    if "concurrent" in file or "multiprocessing" in file:
        # Raised in another process, whose frames are a text.
        frames = _FRAME.findall(str(error.__cause__))
        file, line = frames[-1] if frames else (file, line)
    return os.path.abspath(file), line
