"""Ids of images, annotations and categories, however a file writes them."""

from typing import Any


def key(value: Any) -> int | str | None:
    """An id as rows are told apart by it, or None where it is no id.

    A whole number that records can hold, however it is written, or a text.

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
