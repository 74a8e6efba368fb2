"""Reads Label Studio's JSON export: a list of tasks.

A result of type `keypointlabels` is a joint, in percent of the picture's sides
from its edges. Its label is the joint's name. `parentID`, or a relation to it,
names the rectangle of its person; without one, the person is that of the only
rectangle that holds the point. In a picture without rectangles, all points are
one person. A rectangle's label is the category.

A vector is a person whose joints have no names, its label the category. In a
video it has a `sequence` of shapes, in frames counted from 1; frames between
two have the shape between (`tracks`). A shape that is not `enabled` is the last
until the next.

Nothing says whether a joint is hidden: all are seen.
"""

from __future__ import annotations

import collections
import re
from urllib import parse

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import json_file
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames
from integral_tf.records.conversion import tracks

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before an uploaded file's name
_POINT, _BOX, _RELATION = "keypointlabels", "rectanglelabels", "relation"
_VECTORS = ("vectorlabels", "vector")
_FILM_VECTORS = ("videovectorlabels", "videovector")


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
    tasks = json_file.read(source, "source")
    if not is_of(tasks):
        raise ValueError(
            "Label Studio's export (JSON) is a list of tasks with `data` and "
            f"`annotations`. Received: source={str(source)!r}"
        )
    reader = _Reader(tasks, pictures)
    for number, task in enumerate(tasks, 1):
        try:
            reader.add(task, f"task {task.get('id', number)}")
        except schema.Dropped as reason:
            reader.left_out.add(reason)
    return reader.annotations()


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


class _Reader:
    """Collects the people of tasks."""

    def __init__(self, tasks, pictures):
        self.left_out = coco_annotations.LeftOut()
        self._pictures = pictures
        self._groups = of.Groups(self.left_out)
        self._found = {}
        self._vectors = collections.defaultdict(list)
        films = [film for task in tasks for film in self._films_of(task)]
        self._films = frames.Videos(pictures, films)

    def _films_of(self, task):
        """Videos of a task, by the name under which they are there."""
        for film in _files(task, photographs.VIDEO_ENDINGS):
            plain = _plain(film)
            there = self._pictures.video
            is_plain = there(film) is None and there(plain) is not None
            yield plain if is_plain else film

    def annotations(self):
        categories, people = of.with_unnamed(
            *self._groups.people(), self._vectors, self.left_out
        )
        found = tuple(self._found.values())
        return of.Annotations(categories, found, people, self.left_out)

    def add(self, task, where):
        """Adds a task: a picture, a list of pictures, or a video."""
        names = _files(task, photographs.ENDINGS)
        films = list(self._films_of(task))
        if not names and not films:
            raise schema.Dropped("task without a picture", where)
        for number, name in enumerate(names):
            find, last = self._pictures.find, name.rsplit("/", 1)[-1]
            name = find(name) or find(_plain(name)) or last
            results = self._results(task, name)
            if len(names) > 1:
                # Results of a list of pictures have a place in it.
                results = [
                    row
                    for row in results
                    if row.get("item_index", 0) == number
                    or row.get("type") == _RELATION
                ]
            self._kept(self._picture, name, results)
        if films and not names:
            self._kept(self._film, films[0], self._results(task, films[0]))

    def _kept(self, add, name, results):
        try:
            add(name, results)
        except schema.Dropped as reason:
            self.left_out.add(reason)

    def _results(self, task, name):
        """The results of the first annotation that was not cancelled."""
        rows = [row for row in task["annotations"] if isinstance(row, dict)]
        rows = [row for row in rows if not row.get("was_cancelled")]
        results = rows[0].get("result") if rows else None
        if not isinstance(results, list) or not results:
            self.left_out.add(schema.Dropped("picture without labels", name))
            return []
        for _ in rows[1:]:
            self.left_out.add(
                schema.Dropped("second annotation of a picture", name)
            )
        return [row for row in results if isinstance(row, dict)]

    def _each(self, add, results, name, *more):
        """Adds results, or counts the reasons against."""
        for result in results:
            try:
                if result.get("image_rotation"):
                    raise schema.Dropped(
                        "label of a picture that the tool turned"
                    )
                add(result, name, *more)
            except schema.Dropped as reason:
                example = f"{reason.example} {result.get('id')} in {name}"
                self.left_out.add(schema.Dropped(str(reason), example.strip()))

    def _picture(self, name, results):
        if name in self._found:
            raise schema.Dropped("second task of a picture", name)
        size = _size(results) or self._pictures.size(name)
        if size is None and results:
            raise schema.Dropped(
                "labels in percent of a picture that is not there", name
            )
        self._found[name] = of.Picture(name, size)
        boxes, relations = {}, {}
        kinds = collections.defaultdict(list)
        for result in results:
            kinds[str(result.get("type"))].append(result)
        self._each(self._add_box, kinds.pop(_BOX, ()), name, size, boxes)
        for result in kinds.pop(_RELATION, ()):
            ends = str(result.get("from_id")), str(result.get("to_id"))
            for one, other in (ends, ends[::-1]):
                if other in boxes:
                    relations[one] = other
        for kind, rows in kinds.items():
            if kind == _POINT:
                self._each(
                    self._add_point, rows, name, size, (boxes, relations)
                )
            elif kind in _VECTORS:
                self._each(self._add_vector, rows, name, size)
            else:
                self._each(_refuse, rows, name)

    def _add_box(self, result, name, size, boxes):
        x, y, width, height = _numbers(result, "x", "y", "width", "height")
        if result["value"].get("rotation"):
            raise schema.Dropped("rectangle that is turned")
        sx, sy = size[0] / 100, size[1] / 100
        box = (x * sx, y * sy, width * sx, height * sy)
        boxes[str(result.get("id"))] = box
        self._groups.box(name, str(result.get("id")), box, _label(result))

    def _add_point(self, result, name, size, groups):
        boxes, relations = groups
        (x, y), label = _numbers(result, "x", "y"), _label(result)
        person = str(result.get("parentID"))
        person = relations.get(str(result.get("id")), person)
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
        self._groups.add(name, person, label, _point(x, y, size))

    def _add_vector(self, result, name, size):
        points = list(_vertices(result.get("value"), size).values())
        self._vectors[_label(result, of.PERSON)].append((name, points))

    def _film(self, film, results):
        path = self._pictures.video(film)
        size = _size(results) or (path and frames.size(path))
        if size is None and results:
            raise schema.Dropped(
                "labels in percent of a video that is not there", film
            )
        self._each(self._add_track, results, film, size)

    def _add_track(self, result, film, size):
        if result.get("type") not in _FILM_VECTORS:
            _refuse(result, film)
        label = _label(result, of.PERSON)
        value = result.get("value")
        rows = value.get("sequence") if isinstance(value, dict) else None
        if not isinstance(rows, list):
            raise schema.Dropped("vector without its sequence")
        shapes = []
        for row in rows:
            number = row.get("frame") if isinstance(row, dict) else None
            if not isinstance(number, int) or number < 1:
                raise schema.Dropped("shape of a video without its frame")
            goes_on = row.get("enabled") is not False
            points = _vertices(row, size)
            shapes.append(tracks.Shape(number - 1, points, goes_on=goes_on))
        shapes.sort(key=lambda shape: shape.number)
        joints = dict.fromkeys(j for shape in shapes for j in shape.points)
        for shape in tracks.filled(shapes):
            frame = of.Frame(film, shape.number, shape.is_keyframe)
            picture = self._films.picture(frame, size=size)
            known = self._found.setdefault(picture.name, picture)
            if shape.is_keyframe and not known.frame.is_keyframe:
                self._found[picture.name] = picture
            points = [shape.points[j] for j in joints if j in shape.points]
            self._vectors[label].append((picture.name, points))


