"""Runs a command: its flags, one line of what runs, one sentence of an error.

A command is a module with a docstring, its help; `CONFIG`, a dataclass of
settings; `call(config)`, which may return an exit status; and, if it has more
to say when it is interrupted, `INTERRUPTED`. `USES` is the library that the
first line names.
"""

import os
import sys
import traceback
from types import ModuleType

from integral_tf import flagfiles
from integral_tf.commands import _help
from integral_tf.commands import _quiet
from integral_tf.commands import _versions

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
            _versions.announce(name, _uses(module, config))
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


def _uses(module, config):
    uses = getattr(module, "USES", "tensorflow")
    return uses(config) if callable(uses) else uses


def sentence(error: Exception) -> str | None:
    """An error as a user's mistake; None for a fault of this package.

    A mistake is what this package raises itself, or the operating system.
    """
    kind = type(error)
    if isinstance(error, OSError) or kind.__module__.startswith("integral_tf."):
        return str(error)
    mistake = isinstance(error, (ValueError, ImportError, FloatingPointError))
    if mistake and _is_raised_here(error):
        return str(error)
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow and isinstance(error, tensorflow.errors.OpError):
        # Its other lines are TensorFlow's own stack.
        return "TensorFlow: " + str(error).partition("\n")[0]
    return None


def _is_raised_here(error):
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    if "concurrent" in last or "multiprocessing" in last:
        # Raised in another process, whose frames are a text.
        frames = str(error.__cause__ or "").split('File "')
        last = frames[-1].partition('"')[0] if len(frames) > 1 else last
    return os.path.abspath(last).startswith(package + os.sep)
