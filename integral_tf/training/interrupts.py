"""Ctrl-C and SIGTERM during a training: the step in progress ends first."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A training was asked to end.

    Attributes:
        number: The signal's number.
        status: The exit status that a shell expects: 128 and that number.
    """

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number
        self.status = 128 + number


class Listener:
    """Knows whether a signal asked the training to end.

    Attributes:
        number: The signal's number; 0 without one.
    """

    number = 0

    def check(self) -> None:
        """Raises `Interrupted` if a signal came."""
        if self.number:
            raise Interrupted("", self.number)


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A context in which the first signal only sets `Listener.number`.

    Python's handlers run between two steps, or while a step is traced. After
    the first signal, and after the context, the handlers are those of before,
    so that a second Ctrl-C ends the training at once. In a thread other than
    the main one nothing is installed.

    Yields:
        The `Listener`.
    """
    listener = Listener()
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    before = {}

    def put_back():
        while before:
            signal.signal(*before.popitem())

    def note(number, _):
        listener.number = number
        put_back()
        # Not `print`, in the middle of which a signal may come.
        with contextlib.suppress(OSError, ValueError):
            os.write(
                sys.stderr.fileno(),
                b"\nstopping after this step; once more stops at once\n",
            )

    try:
        for number in _SIGNALS:
            # None if a handler was not installed from Python: it stays.
            if (old := signal.getsignal(number)) is not None:
                before[number] = old
                signal.signal(number, note)
        yield listener
    finally:
        put_back()
