"""Boxes of people for the client, read as `integral-tf predict` reads them.

Written again without any other package, for machines that have none. What both
take, and the words for what they leave out, are held together by a test
(`tests/serving/boxes_test.py`).
"""

import collections
import json
import math
import pathlib
import reprlib

from integral_tf.serving import connections

LARGEST = 1e5  # pixels; beyond it a box is a mistake, and the server says so
# How many lines one reason may fill, and how many values one count may show.
_LINES, _VALUES = 10, 5
_SHORT = reprlib.Repr()
_SHORT.maxdict, _SHORT.maxstring, _SHORT.maxlong = 8, 80, 40

Person = collections.namedtuple("Person", "box category image_id")
Person.__doc__ = "x, y, width, height; numbers of category and image, or None."


class Unfit(Exception):
    """A row that is no box; its text is the reason."""


class Elsewhere(Exception):
    """A row that is a box, but not one to take; its text is the reason."""


class LeftOut:
    """What is passed over: counted by its reason, the odd ones named."""

    def __init__(self):
        self.counts = collections.Counter()
        self.lines = []
        self._values = collections.defaultdict(dict)

    def count(self, thing, reason, value=None, *, number=1):
        if number:
            self.counts[thing, reason] += number
            if value is not None:
                self._values[thing, reason][str(value)] = None

    def name(self, thing, reason, which):
        self.count(thing, reason)
        number = self.counts[thing, reason]
        if number <= _LINES:
            self.lines.append(f"skipped {which}: {reason}")
        elif number == _LINES + 1:
            self.lines.append(f"skipped more {_plural(thing)}: {reason}")

    def ending(self):
        """The end of a last line: what was left out, or nothing."""
        told = ", ".join(
            f"{count} {thing if count == 1 else _plural(thing)} {reason}"
            + _shown(self._values[thing, reason])
            for (thing, reason), count in self.counts.items()
        )
        return f"; left out: {told}" if told else ""


def _plural(thing):
    return thing + ("es" if thing.endswith("x") else "s")


def _shown(values):
    if not values:
        return ""
    more = ", ..." if len(values) > _VALUES else ""
    return f" ({', '.join(list(values)[:_VALUES])}{more})"


def read(path):
    """The rows of a JSON file of boxes, as they are."""
    try:
        rows = json.loads(pathlib.Path(path).read_bytes())
        reason = f"it is a {type(rows).__name__}"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        rows, reason = None, str(error) or type(error).__name__
    if not isinstance(rows, list):
        raise connections.Stop(
            "`--boxes` is a JSON list of {file_name or image_id, bbox: [x, y, "
            f"width, height]}}; {reason}. Received: --boxes={path!r}"
        )
    return rows


def sort(rows, paths, categories, least, left):
    """Puts rows where they belong.

    Args:
        rows: From `read`.
        paths: The pictures.
        categories: Numbers of the people's categories.
        least: Score below which a row is left out; rows without one stay.
        left: The `LeftOut` that counts the others.

    Returns:
        Dict of file name to list of `Person`, in the order of the rows.
    """
    names = {path.name for path in paths}
    by_number = collections.defaultdict(list)
    for path in paths:
        by_number[number_of(path)].append(path.name)
    people = {}
    for number, row in enumerate(rows):
        try:
            name, person = _person(row, names, by_number, categories, least)
        except Elsewhere as other:
            text, *value = other.args
            left.count("box", text, *map(_SHORT.repr, value))
        except Unfit as reason:
            which = f"boxes[{number}], {_SHORT.repr(row)}"
            left.name("box", str(reason), which)
        else:
            people.setdefault(name, []).append(person)
    return people


def number_of(path):
    """COCO names its files by the image's number, in twelve digits."""
    return int(path.stem) if path.stem.isdecimal() else None


def nobody(path, rows, paths, left):
    """What to raise where no box is left."""
    first = _SHORT.repr(rows[0]) if rows else "none"
    return connections.Stop(
        f"No box belongs to any of the images, such as {paths[0].name}"
        f"{left.ending()}. Received: --boxes={path!r}, whose first row is "
        f"{first}"
    )


def _person(row, names, by_number, categories, least):
    """The file name of a row and its `Person`."""
    if not isinstance(row, dict):
        raise Unfit("without any field")
    category, score = row.get("category_id"), row.get("score")
    if category is None:
        category = categories[0]
    number = _whole_number(category)
    category = category if number is None else number
    if category not in categories:
        wanted = " or ".join(map(str, categories))
        raise Elsewhere(f"of another category than {wanted}", category)
    if score is not None:
        if not isinstance(score, (int, float)) or score != score:
            raise Unfit("whose score is no number")
        if not score >= least:
            raise Elsewhere(f"below --min_box_score={least:g}")
    name = _file_name(row, names, by_number)
    image_id = row.get("image_id")
    number = _whole_number(image_id)
    if number is not None or not isinstance(image_id, str):
        image_id = number
    return name, Person(_box(row.get("bbox")), int(category), image_id)


def _file_name(row, names, by_number):
    name, number = row.get("file_name"), _whole_number(row.get("image_id"))
    if not name and number is not None:
        name, *others = by_number.get(number, [""])
        if others:
            raise Unfit(
                f"whose image_id several images have: {name}, {others[0]}"
            )
    elif not isinstance(name, str):
        raise Unfit("without a file_name or an image_id")
    if name not in names:
        raise Elsewhere("of another image", name or number)
    return name


def _whole_number(value):
    """A JSON number, or its digits in a text, as an int; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        is_number = len(value) < 19 and str(int(value)) == value
        return int(value) if is_number else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == value // 1 else None


def _box(values):
    """A row's bbox as four floats."""
    if not isinstance(values, list) or len(values) != 4:
        raise Unfit("without four numbers")
    for value in values:
        kind = not isinstance(value, bool) and isinstance(value, (int, float))
        # A whole number of any length may stand in JSON.
        if not kind or isinstance(value, int) and abs(value) >= 2**64:
            raise Unfit("without four numbers")
    if not all(map(math.isfinite, values)):
        raise Unfit("with a number that is not finite")
    if not min(values[2:]) > 0:
        raise Unfit("without a positive width and height")
    if not max(map(abs, values)) < LARGEST:
        raise Unfit(f"beyond {LARGEST:.0f} pixels")
    return [float(value) for value in values]
