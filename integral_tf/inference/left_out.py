"""Counts what a command leaves out, by reason, with lines for odd cases."""

import collections
from typing import Any

# Most lines for one reason, and most values that one count shows.
_LINES, _VALUES = 10, 5


class LeftOut:
    """Counts of things left out, and lines about single things.

    >>> left = LeftOut()
    >>> left.count("box", "below --min_box_score=0.5")
    >>> left.count("box", "of another category", 3)
    >>> left.count("box", "of another category", 18)
    >>> str(left)
    '1 box below --min_box_score=0.5, 2 boxes of another category (3, 18)'
    """

    def __init__(self) -> None:
        self.counts = collections.Counter()
        self.lines = []
        self._values = collections.defaultdict(dict)

    def __str__(self) -> str:
        return ", ".join(
            f"{count} {_noun(thing, count)} {reason}"
            + _shown(self._values[thing, reason])
            for (thing, reason), count in self.counts.items()
        )

    def count(
        self, thing: str, reason: str, value: Any = None, *, number: int = 1
    ) -> None:
        """Counts things of one kind that are left out for one reason.

        Args:
            thing: The kind, a noun in the singular: `"box"`.
            reason: The reason, a phrase that follows the noun.
            value: A value to show beside the count; of many different values
                the first few are shown.
            number: How many things.
        """
        if number:
            self.counts[thing, reason] += number
            if value is not None:
                self._values[thing, reason][str(value)] = None

    def name(self, thing: str, reason: str, which: Any) -> None:
        """Counts one thing, and keeps a line that names it."""
        self.count(thing, reason)
        number = self.counts[thing, reason]
        if number <= _LINES:
            self.lines.append(f"skipped {which}: {reason}")
        elif number == _LINES + 1:
            self.lines.append(f"skipped more {_noun(thing, number)}: {reason}")

    def say(self, done: str) -> None:
        """Prints the lines, and last what is done and what is left out."""
        for line in self.lines:
            print(line)
        print(done + self.ending())

    def ending(self) -> str:
        """The counts as the end of a command's last line; may be empty."""
        return f"; left out: {self}" if self.counts else ""


def _noun(thing, count):
    if count == 1:
        return thing
    return thing + ("es" if thing.endswith("x") else "s")


def _shown(values):
    if not values:
        return ""
    more = ", ..." if len(values) > _VALUES else ""
    return f" ({', '.join(list(values)[:_VALUES])}{more})"
