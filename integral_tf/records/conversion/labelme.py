"""Reads labelme's files: a JSON for each picture, with `shapes`.

A shape of type `point` is a joint, its label the joint's name. Points with the
same `group_id` are one person, and points without are one more. A `rectangle`
of the same group is the person's box, its label the category.

labelme counts pixels from the picture's edge, half a pixel more than
`coordinates`. No shape says whether a joint is hidden: all count as seen.
"""

import posixpath

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import json_file
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of


def read(source, pictures):
    """Reads a file, or all files of a folder and of the folders inside it.

    Args:
        source: `pathlib.Path` of the file or the folder.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: the file is not labelme's.
    """
    left_out = coco_annotations.LeftOut()
    groups, found = of.Groups(left_out), {}
    paths = sorted(source.rglob("*.json")) if source.is_dir() else [source]
    for path in paths:
        content = _content(path, source, left_out)
        if content is None:
            continue
        name = _name(content["imagePath"], path, source, pictures)
        if name in found:
            left_out.add(schema.Dropped("second file of a picture", path))
            continue
        size = content.get("imageWidth"), content.get("imageHeight")
        known = of.is_finite(*size) and min(size) > 0
        found[name] = of.Picture(name, tuple(map(int, size)) if known else None)
        if not content["shapes"]:
            left_out.add(schema.Dropped("picture without labels", name))
        for number, shape in enumerate(content["shapes"], 1):
            try:
                _add(shape, name, groups)
            except schema.Dropped as reason:
                example = f"{reason.example} {path}, shape {number}".strip()
                left_out.add(schema.Dropped(str(reason), example))
    categories, people = groups.people()
    return of.Annotations(categories, tuple(found.values()), people, left_out)


def _name(given, path, source, pictures):
    """The picture's name, of a path from the folder of its file."""
    given = given.replace("\\", "/")
    near = "" if path == source else path.parent.relative_to(source).as_posix()
    name = posixpath.normpath(posixpath.join(near, given))
    found = pictures.find(name) or pictures.find(given)
    is_outside = name.startswith(("..", "/")) or ":" in name
    return found or (given.rsplit("/", 1)[-1] if is_outside else name)


def _content(path, source, left_out):
    """The content of a file; None for another JSON of a folder."""
    try:
        content = json_file.read(path, "source")
    except ValueError:
        if path == source:
            raise
        content = None
    if is_of(content):
        return content
    if path == source:
        raise ValueError(
            "A file of labelme is a JSON of `shapes` and `imagePath`. "
            f"Received: source={str(source)!r}"
        )
    left_out.add(schema.Dropped("JSON that is not labelme's", path))
    return None


def is_of(content):
    """Whether a JSON's content is that of a file of labelme."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("shapes"), list)
        and isinstance(content.get("imagePath"), str)
    )


def _add(shape, name, groups):
    shape = shape if isinstance(shape, dict) else {}
    kind = shape.get("shape_type")
    label, corners = shape.get("label"), shape.get("points")
    if kind not in ("point", "rectangle"):
        raise schema.Dropped("shape of another type", f"{kind!r} in")
    try:
        corners = [(float(x), float(y)) for x, y in corners]
    except (OverflowError, TypeError, ValueError):
        corners = []
    count = 1 if kind == "point" else 2
    if len(corners) != count or not of.is_finite(*sum(corners, ())):
        raise schema.Dropped(f"{kind} without its {count} pairs of numbers")
    if not isinstance(label, str) or not label:
        raise schema.Dropped(f"{kind} without a label")
    person = str(shape.get("group_id"))
    if kind == "point":
        x, y = corners[0]
        x, y = coordinates.unit_to_crop(x, 1), coordinates.unit_to_crop(y, 1)
        groups.add(name, person, label, (x, y, 2))
        return
    (x0, y0), (x1, y1) = corners
    box = (min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
    groups.box(name, person, box, label)
