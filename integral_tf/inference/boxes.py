"""Boxes of people: what one is, and a file of them, row by row.

A box is x, y, width, height in image pixels. Of a file the rows that are boxes
of the picture's people come out; every other is counted with its reason.
"""

import csv
import dataclasses
import json
import pathlib
import reprlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import coordinates
from integral_tf.inference import left_out
from integral_tf.records import ids

# A value of a file in a message, however long or deep it is.
SHORT = reprlib.Repr()
SHORT.maxdict, SHORT.maxstring, SHORT.maxlong = 8, 80, 40
# Columns of a .csv.
_SIDES, _SCORE = ("x", "y", "width", "height"), "score"


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
    """The rows of a file of boxes, as they are.

    Args:
        path: Path of COCO's annotations or results, of a JSON list of boxes
            alone, or of a .csv with a header.
        names: What a row has to say where it belongs, for the message.

    Returns:
        List of what should be dicts, as of COCO's results: those of
        annotations have the `file_name` of their image, and the boxes of a
        list alone have only `bbox`, and `score` where they have five numbers.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another form.
    """
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(
            "`--boxes` is a file of boxes (docs/detectors.md), and there is "
            f"none of that name. Received: --boxes={str(path)!r}"
        )
    try:
        if pathlib.Path(path).suffix.lower() == ".csv":
            return _csv_rows(path)
        found = json.loads(pathlib.Path(path).read_bytes())
        rows, reason = _json_rows(found), f"it is a {type(found).__name__}"
    except (ValueError, RecursionError, MemoryError, csv.Error) as error:
        rows, reason = None, str(error) or type(error).__name__
    if rows is None:
        raise ValueError(
            "`--boxes` is COCO's annotations or results, a JSON list of "
            f"{{{names}, bbox: [x, y, width, height]}} or, for one photograph, "
            "of [x, y, width, height], or a .csv with the header "
            f"{','.join(('file_name', *_SIDES, _SCORE))}; {reason}. Received: "
            f"--boxes={str(path)!r}"
        )
    return rows


def _json_rows(found):
    """The rows of a JSON file, or None where it has none."""
    if isinstance(found, dict):
        images, rows = found.get("images"), found.get("annotations")
        if not isinstance(images, list) or not isinstance(rows, list):
            return None
        files = {
            ids.key(image.get("id")): image.get("file_name")
            for image in images
            if isinstance(image, dict)
        }
        return [
            {"file_name": _last(files.get(ids.key(row.get("image_id")))), **row}
            if isinstance(row, dict)
            else row
            for row in rows
        ]
    if not isinstance(found, list):
        return None
    if found and all(isinstance(row, list) and row for row in found):
        return [
            {"bbox": row[:4], _SCORE: row[4]}
            if len(row) == 5
            else {"bbox": row}
            for row in found
        ]
    return found


def _last(name):
    """A file's name without the folders that COCO's may have before it."""
    return name.rpartition("/")[2] if isinstance(name, str) else name


def _csv_rows(path):
    # Spreadsheets put a mark before the first letter.
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        header = reader.fieldnames or []
        missing = [name for name in _SIDES if name not in header]
        if missing:
            raise ValueError(
                f"its header {','.join(header)} has no {', '.join(missing)}"
            )
        return [
            {
                **{
                    name: text or None
                    for name, text in row.items()
                    if name and name not in _SIDES
                },
                **{
                    name: _number(row[name])
                    for name in (_SCORE, "frame")
                    if name in header
                },
                "bbox": [_number(row[name]) for name in _SIDES],
            }
            for row in reader
        ]


def _number(text):
    """A cell as a number; as it is where it is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def sort(
    rows: list,
    place: Callable[[dict], Any],
    categories: Sequence[int],
    least: float,
    left: left_out.LeftOut,
) -> dict[Any, list[Person]]:
    """Puts rows where they belong.

    Args:
        rows: What `read` returned.
        place: A function from a row to the key of its picture or frame; it
            raises `Unfit` for a row without one, and `Elsewhere` for a row of
            another.
        categories: Numbers of the people's categories; a row without one is
            of the first.
        least: Score below which a row is left out; rows without one stay.
        left: The `left_out.LeftOut` that counts the others.

    Returns:
        Dict of key to list of `Person`, in the order of the rows.
    """
    people = {}
    for number, row in enumerate(rows):
        try:
            key, person = _person(row, place, categories, least)
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


def _person(row, place, categories, least):
    """The key of a row and its `Person`."""
    if not isinstance(row, dict):
        raise Unfit("without any field")
    category, score = row.get("category_id"), row.get("score")
    if category is None:
        category = categories[0]
    # A list, which is no key, is shown as it is.
    number = ids.key(category)
    category = category if number is None else number
    if category not in categories:
        wanted = " or ".join(map(str, categories))
        raise Elsewhere(f"of another category than {wanted}", category)
    if row.get("iscrowd"):
        raise Elsewhere("of a crowd, which is no one person")
    if score is not None:
        if not isinstance(score, (int, float)) or score != score:
            raise Unfit("whose score is no number")
        if not score >= least:
            raise Elsewhere(f"below --min_box_score={least:g}")
    key = place(row)
    image_id = ids.key(row.get("image_id"))
    return key, Person(checked(row.get("bbox")), int(category), image_id)
