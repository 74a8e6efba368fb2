"""Boxes of people: what one is, and a file of them, row by row.

A box is x, y, width, height in image pixels. Of a file the rows that are boxes
of the picture's people come out; every other is counted with its reason.
"""

import dataclasses
import json
import pathlib
import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.inference import left_out

# A value of a file in a message, however long or deep it is.
SHORT = reprlib.Repr()
SHORT.maxdict, SHORT.maxstring, SHORT.maxlong = 8, 80, 40


@dataclasses.dataclass(frozen=True)
class Person:
    """One row of a file of boxes.

    Attributes:
        box: `(4,)` float64 x, y, width, height in image pixels.
        category: Number of its category, one of the skeleton's.
        image_id: Number or name of its image; None where the row has none.
    """

    box: np.ndarray
    category: int
    image_id: int | str | None = None


class Unfit(ValueError):
    """A box, or a row, that is not one; its text is the reason."""


def checked(box) -> np.ndarray:
    """A box as `(4,)` float64.

    Raises:
        Unfit: it is none; the text follows the noun.
    """
    try:
        values = np.asarray(box)
    except ValueError:  # ragged
        values = np.empty(0)
    if values.shape != (4,) or values.dtype.kind not in "iuf":
        raise Unfit("without four numbers")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise Unfit("with a number that is not finite")
    if not (values[2:] > 0).all():
        raise Unfit("without a positive width and height")
    if not (np.abs(values) < coordinates.LARGEST_BOX).all():
        raise Unfit(f"beyond {coordinates.LARGEST_BOX:.0f} pixels")
    return values


def read(path: str, names: str) -> list:
    """The rows of a JSON file of boxes, as they are.

    Args:
        path: Path of the file.
        names: What a row has to say where it belongs, for the message.

    Raises:
        OSError: there is no such file.
        ValueError: it is not a list.
    """
    try:
        rows = json.loads(pathlib.Path(path).read_bytes())
        reason = f"it is a {type(rows).__name__}"
    except (ValueError, RecursionError, MemoryError) as error:
        rows, reason = None, str(error) or type(error).__name__
    if not isinstance(rows, list):
        raise ValueError(
            f"`--boxes` is a JSON list of {{{names}, bbox: [x, y, width, "
            f"height]}}; {reason}. Received: --boxes={str(path)!r}"
        )
    return rows


def sort(
    rows: list,
    place: Callable[[dict], Any],
    skeleton: skeletons.Skeleton,
    least: float,
    left: left_out.LeftOut,
) -> dict[Any, list[Person]]:
    """Puts rows where they belong.

    Args:
        rows: As `read` gives them.
        place: A function from a row to the key of its picture or frame; it
            raises `Unfit` for a row without one, and `Elsewhere` for a row of
            another.
        skeleton: The `skeletons.Skeleton`, whose categories are taken.
        least: Score below which a row is left out; rows without one stay.
        left: The `left_out.LeftOut` that counts the others.

    Returns:
        Dict of key to list of `Person`, in the order of the rows.
    """
    people = {}
    for number, row in enumerate(rows):
        try:
            key, person = _person(row, place, skeleton, least)
        except Elsewhere as other:
            text, *value = other.args
            left.count("box", text, *map(SHORT.repr, value))
        except Unfit as reason:
            left.name("box", str(reason), f"boxes[{number}], {SHORT.repr(row)}")
        else:
            people.setdefault(key, []).append(person)
    return people


class Elsewhere(Exception):
    """A row that is a box, but not one to take.

    Args:
        reason: Why not.
        value: The category or image that it is of, if that is why.
    """


def whole_number(value: Any) -> int | None:
    """A JSON number as an int, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == value // 1 else None


def id_number(value: Any) -> int | None:
    """An id as an int, or None where it is none: a number, or its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        # As the builders have it: with zeros before it, it is a name.
        is_number = len(value) < 19 and str(int(value)) == value
        return int(value) if is_number else None
    return whole_number(value)


def _person(row, place, skeleton, least):
    """The key of a row and its `Person`."""
    if not isinstance(row, dict):
        raise Unfit("without any field")
    category, score = row.get("category_id"), row.get("score")
    if category is None:
        category = skeleton.categories[0]
    number = id_number(category)
    category = category if number is None else number
    if category not in skeleton.categories:
        wanted = " or ".join(map(str, skeleton.categories))
        raise Elsewhere(f"of another category than {wanted}", category)
    if score is not None:
        if not isinstance(score, (int, float)) or score != score:
            raise Unfit("whose score is no number")
        if not score >= least:
            raise Elsewhere(f"below --min_box_score={least:g}")
    key = place(row)
    image_id = row.get("image_id")
    number = id_number(image_id)
    if number is not None or not isinstance(image_id, str):
        image_id = number
    box = checked(row.get("bbox"))
    return key, Person(box, int(category), image_id)
