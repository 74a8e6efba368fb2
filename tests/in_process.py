"""Runs a command in the tests' own process: no second TensorFlow to start."""

import contextlib
import io
import types

from integral_tf import commands


def run(*arguments):
    """Runs `integral-tf ARGUMENTS`; answers as `subprocess.run` would.

    A fault of the package itself is raised, not printed.
    """
    out, told, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        try:
            status = commands.main([str(each) for each in arguments])
        except SystemExit as error:
            status = 1
            told.write(f"{error.code}\n")
    return types.SimpleNamespace(
        returncode=status, stdout=out.getvalue(), stderr=told.getvalue()
    )
