"""Reads WFLW's lists: a line of 98 points for each face.

The README of the annotations: 196 numbers x0 y0 ... x97 y97, the detector's
rectangle x_min y_min x_max y_max, six flags (pose, expression, illumination,
make-up, occlusion, blur), and the picture's name. Lists without rectangle and
flags, `list_98pt_test`, have 197 fields.

Nothing says where WFLW counts pixels from. ours: the centre of the first pixel
is 0, 0, as in OpenCV and as those who publish figures take the numbers.

A folder is one of `list_98pt_rect_attr_train.txt` and `..._test.txt`, whose
names are the splits. All points count as seen: the flag of occlusion is of the
whole face.
"""

import pathlib

import numpy as np

from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import face_points

_NUMBERS, _RECTANGLE, _FLAGS = 196, 4, 6
_SHORT, _LONG = _NUMBERS + 1, _NUMBERS + _RECTANGLE + _FLAGS + 1
# A longer first line is not WFLW's.
_LINE = 8192


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
        "A list of WFLW has lines of 207 or 197 fields: 98 points, perhaps a "
        "rectangle and six flags, and a picture's name.",
    )
    ends = {path: path.stem.rpartition("_")[2] for path in paths}
    texts = {
        path: end if end in ("train", "test") else ""
        for path, end in ends.items()
    }
    return of.of_lines(texts, face_points.WFLW, _face, pictures)


def lists_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The lists with rectangles in a folder and in the folders inside it."""
    return sorted(folder.rglob("list_98pt_rect_attr_*.txt"))


def is_of(path: pathlib.Path) -> bool:
    """Whether the first line of a text has the fields of WFLW's."""
    fields = of.first_fields(path, _LINE)
    try:
        list(map(float, fields[:_NUMBERS]))
    except ValueError:
        return False
    return len(fields) in (_SHORT, _LONG)


def _face(line):
    """Name of the picture, `(98, 3)` points, and the box or None."""
    fields = line.split()
    if len(fields) not in (_SHORT, _LONG):
        raise schema.Dropped("line other than 207 or 197 fields")
    values = of.numbers_of_line(fields[:-1])
    points = np.column_stack(
        [values[:_NUMBERS].reshape(-1, 2), np.full(_NUMBERS // 2, 2.0)]
    )
    if len(fields) == _SHORT:
        return fields[-1], points, None
    low, high = values[_NUMBERS : _NUMBERS + _RECTANGLE].reshape(2, 2)
    if not (high > low).all():
        return fields[-1], points, None
    return fields[-1], points, np.concatenate([low, high - low])
