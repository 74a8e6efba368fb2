"""Reads MTFL's lists: a line of five points for each face.

The README of the data set: the picture's path, x of the five points, their y,
and four whole numbers: gender, smile, glasses, and the pose of the head. The
points are the eyes, the nose, and the corners of the mouth; "left" is on the
left of the picture, so it is the person's right here.

Nothing says where MTFL counts pixels from. ours: the centre of the first pixel
is 0, 0, as for WFLW.

A folder has `training.txt` and `testing.txt`, which are the splits train and
test. There are no boxes.
"""

import pathlib

import numpy as np

from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import face_points

_POINTS, _ATTRIBUTES = 5, 4
_FIELDS = 1 + 2 * _POINTS + _ATTRIBUTES
_SPLITS = {"training": "train", "testing": "test"}
# A longer first line is not MTFL's.
_LINE = 1024


def read(source, pictures):
    """Reads a list, or the lists of a folder.

    Args:
        source: `pathlib.Path` of the list or of the folder.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: there is no such list, or a text in another encoding.
    """
    paths = of.lists(
        source,
        lists_in,
        is_of,
        "A list of MTFL has lines of 15 fields: a picture's name, x of five "
        "points, their y, and four whole numbers.",
    )
    texts = {path: _SPLITS.get(path.stem, "") for path in paths}
    return of.of_lines(texts, face_points.MTFL, _face, pictures)


def lists_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The lists in a folder and in the folders inside it."""
    named = [path for name in _SPLITS for path in folder.rglob(f"{name}.txt")]
    return sorted(filter(is_of, named))


def is_of(path: pathlib.Path) -> bool:
    """Whether the first line of a text has the fields of MTFL's."""
    fields = of.first_fields(path, _LINE)
    try:
        list(map(float, fields[1:-_ATTRIBUTES]))
        list(map(int, fields[-_ATTRIBUTES:]))
    except ValueError:
        return False
    return len(fields) == _FIELDS


def _face(line):
    """Name of the picture, with slashes, `(5, 3)` points, and no box."""
    fields = line.split()
    if len(fields) != _FIELDS:
        raise schema.Dropped("line other than 15 fields")
    x, y = of.numbers_of_line(fields[1:-_ATTRIBUTES]).reshape(2, _POINTS)
    points = np.column_stack([x, y, np.full(_POINTS, 2.0)])
    return fields[0].replace("\\", "/"), points, None
