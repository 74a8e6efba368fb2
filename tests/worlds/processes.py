"""Python processes of their own."""

import subprocess
import sys


def fresh(code, *arguments):
    """Runs Python where nothing is imported yet; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
