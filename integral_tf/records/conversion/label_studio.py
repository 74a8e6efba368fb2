"""Reads Label Studio's JSON export: a list of tasks.

A result of type `keypointlabels` is a joint, in percent of the picture's sides
from its edges. Its label is the joint's name. `parentID` names the rectangle of
its person; without one, the person is that of the only rectangle that holds the
point. In a picture without rectangles, all points are one person. A rectangle's
label is the category. Nothing says whether a joint is hidden: all are seen.
"""

import re
from urllib import parse

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import coco_truth
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before an uploaded file's name
_POINT, _BOX = "keypointlabels", "rectanglelabels"


def read(source, pictures):
    """Reads an export.

    Args:
        source: `pathlib.Path` of the JSON.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: the file is not such an export.
    """
    tasks = coco_truth.read_json(source, "source")
    if not is_of(tasks):
        raise ValueError(
            "Label Studio's export (JSON) is a list of tasks with `data` and "
            f"`annotations`. Received: source={str(source)!r}"
        )
    left_out = coco_annotations.LeftOut()
    groups, found = of.Groups(left_out), {}
    for number, task in enumerate(tasks, 1):
        try:
            name = _picture(task, number, pictures)
            results = _results(task, name, left_out)
            size = _size(results, name, pictures)
        except schema.Dropped as reason:
            left_out.add(reason)
            continue
        found[name] = of.Picture(name, size)
        boxes = {}
        for result in results:
            if result.get("type") == _BOX:
                _keep(_add_box, result, name, size, (groups, boxes), left_out)
        for result in results:
            if result.get("type") != _BOX:
                _keep(_add, result, name, size, (groups, boxes), left_out)
    categories, people = groups.people()
    return of.Annotations(categories, tuple(found.values()), people, left_out)


def is_of(content):
    """Whether a JSON's content is an export of Label Studio."""
    return (
        isinstance(content, list)
        and len(content) > 0
        and all(
            isinstance(task, dict)
            and isinstance(task.get("data"), dict)
            and isinstance(task.get("annotations"), list)
            for task in content
        )
    )


def _picture(task, number, pictures):
    """The picture's name: of a path, an address, or an uploaded file."""
    for value in task["data"].values():
        if isinstance(value, str):
            parts = parse.urlsplit(value)
            inside = parse.parse_qs(parts.query).get("d", [parts.path])[0]
            path = parse.unquote(inside).lstrip("/")
            ending = "." + path.rsplit(".", 1)[-1].lower()
            if ending in photographs.ENDINGS:
                break
    else:
        raise schema.Dropped(
            "task without a picture", f"task {task.get('id', number)}"
        )
    last = path.rsplit("/", 1)[-1]
    plain = _UPLOADED.sub("", last)
    return pictures.find(path) or pictures.find(plain) or last


def _results(task, name, left_out):
    """The results of the first annotation that was not cancelled."""
    rows = [row for row in task["annotations"] if isinstance(row, dict)]
    rows = [row for row in rows if not row.get("was_cancelled")]
    results = rows[0].get("result") if rows else None
    if not isinstance(results, list) or not results:
        left_out.add(schema.Dropped("picture without labels", name))
        return []
    for _ in rows[1:]:
        left_out.add(schema.Dropped("second annotation of a picture", name))
    return [row for row in results if isinstance(row, dict)]


def _size(results, name, pictures):
    for result in results:
        size = result.get("original_width"), result.get("original_height")
        if of.is_finite(*size) and min(size) > 0:
            return tuple(map(int, size))
    size = pictures.size(name)
    if size is None and results:
        raise schema.Dropped(
            "labels in percent of a picture that is not there", name
        )
    return size


def _keep(add, result, name, size, people, left_out):
    """Adds a result to the people, or counts the reason against."""
    try:
        if result.get("image_rotation"):
            raise schema.Dropped("label of a picture that the tool turned")
        add(result, name, size, *people)
    except schema.Dropped as reason:
        example = f"{reason.example} {result.get('id')} in {name}".strip()
        left_out.add(schema.Dropped(str(reason), example))


def _numbers(result, *names):
    value = result.get("value")
    value = value if isinstance(value, dict) else {}
    numbers = [value.get(name) for name in names]
    labels = value.get(result["type"])
    if not of.is_finite(*numbers):
        raise schema.Dropped(f"{result['type']} without their numbers")
    if not isinstance(labels, list) or not labels:
        raise schema.Dropped(f"{result['type']} without a label")
    return *numbers, str(labels[0])


def _add_box(result, name, size, groups, boxes):
    x, y, width, height, label = _numbers(result, "x", "y", "width", "height")
    if result["value"].get("rotation"):
        raise schema.Dropped("rectangle that is turned")
    sx, sy = size[0] / 100, size[1] / 100
    box = (x * sx, y * sy, width * sx, height * sy)
    boxes[str(result.get("id"))] = box
    groups.box(name, str(result.get("id")), box, label)


def _add(result, name, size, groups, boxes):
    if result.get("type") != _POINT:
        raise schema.Dropped(
            "result of another type", f"{result.get('type')!r},"
        )
    x, y, label = _numbers(result, "x", "y")
    person = str(result.get("parentID"))
    if person not in boxes and boxes:
        inside = [
            number
            for number, (left, top, width, height) in boxes.items()
            if 0 <= x * size[0] / 100 - left <= width
            and 0 <= y * size[1] / 100 - top <= height
        ]
        if len(inside) != 1:
            raise schema.Dropped("keypoint in no rectangle, or in several")
        person = inside[0]
    x = coordinates.unit_to_crop(x / 100, size[0])
    y = coordinates.unit_to_crop(y / 100, size[1])
    groups.add(name, person, label, (x, y, 2))
