"""Reads and writes large JSON files without an object for each row.

A file in COCO's form has lists of objects, its rows. A row is decoded by `json`
itself, reduced to the fields that are wanted, and kept as bytes.
"""

from __future__ import annotations

import array
import collections.abc
import itertools
import json
import operator
import os
import pathlib
import pickle
import re
import tempfile
import weakref
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from integral_tf import whole
from integral_tf.records import json_file

BLOCK = 1024  # rows that are checked at a time
_CHARACTERS = 1 << 20  # read at a time; a larger row is read as a whole
_GROUP = 8  # rows of a pickle, in which equal names take place once
_IN_MEMORY = 1 << 23  # bytes of a list; a longer one is in a file
_GIVEN = object()  # stands for a row that was handed out
_WHITE = re.compile(r"[ \t\n\r]*")
# A backslash before the name would make it the end of another one.
_OUTLINE = re.compile(
    r'(?<=[{,\s])("segmentation"\s*:\s*)(\[[-+.,0-9eE\s\[\]]*\])', re.ASCII
)


class Rows(collections.abc.Sequence):
    """A list of values of JSON, kept as bytes.

    Long lists lie in a temporary file without a name. A row is decoded each
    time that it is read: a change of it is not kept.

    Args:
        values: The rows.

    Raises:
        whole.DiskFull: there is no space for the temporary file.

    >>> rows = Rows([{"id": 3}, None])
    >>> rows[0], len(rows), rows == [{"id": 3}, None]
    ({'id': 3}, 2, True)
    """

    def __init__(self, values: Iterable = ()) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)
        weakref.finalize(self, self._file.close)
        # Groups of rows as pickles, which no other process reads; where each
        # ends in the file; the last rows; the group at hand and its rows.
        self._ends, self._last = array.array("Q", [0]), []
        self._near, self._rows = -1, []
        for value in values:
            self.append(value)

    def append(self, value: Any) -> None:
        """Adds a row at the end. It must not be changed afterwards."""
        self._last.append(value)
        self._near = -1  # It may have been the last.
        if len(self._last) == _GROUP:
            packed, self._last = pickle.dumps(self._last), []
            with whole.naming(tempfile.gettempdir()):
                self._file.seek(self._ends[-1])
                self._file.write(packed)
            self._ends.append(self._ends[-1] + len(packed))

    def __len__(self) -> int:
        return _GROUP * (len(self._ends) - 1) + len(self._last)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        group, place = divmod(range(len(self))[place], _GROUP)
        if group != self._near or self._rows[place] is _GIVEN:
            self._near, self._rows = group, self._group(group)
        row, self._rows[place] = self._rows[place], _GIVEN
        return row

    def __iter__(self) -> Iterator[Any]:
        groups = -(-len(self) // _GROUP)
        return itertools.chain.from_iterable(map(self._group, range(groups)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (list, Rows)):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    def _group(self, group):
        """A list of some rows, decoded."""
        if group == len(self._ends) - 1:
            return pickle.loads(pickle.dumps(self._last))
        start, end = self._ends[group : group + 2]
        self._file.seek(start)
        return pickle.loads(self._file.read(end - start))


def read(
    path: str | os.PathLike,
    argument: str,
    picks: dict[str | None, Callable],
    *,
    outlines: bool = True,
) -> Any:
    """Reads a JSON file; rows of some lists are reduced.

    Args:
        path: Path of the file.
        argument: Its name in errors.
        picks: Dict from the name of a list in the file's object to a function
            from a row to what is kept of the row. None is the name of a list
            that is the file itself.
        outlines: Whether lists named `segmentation` are read. They are most of
            COCO's files. False gives empty lists, and faults of the numbers in
            them are not seen.

    Returns:
        The file's content, with `Rows` for the lists in `picks`.

    Raises:
        FileNotFoundError, ValueError: as in `json_file.read`.
        whole.DiskFull: there is no space for the `Rows`.
    """
    try:
        return _streamed(path, picks, outlines)
    except whole.DiskFull:
        raise
    except (OSError, ValueError, RecursionError):
        pass
    # The file is missing, damaged, not UTF-8 or of another form: read as a
    # whole, its error names the line.
    content = json_file.read(path, argument)
    if isinstance(content, dict):
        for name, pick in picks.items():
            if isinstance(content.get(name), list):
                content[name] = Rows(map(pick, content[name]))
    elif isinstance(content, list) and None in picks:
        content = Rows(map(picks[None], content))
    return content


def write(
    content: dict[str, Any] | collections.abc.Sequence, path: str | os.PathLike
) -> None:
    """Writes an object, or a sequence of rows, as JSON, with a line's end.

    The text is that of `json.dumps`; rows are written one by one.
    """
    with pathlib.Path(path).open("w", encoding="utf-8", newline="\n") as file:
        if not isinstance(content, dict):
            _write_rows(content, file)
        else:
            file.write("{")
            for place, (name, value) in enumerate(content.items()):
                file.write(f"{', ' * (place > 0)}{json.dumps(name)}: ")
                if isinstance(value, Rows):
                    _write_rows(value, file)
                else:
                    file.write(json.dumps(value))
            file.write("}")
        file.write("\n")


def _write_rows(rows, file):
    file.write("[")
    for place, row in enumerate(rows):
        file.write(f"{', ' * (place > 0)}{json.dumps(row)}")
    file.write("]")


def _streamed(path, picks, outlines):
    with pathlib.Path(path).open(
        encoding="utf-8-sig", errors="surrogatepass", newline=""
    ) as file:
        text = _Text(file, outlines)
        if None in picks and text.peek() == "[":
            content = text.rows(picks[None])
        else:
            content = _object(text, picks)
        if text.rest():
            raise ValueError("text after the content")
    return content


def _object(text, picks):
    text.take("{")
    content = {}
    ending = "," if text.peek() == '"' else text.take("}")
    while ending == ",":
        if text.peek() != '"':
            raise ValueError("a name is a string")
        name = text.value()
        text.take(":")
        if text.peek() == "[":
            content[name] = text.rows(picks.get(name))
        else:
            content[name] = text.value()
        ending = text.take(",}")
    return content


def _emptied(found):
    """A list of numbers without these; the part of a list as it is."""
    name, value = found.groups()
    is_whole = value.count("[") == value.count("]")
    return f"{name}[]" if is_whole else found[0]


class _Text:
    """The text of a file, of which a part is in memory."""

    def __init__(self, file, outlines):
        self._file, self._part, self._at = file, "", 0
        self._outlines = outlines
        self._decode = json.JSONDecoder().raw_decode

    def _more(self):
        """Reads on, twice as far if a value is longer than the part."""
        kept = self._part[self._at :]
        read = self._file.read(max(_CHARACTERS, len(kept)))
        self._part, self._at = kept + read, 0
        if not self._outlines:
            self._part = _OUTLINE.sub(_emptied, self._part)
        return bool(read)

    def rest(self):
        """The next character that is not white; empty at the end."""
        while True:
            self._at = _WHITE.match(self._part, self._at).end()
            if self._at < len(self._part):
                return self._part[self._at]
            if not self._more():
                return ""

    def peek(self):
        """As `rest`, but the file must not end."""
        found = self.rest()
        if not found:
            raise ValueError("the file ends early")
        return found

    def take(self, wanted):
        """The next character, which must be one of `wanted`."""
        found = self.peek()
        if found not in wanted:
            raise ValueError(f"{found!r}, but one of {wanted!r} is expected")
        self._at += 1
        return found

    def value(self):
        """The next value. It begins at the place in the text."""
        while True:
            try:
                value, end = self._decode(self._part, self._at)
            except ValueError:
                if not self._more():
                    raise
            else:
                # A number that ends with the part may go on.
                if end < len(self._part) or not self._more():
                    self._at = end
                    return value

    def rows(self, pick):
        """The next list: `Rows` of what `pick` keeps, or a list for None."""
        self.take("[")
        found = [] if pick is None else Rows()
        ending = "," if self.peek() != "]" else self.take("]")
        while ending == ",":
            self.peek()
            value = self.value()
            found.append(value if pick is None else pick(value))
            ending = self.take(",]")
        return found
