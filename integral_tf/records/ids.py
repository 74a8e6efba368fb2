"""Compares ids of images, annotations and categories, however written."""

from typing import Any


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
