"""What a command passes over: counted by its reason, the odd ones named."""

import collections

# How many lines one reason may fill.
_LINES = 10


class LeftOut:
    """A count of what was left out, and lines for what deserves its own.

    >>> left = LeftOut()
    >>> left.count("box", "below --min_box_score=0.5")
    >>> left.count("box", "of category 3", 2)
    >>> str(left)
    '1 box below --min_box_score=0.5, 2 boxes of category 3'
    """

    def __init__(self):
        self.counts = collections.Counter()
        self.lines = []

    def __str__(self):
        return ", ".join(
            f"{count} {thing if count == 1 else _plural(thing)} {reason}"
            for (thing, reason), count in self.counts.items()
        )

    def count(self, thing, reason, number=1):
        """Counts things of one kind that are left out for one reason.

        Args:
            thing: What it is, in the singular, e.g. `"box"`.
            reason: Why; it follows the noun.
            number: How many.
        """
        if number:
            self.counts[thing, reason] += number

    def name(self, thing, reason, which):
        """Counts one thing, and keeps a line that says which."""
        self.count(thing, reason)
        number = self.counts[thing, reason]
        if number <= _LINES:
            self.lines.append(f"skipped {which}: {reason}")
        elif number == _LINES + 1:
            self.lines.append(f"skipped more {_plural(thing)}: {reason}")

    def ending(self):
        """The end of a last line: what was left out, or nothing."""
        return f"; left out: {self}" if self.counts else ""


def _plural(thing):
    return thing + ("es" if thing.endswith("x") else "s")
