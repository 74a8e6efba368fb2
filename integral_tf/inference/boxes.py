"""Boxes of people: checks, and files of boxes.

A box is x, y, width, height in image pixels. `read` reads the rows of a file;
`sort` keeps the rows that are boxes of people in the pictures, and counts the
others with the reason.
"""

import csv
import dataclasses
import json
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import checks
from integral_tf import coordinates
from integral_tf.inference import left_out
from integral_tf.records import ids

# Columns of a .csv.
_SIDES, _SCORE = ("x", "y", "width", "height"), "score"


@dataclasses.dataclass(frozen=True)
class Person:
    """One row of a file of boxes.

    Attributes:
        box: `(4,)` float64 x, y, width, height in image pixels.
        category: Number of the person's category, one of the skeleton's.
        image_id: Number or name of the image; None if the row has none.
    """

    box: np.ndarray
    category: int
    image_id: int | str | None = None


class Unfit(ValueError):
    """A box or a row is not valid; the text is the reason."""


def checked(box: Any) -> np.ndarray:
    """Checks a box.

    Args:
        box: x, y, width, height in image pixels.

    Returns:
        The box as `(4,)` float64.

    Raises:
        Unfit: the box is not valid; the text continues "a box ...".
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
    """Reads the rows of a file of boxes; does not check each row.

    Args:
        path: Path of COCO's annotations or results, of a JSON list of boxes
            alone, or of a .csv with a header.
        names: Keys that say which picture a row is of, for the message.

    Returns:
        List of rows. A valid row is a dict in the form of COCO's results. Rows
        of annotations also have the `file_name` of their image. A box in a
        list of boxes alone becomes a dict of `bbox`, and of `score` if it has
        five numbers.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file has another form.
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
    """The rows in the content of a JSON file; None if it has another form."""
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
    """A file's name without folders, which COCO's file names may have."""
    return name.rpartition("/")[2] if isinstance(name, str) else name


def _csv_rows(path):
    # "utf-8-sig", because spreadsheets write a byte order mark.
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        header = reader.fieldnames or []
        missing = [name for name in _SIDES if name not in header]
        if missing:
            raise ValueError(
                f"its header {checks.SHORT.repr(','.join(header))} has no "
                f"{', '.join(missing)}"
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
    """A cell as a number, or the text itself if it is no number."""
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
    """Sorts rows by the picture or frame that they are of.

    Args:
        rows: Rows from `read`.
        place: A function from a row to the key of its picture or frame. It
            raises `Unfit` for a row that names none, and `Elsewhere` for a row
            of another picture or frame.
        categories: Numbers of the people's categories; a row without a
            category is of the first.
        least: Score below which a row is left out; rows without a score stay.
        left: The `left_out.LeftOut` that counts the rows left out.

    Returns:
        Dict from a key to a list of `Person`, in the order of the rows.
    """
    people = {}
    for number, row in enumerate(rows):
        try:
            key, person = _person(row, place, categories, least)
        except Elsewhere as other:
            text, *value = other.args
            left.count("box", text, *map(checks.SHORT.repr, value))
        except Unfit as reason:
            left.name(
                "box", str(reason), f"boxes[{number}], {checks.SHORT.repr(row)}"
            )
        else:
            people.setdefault(key, []).append(person)
    return people


class Elsewhere(Exception):
    """A valid row that is of another image or category, or otherwise unwanted.

    Args:
        reason: Why the row is left out.
        value: The row's category or image, if that is the reason.
    """


def whole_number(value: Any) -> int | None:
    """A JSON number as an int; None if it is not a whole number."""
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
    # `ids.key` of a list is None; the message then shows the list itself.
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
