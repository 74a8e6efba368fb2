"""Reads CVAT's XML, "CVAT for images 1.1" and "CVAT for video 1.1".

A `skeleton` is a person, its label the category, and its `points` the joints:
`outside` ones are unlabelled, `occluded` ones hidden. Without skeletons, a
`points` of one point is a joint, its label the joint's name, and those with the
same `group_id` are one person; a `points` of several points is a person whose
joints have no names.

For video, shapes are in a `track`, each with its `frame`. Frames between two
of them have the shape between (`tracks`); CVAT itself writes all of them. A
shape that is `outside` ends the track until the next.

CVAT counts pixels from the picture's edge, half a pixel more than
`coordinates`.
"""

from __future__ import annotations

import collections
import dataclasses
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames
from integral_tf.records.conversion import tracks

_KINDS = ("skeleton", "points")


@dataclasses.dataclass(frozen=True)
class _Shape:
    """A shape in a picture; its points by the joints' names or numbers."""

    picture: str
    kind: str
    label: str
    group: str | None
    points: dict[Any, tuple[float, float, int]]


def read(source, pictures):
    """Reads a file.

    Args:
        source: `pathlib.Path` of the XML.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: the file is no such XML.
    """
    root = _root(source)
    left_out = coco_annotations.LeftOut()
    tasks = _Tasks(root, source, pictures)
    found: dict[str, of.Picture] = {}
    shapes = []
    for image in root.iter("image"):
        picture = tasks.picture_of(image)
        found[picture.name] = picture
        shapes += _of_image(image, picture.name, left_out)
    for track in root.iter("track"):
        for picture, shape in _of_track(track, tasks, left_out):
            known = found.setdefault(picture.name, picture)
            if picture.frame.is_keyframe and not known.frame.is_keyframe:
                found[picture.name] = picture
            shapes.append(shape)
    is_skeletal = any(shape.kind == "skeleton" for shape in shapes)
    kept = []
    for shape in shapes:
        if is_skeletal == (shape.kind == "skeleton"):
            kept.append(shape)
        else:
            left_out.add(_other("points beside skeletons", shape.picture))
    made = _of_skeletons if is_skeletal else _of_points
    categories, people = made(kept, root, left_out)
    return of.Annotations(categories, tuple(found.values()), people, left_out)


def _other(kind, where):
    return schema.Dropped("shape of another type", f"{kind} in {where}")


class _Builder(ElementTree.TreeBuilder):
    """Refuses a document type: its entities may fill the memory."""

    def doctype(self, name, pubid, system):
        raise ElementTree.ParseError("a document type, which CVAT has not")


def _root(source):
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        root = ElementTree.fromstring(source.read_bytes(), parser)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(
            f"This is no XML ({error}). Received: source={str(source)!r}"
        ) from None
    is_empty = root.find("image") is None and root.find("track") is None
    if root.tag != "annotations" or is_empty:
        raise ValueError(
            "CVAT's XML has `annotations` with `image`s or `track`s. "
            f"Received: source={str(source)!r}"
        )
    return root


class _Tasks:
    """What the file says of its tasks, and the pictures of their frames."""

    def __init__(self, root, source, pictures):
        self._root, self._pictures = root, pictures
        self._tasks = {
            task.findtext("id"): task
            for kind in ("task", "job")
            for task in root.iter(kind)
        }
        self._first = next(iter(self._tasks.values()), root)
        self._default = root.findtext("meta/source") or source.stem
        names = map(self._video, [self._first, *self._tasks.values()])
        self._videos = frames.Videos(pictures, names)

    def _video(self, task):
        return task.findtext("source") or self._default

    def _of(self, element):
        return self._tasks.get(element.get("task_id"), self._first)

    def picture_of(self, image):
        """The picture of an `image`, which may be a video's frame."""
        name, split = image.get("name", ""), image.get("subset", "").lower()
        try:
            size = int(image.get("width")), int(image.get("height"))
        except (TypeError, ValueError):
            size = None
        number = re.fullmatch(r"frame_(\d+)", name)
        there = self._pictures.find(name)
        if there is None and number:
            frame = of.Frame(self._video(self._of(image)), int(number[1]))
            return self._videos.picture(frame, size=size, split=split)
        return of.Picture(there or name, size, split)

    def frame_of(self, track, number, is_keyframe):
        """The picture of a frame of a `track`."""
        task = self._of(track)
        sides = [
            task.findtext(f"original_size/{side}")
            for side in ("width", "height")
        ]
        size = None
        if all(side and side.isdigit() for side in sides):
            size = tuple(map(int, sides))
        also = [f"frame_{number:06d}"] if len(self._tasks) < 2 else []
        return self._videos.picture(
            of.Frame(self._video(task), number, is_keyframe),
            also,
            size=size,
            split=track.get("subset", "").lower(),
        )

    def step_of(self, track):
        """How many frames of the video a frame of the task is on."""
        text = self._of(track).findtext("frame_filter") or ""
        step = re.search(r"step\s*=\s*(\d+)", text)
        return max(int(step[1]), 1) if step else 1


