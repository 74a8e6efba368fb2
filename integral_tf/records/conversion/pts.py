"""Reads .pts files of 300W: the 68 points of the face in one picture.

    version: 1
    n_points: 68
    {
    x y
    ...
    }

A picture has the name of its text: indoor_001.png has indoor_001.pts. Pixels
are counted from 1, MATLAB's way, as menpo of the same authors reads these
files: the centre of the first pixel is 1, 1, and 1 is subtracted. All points
count as seen. There is no box: `build-coco` puts a box around the points.
"""

import pathlib

import numpy as np

from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import face_points

_FIRST = 1.0  # MATLAB's first pixel
ENDING = ".pts"


def read(source, pictures):
    """Reads a file, or all files of a folder and of the folders inside it.

    Args:
        source: `pathlib.Path` of the file or the folder.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: there is no such file.
    """
    paths = files_in(source) if source.is_dir() else [source]
    if not paths:
        raise ValueError(
            "300W has a .pts for each picture. "
            f"Received: source={str(source)!r}, without one"
        )
    left_out = coco_annotations.LeftOut()
    found, people = {}, []
    for path in paths:
        try:
            points = _points(path)
        except schema.Dropped as reason:
            left_out.add(schema.Dropped(str(reason), path))
            continue
        near = path.relative_to(source) if path != source else path
        name = near.with_suffix("").as_posix()
        name = pictures.find(name) or pictures.find(path.stem) or name
        if name in found:
            left_out.add(schema.Dropped("second file of a picture", path))
            continue
        found[name] = of.Picture(name)
        people.append(of.Person(name, face_points.IBUG.name, points))
    return of.Annotations(
        (face_points.IBUG,), tuple(found.values()), tuple(people), left_out
    )


def files_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The .pts in a folder and in the folders inside it."""
    return sorted(folder.rglob(f"*{ENDING}"))


def _points(path):
    """`(68, 3)` points of a file."""
    try:
        text = of.text(path)
    except ValueError:
        raise schema.Dropped("text in another encoding") from None
    head, opening, rest = text.partition("{")
    body, closing, _ = rest.partition("}")
    if "n_points" not in head or not opening or not closing:
        raise schema.Dropped("file without n_points and points in { }")
    try:
        values = np.array(body.split(), float)
    except ValueError:
        raise schema.Dropped("file with texts for numbers") from None
    count = len(face_points.IBUG.keypoints)
    if len(values) != 2 * count:
        raise schema.Dropped(f"file of other than {count} points")
    if not of.is_finite(*values.tolist()):
        raise schema.Dropped("file with numbers beyond all pictures")
    points = values.reshape(count, 2) - _FIRST
    return np.column_stack([points, np.full(count, 2.0)])
