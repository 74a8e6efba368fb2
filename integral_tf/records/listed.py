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

    >>> list(Listed(2, lambda place: (f"train/{place}", place)))
    [('train/0', 0), ('train/1', 1)]
    """

    def __init__(self, count: int, make: Callable[[int], tuple]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        return self._make(range(self._count)[place])


def joined(parts: Sequence[Sequence]) -> Listed:
    """The people of several lists, one after another.

    >>> list(joined(["ab", "", "c"]))
    ['a', 'b', 'c']
    """
    ends = list(itertools.accumulate(map(len, parts), initial=0))

    def make(place):
        part = bisect.bisect_right(ends, place) - 1
        return parts[part][place - ends[part]]

    return Listed(ends[-1], make)
