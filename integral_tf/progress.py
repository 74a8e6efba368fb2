"""How far something is: a bar on a terminal, elsewhere a line now and then."""

import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sized
from typing import Any

import tqdm

# Between two lines, where there is no terminal.
SECONDS = 5.0


class _Lines(tqdm.tqdm):
    """The same in lines: logs and pipes keep what a bar would overwrite."""

    _shown = None

    def display(self, msg=None, pos=None):
        state = self.n, self.desc
        if msg is None and state != self._shown:
            self._shown = state
            self.fp.write(f"{str(self).strip()}\n")
            self.fp.flush()

    def clear(self, nolock=False):
        """Nothing: a line that was written stays."""

    def close(self):
        if not self.disable:
            self.display()
        self.leave = True
        self.disable = True


def bar(
    what: str, total: int | None, *, unit: str, initial: int = 0
) -> tqdm.tqdm:
    """A `tqdm` bar on the terminal, or lines where stderr is none.

    Args:
        what: What is being done, as "predict".
        total: How many there are; None where that is not known.
        unit: What is counted, as "people".
        initial: How many are done already.
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
    """Goes through things under a `bar`; `total` is their number, if known."""
    if total is None and isinstance(things, Sized):
        total = len(things)
    with bar(what, total, unit=unit) as shown:
        for thing in things:
            yield thing
            shown.update()


def write(text: str) -> None:
    """Prints a line to stdout, above whatever bar there is."""
    tqdm.tqdm.write(text)


def say(bar: tqdm.tqdm, what: str) -> None:
    """Names what is being done now, at once."""
    if bar.desc != f"{what}: ":
        bar.set_description(what)
