"""Compares ids of images, annotations and categories, however written."""

from __future__ import annotations

import array
import bisect
from collections.abc import Iterable
from typing import Any

import numpy as np


def key(value: Any) -> int | str | None:
    """An id in a form that can be compared, or None if the value is no id.

    An id is a whole number that records can hold, however written, or a text.

    >>> key(7), key(7.0), key("7"), key("007"), key("a"), key(True)
    (7, 7, 7, '007', 'a', None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        is_number = value.isascii() and value.isdigit() and len(value) < 19
        return int(value) if is_number and str(int(value)) == value else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    return None


class Places:
    """The places of ids in a list: 16 bytes for a whole number.

    Args:
        keys: Ids, from `key`. Of equal ids the last counts.

    >>> places = Places([7, 3, "a"])
    >>> places.get(3), places.get("a"), places.get(4), places.repeated
    (1, 2, None, False)
    """

    def __init__(self, keys: Iterable[int | str]) -> None:
        numbers, places = array.array("q"), array.array("q")
        self._texts: dict[str, int] = {}
        count = 0
        for count, key in enumerate(keys, 1):
            if isinstance(key, str):
                self._texts[key] = count - 1
            else:
                numbers.append(key)
                places.append(count - 1)
        order = np.argsort(numbers, kind="stable")
        self._numbers = array.array("q", np.array(numbers)[order].tobytes())
        self._places = array.array("q", np.array(places)[order].tobytes())
        different = len(np.unique(numbers)) + len(self._texts)
        self.repeated: bool = different < count

    @property
    def has_texts(self) -> bool:
        """Whether an id is a text."""
        return bool(self._texts)

    def __contains__(self, key: int | str | None) -> bool:
        return self.get(key) is not None

    def get(self, key: int | str | None) -> int | None:
        """The place of an id; None if it has none."""
        if not isinstance(key, int):
            return self._texts.get(key)
        place = bisect.bisect_right(self._numbers, key) - 1
        if place < 0 or self._numbers[place] != key:
            return None
        return self._places[place]