def _of_image(image, name, left_out):
    """The shapes of an `image`."""
    if not len(image):
        left_out.add(schema.Dropped("picture without labels", name))
    for shape in image:
        if shape.tag not in _KINDS:
            left_out.add(_other(shape.tag, name))
            continue
        points = _points(shape, name, left_out)
        if points or shape.tag == "skeleton":
            label, group = shape.get("label"), shape.get("group_id")
            yield _Shape(name, shape.tag, label or of.PERSON, group, points)


def _of_track(track, tasks, left_out):
    """Pictures and shapes of a `track`."""
    label, group = track.get("label") or of.PERSON, track.get("group_id")
    where = f"track {track.get('id')}"
    by_kind = collections.defaultdict(list)
    for shape in track:
        number = shape.get("frame") or ""
        if shape.tag not in _KINDS or not number.isdecimal():
            left_out.add(_other(shape.tag, where))
            continue
        points = _points(shape, f"frame {number} of {where}", left_out)
        parts = [shape, *shape.iter("points")]
        keys = [part.get("keyframe") for part in parts]
        joints = [shape] if shape.tag == "points" else parts[1:]
        is_there = any(joint.get("outside") != "1" for joint in joints)
        is_there = is_there and shape.get("outside") != "1"
        made = tracks.Shape(
            int(number),
            points,
            # A skeleton's keyframes are those of its joints, too.
            is_keyframe="1" in keys or not any(keys),
            goes_on=is_there,
            is_there=is_there and bool(points),
        )
        by_kind[shape.tag].append(made)
    for kind, shapes in by_kind.items():
        for shape in tracks.filled(shapes, tasks.step_of(track)):
            picture = tasks.frame_of(track, shape.number, shape.is_keyframe)
            yield (
                picture,
                _Shape(picture.name, kind, label, group, shape.points),
            )


def _points(shape, where, left_out):
    """Dict from a joint to x, y and visibility; empty if there is none."""
    points = {}
    if shape.tag == "points":
        try:
            seen = 1 if shape.get("occluded") == "1" else 2
            return {
                number: (*pair, seen)
                for number, pair in enumerate(_pairs(shape), 1)
            }
        except ValueError:
            left_out.add(
                schema.Dropped(
                    "points that are no pairs of numbers", f"in {where}"
                )
            )
            return points
    for element in shape.iter("points"):
        try:
            ((x, y),) = _pairs(element)
        except ValueError:
            left_out.add(
                schema.Dropped(
                    "joint of a skeleton that is not one point",
                    f"{element.get('label')} in {where}",
                )
            )
            continue
        seen = 1 if element.get("occluded") == "1" else 2
        outside = element.get("outside") == "1"
        label = element.get("label") or str(len(points) + 1)
        points[label] = (x, y, 0 if outside else seen)
    return points


def _pairs(shape):
    """A shape's points in the image frame; ValueError if they are none."""
    pairs = np.array(
        [p.split(",") for p in shape.get("points", "").split(";")], float
    )
    if pairs.shape[1:] != (2,) or not np.isfinite(pairs).all():
        raise ValueError("no pairs of numbers")
    return coordinates.unit_to_crop(pairs, 1).tolist()


def _of_skeletons(shapes, root, left_out):
    """Categories and people of skeletons."""
    names = collections.defaultdict(dict)
    parents = collections.defaultdict(list)
    for label in root.iter("label"):
        if label.findtext("parent"):
            parents[label.findtext("parent")].append(label.findtext("name"))
    for shape in shapes:
        joints = [*parents[shape.label], *shape.points]
        names[shape.label] |= dict.fromkeys(joints)
    categories = tuple(
        of.Category(category, tuple(joints), _limbs(root, category, joints))
        for category, joints in names.items()
    )
    people = tuple(
        of.Person(
            shape.picture,
            shape.label,
            of.listed(shape.points, names[shape.label]),
        )
        for shape in shapes
    )
    return categories, people


def _limbs(root, category, joints):
    """Pairs of joints that the category's drawing connects by an edge."""
    numbers = {name: number for number, name in enumerate(joints, 1)}
    for label in root.iter("label"):
        drawing = label.findtext("svg")
        if label.findtext("name") != category or not drawing:
            continue
        try:
            drawn = ElementTree.fromstring(f"<svg>{drawing}</svg>")
        except ElementTree.ParseError:
            return ()
        nodes = {
            node.get("data-node-id"): node.get("data-label-name")
            for node in drawn
        }
        ends = [
            [numbers.get(nodes.get(line.get(f"data-node-{end}"))) for end in
             ("from", "to")]
            for line in drawn
            if line.get("data-type") == "edge"
        ]  # fmt: skip
        return tuple(tuple(pair) for pair in ends if None not in pair)
    return ()


def _of_points(shapes, root, left_out):
    """Categories and people of shapes with one point or several."""
    named = [
        label.findtext("name")
        for label in root.iter("label")
        if label.findtext("name")
    ]
    groups = of.Groups(left_out, named)
    several = collections.defaultdict(list)
    for shape in shapes:
        points = list(shape.points.values())
        if len(points) == 1:
            groups.add(shape.picture, shape.group, shape.label, points[0])
        else:
            several[shape.label].append((shape.picture, points))
    return of.with_unnamed(*groups.people(), several, left_out)
