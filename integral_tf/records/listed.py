"""A list of people, each made when it is read, so that few are in memory."""

from __future__ import annotations

import bisect
import collections.abc
import itertools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any


class Listed(collections.abc.Sequence):
    """A list of pairs `(source_id, key)` that are made when they are read.

    Args:
        count: Number of people.
        make: Function from a place, from 0, to the pair.
        name: Function from a place to the source_id alone, if that is quicker.

    >>> list(Listed(2, lambda place: (f"train/{place}", place)))
    [('train/0', 0), ('train/1', 1)]
    """

    def __init__(
        self,
        count: int,
        make: Callable[[int], tuple],
        name: Callable[[int], str] | None = None,
    ) -> None:
        self._count, self._make = count, make
        self.name: Callable[[int], str] = name or (lambda i: self[i][0])

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        return self._make(range(self._count)[place])


def name(people: Sequence[tuple], place: int) -> str:
    """The source_id of someone of a list."""
    if isinstance(people, Listed):
        return people.name(place)
    return people[place][0]


def joined(parts: Sequence[Sequence]) -> Listed:
    """The people of several lists, one after another.

    >>> list(joined(["ab", "", "c"]))
    ['a', 'b', 'c']
    """
    ends = list(itertools.accumulate(map(len, parts), initial=0))

    def found(place):
        part = bisect.bisect_right(ends, place) - 1
        return parts[part], place - ends[part]

    def make(place):
        part, place = found(place)
        return part[place]

    return Listed(ends[-1], make, lambda place: name(*found(place)))
