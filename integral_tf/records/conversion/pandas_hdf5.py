"""Reads a table that pandas wrote as HDF5, without pandas; h5py is Keras's.

pandas has two forms. The `fixed` form, in which DeepLabCut stores labels, has
plain arrays: `axis0` the columns, `axis1` the rows, `block0_values` and more
the numbers. The `table` form, in which DeepLabCut stores predictions, has one
array of records. The names of its columns are a pickle, which may run a
program. Its instructions are therefore not run, but looked through: lists,
tuples, texts and whole numbers are read, and any other instruction is refused.
"""

from __future__ import annotations

import pathlib
import pickletools
import re
from typing import Any

import numpy as np

# The form that pandas names `fixed` begins so.
_FIXED = "block0_values"
_BEGIN = object()
# Instructions of a pickle, by what they do.
_NOTHING = {"PROTO", "FRAME", "STOP"}
_VALUES = {
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1",
}  # fmt: skip
_STORES = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_LOADS = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read(
    path: pathlib.Path,
) -> tuple[list[tuple[str, ...]], list[str], list[tuple[str, ...]], np.ndarray]:
    """Reads the first table of a file.

    Args:
        path: Path of the file.

    Returns:
        The columns, a tuple of one text for each level of the header; the
        names of the levels, empty in the `table` form; the rows' names, a
        tuple for each row; and `(rows, columns)` float64.

    Raises:
        ValueError: the file is no HDF5, or has no such table.
    """
    import h5py

    try:
        file = h5py.File(path)
    except OSError:
        raise ValueError(
            f"This is no HDF5 file. Received: source={str(path)!r}"
        ) from None
    with file:
        try:
            for group in file.values():
                if not isinstance(group, h5py.Group):
                    continue
                if _FIXED in group:
                    return _fixed(group)
                if "table" in group:
                    return _table(group["table"])
        # h5py raises of many kinds where a file is damaged.
        except (LookupError, OSError, RuntimeError, TypeError, ValueError) as e:
            raise ValueError(
                "The table in this HDF5 file cannot be read, or not safely: "
                "give the CSV that DeepLabCut writes beside it. "
                f"Received: source={str(path)!r}, {e}"
            ) from None
    raise ValueError(
        "DeepLabCut's HDF5 has a table that pandas wrote. "
        f"Received: source={str(path)!r}, without one"
    )


def _fixed(group):
    header, index = _axis(group, "axis0"), _axis(group, "axis1")
    place = {column: i for i, column in enumerate(header)}
    values = np.full((len(index), len(header)), np.nan)
    for key in group:
        block = re.fullmatch(r"(block\d+)_values", key)
        if block:
            items = _axis(group, f"{block[1]}_items")
            values[:, [place[item] for item in items]] = group[key][()]
    levels = [
        _text(group[f"axis0_level{level}"].attrs.get("name", ""))
        for level in range(len(header[0]))
    ]
    return header, levels, index, values


def _axis(group, name):
    """An axis's names, a tuple for each row or column."""
    if name in group:
        return [(_text(value),) for value in group[name][()]]
    levels = []
    while f"{name}_level{len(levels)}" in group:
        values = group[f"{name}_level{len(levels)}"][()]
        labels = group[f"{name}_label{len(levels)}"][()]
        levels.append([_text(values[i]) if i >= 0 else "" for i in labels])
    return list(zip(*levels))


def _table(table):
    rows, header, values = table[()], [], []
    for field in rows.dtype.names:
        if field.startswith("values_block_"):
            names = names_of(bytes(table.attrs[f"{field}_kind"]))
            if not all(isinstance(part, str) for n in names for part in n):
                raise ValueError("names that are no texts")
            header += names
            values.append(rows[field].reshape(len(rows), len(names)))
    index = [(_text(value),) for value in rows["index"]]
    return header, [], index, np.concatenate(values, axis=1).astype(float)


def names_of(pickled: bytes) -> Any:
    """Reads lists, tuples, texts and whole numbers out of a pickle.

    Raises:
        ValueError: the pickle has anything else, or is damaged.
    """
    stack: list[Any] = []
    stored: dict[int, Any] = {}
    try:
        for code, value, _ in pickletools.genops(pickled):
            _step(code.name, value, stack, stored)
        (answer,) = stack
    except (LookupError, AttributeError) as error:
        raise ValueError(f"a damaged pickle ({error})") from None
    return answer


def _step(name, value, stack, stored):
    """One instruction of a pickle."""
    if name in _NOTHING:
        return
    if name in _VALUES:
        stack.append(value)
    elif name in _STORES:
        stored[len(stored) if value is None else value] = stack[-1]
    elif name in _LOADS:
        stack.append(stored[value])
    elif name == "MARK":
        stack.append(_BEGIN)
    elif name in ("EMPTY_LIST", "EMPTY_TUPLE"):
        stack.append([] if name == "EMPTY_LIST" else ())
    elif name in _TUPLES:
        count = _TUPLES[name]
        stack[-count:] = [tuple(stack[-count:])]
    elif name == "APPEND":
        last = stack.pop()
        stack[-1].append(last)
    elif name in ("LIST", "TUPLE", "APPENDS"):
        start = len(stack) - 1 - stack[::-1].index(_BEGIN)
        values = stack[start + 1 :]
        del stack[start:]
        if name == "APPENDS":
            stack[-1].extend(values)
        else:
            stack.append(values if name == "LIST" else tuple(values))
    else:
        raise ValueError(f"the instruction {name} of a pickle")


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
