"""Progress: a bar on a terminal; elsewhere a line every few seconds."""

import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sized
from typing import Any

import tqdm

# Time between two lines.
SECONDS = 5.0


class _Lines(tqdm.tqdm):
    """Progress in lines, for logs and pipes: a bar would overwrite itself."""

    _shown = None

    def display(self, msg=None, pos=None):
        state = self.n, self.desc
        if msg is None and state != self._shown:
            self._shown = state
            self.fp.write(f"{str(self).strip()}\n")
            self.fp.flush()

    def clear(self, nolock=False):
        """Does nothing: a line that was written stays."""

    def close(self):
        if not self.disable:
            self.display()
        self.leave = True
        self.disable = True


def bar(
    what: str, total: int | None, *, unit: str, initial: int = 0
) -> tqdm.tqdm:
    """A `tqdm` bar if stderr is a terminal, else lines.

    Args:
        what: Name of the work: "predict".
        total: How many units there are; None if unknown.
        unit: The unit: "people".
        initial: How many units are done already.
    """
    settings: dict[str, Any] = {
        "total": total,
        "desc": what,
        "unit": f" {unit}",
        "initial": initial,
        "smoothing": 0.05,
    }
    if sys.stderr.isatty():
        return tqdm.tqdm(dynamic_ncols=True, **settings)
    return _Lines(mininterval=SECONDS, ncols=0, **settings)


def over(
    things: Iterable, what: str, total: int | None = None, *, unit: str
) -> Iterator:
    """Yields things under a `bar`.

    Args:
        things: The things.
        what, unit: As in `bar`.
        total: How many things there are, if `len` does not say.
    """
    if total is None and isinstance(things, Sized):
        total = len(things)
    with bar(what, total, unit=unit) as shown:
        for thing in things:
            yield thing
            shown.update()


def write(text: str) -> None:
    """Prints a line to stdout, above the bar."""
    tqdm.tqdm.write(text)


def say(bar: tqdm.tqdm, what: str) -> None:
    """Shows another name of the work on the bar, at once."""
    if bar.desc != f"{what}: ":
        bar.set_description(what)