def _files(task, endings):
    """Files of these endings: of paths or addresses, or of a list of them."""
    for value in task["data"].values():
        values = value if isinstance(value, list) else [value]
        found = [_path(each) for each in values if isinstance(each, str)]
        found = [
            p for p in found if f".{p.rpartition('.')[2]}".lower() in endings
        ]
        if found:
            return found
    return []


def _plain(name):
    """A file's name before Label Studio took it in."""
    return _UPLOADED.sub("", name.rsplit("/", 1)[-1])


def _path(value):
    """The path of a file that is given by a path or an address."""
    if "://" not in value and not value.startswith("/data/"):
        return value
    parts = parse.urlsplit(value)
    inside = parse.parse_qs(parts.query).get("d", [parts.path])[0]
    return parse.unquote(inside).lstrip("/")


def _size(results):
    for result in results:
        size = result.get("original_width"), result.get("original_height")
        if of.is_finite(*size) and min(size) > 0:
            return tuple(map(int, size))
    return None


def _refuse(result, name):
    raise schema.Dropped("result of another type", f"{result.get('type')!r},")


def _numbers(result, *names):
    value = result.get("value")
    value = value if isinstance(value, dict) else {}
    numbers = [value.get(name) for name in names]
    if not of.is_finite(*numbers):
        raise schema.Dropped(f"{result['type']} without their numbers")
    return numbers


def _label(result, default=None):
    """The label of a result; `default` if it may have none."""
    value = result.get("value")
    value = value if isinstance(value, dict) else {}
    labels = value.get(result["type"]) or value.get("labels")
    if isinstance(labels, list) and labels:
        return str(labels[0])
    if default is None:
        raise schema.Dropped(f"{result['type']} without a label")
    return default


def _vertices(value, size):
    """Dict from a vertex's id or place to x, y and visibility."""
    rows = value.get("vertices") if isinstance(value, dict) else None
    points = {}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        place = row.get("id") or place if isinstance(row, dict) else place
        x, y = (
            (row.get("x"), row.get("y")) if isinstance(row, dict) else ("", "")
        )
        if not of.is_finite(x, y):
            raise schema.Dropped("vertex without its numbers")
        points[place] = _point(x, y, size)
    if not points:
        raise schema.Dropped("vector without vertices")
    return points


def _point(x, y, size):
    """x, y and visibility of a point in percent of the picture's sides."""
    return (
        coordinates.unit_to_crop(x / 100, size[0]),
        coordinates.unit_to_crop(y / 100, size[1]),
        2,
    )
