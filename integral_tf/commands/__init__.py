"""`integral-tf NAME --flags`: one module per command, and `main`."""

import importlib
import os
import sys
import types
from collections.abc import Sequence

import integral_tf

_PLAIN = "train launch evaluate predict export browse".split()
_BUILDERS = ("build-lsp", "build-mpii", "build-coco", "build-synthetic")
_MORE = "complexity reproduce client replay doctor".split()
# From a command's name to its module; Python has no module named `import`.
COMMANDS = {
    name: {"import": "import_"}.get(name, name.replace("-", "_"))
    for name in (*_PLAIN, "convert", *_BUILDERS, "import", *_MORE)
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `integral-tf`; returns the exit status.

    Args:
        argv: The command and its flags; None takes the process's arguments.

    Raises:
        SystemExit: the command failed; the text is an error for the user.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # `integral-tf ... | head` closes the pipe; without this, Python prints
        # an error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def _dispatch(arguments):
    from integral_tf.commands import _help

    name, *rest = arguments or ["--help"]
    if name in ("--help", "-h", "help", "--helpfull", "--helpshort"):
        print(_help.overview(COMMANDS))
        return 0
    if name == "--version":
        print(f"integral-tf {integral_tf.__version__}")
        return 0
    if name not in COMMANDS:
        raise SystemExit(
            f"integral-tf: the commands are {', '.join(COMMANDS)}. "
            f"Received: {name!r}"
        )
    from integral_tf.commands import _run

    return _run.run(name, load(name), rest)


def script(name: str) -> int:
    """Runs the started script, which has the form of a command's module.

    Args:
        name: Name of the script, with which its errors begin.

    Returns:
        The exit status.

    Raises:
        SystemExit: the script failed; the text is an error for the user.
    """
    from integral_tf.commands import _run

    return _run.run(name, sys.modules["__main__"], sys.argv[1:])


def load(name: str) -> types.ModuleType:
    """The module of a command."""
    return importlib.import_module(f"integral_tf.commands.{COMMANDS[name]}")
