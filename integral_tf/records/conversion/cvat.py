"""Reads CVAT's XML, "CVAT for images 1.1".

A `skeleton` is a person, its label the category, and its `points` the joints:
`outside` ones are unlabelled, `occluded` ones hidden. Without skeletons, a
`points` of one point is a joint, its label the joint's name, and those with the
same `group_id` are one person; a `points` of several points is a person whose
joints have no names.

CVAT counts pixels from the picture's edge, half a pixel more than
`coordinates`.
"""

import collections
from xml.etree import ElementTree

import numpy as np

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of


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
    found, shapes = [], []
    for image in root.iter("image"):
        name = image.get("name", "")
        name = pictures.find(name) or name
        try:
            size = int(image.get("width")), int(image.get("height"))
        except (TypeError, ValueError):
            size = None
        found.append(of.Picture(name, size, image.get("subset", "").lower()))
        shapes += [(name, shape) for shape in image]
        if not len(image):
            left_out.add(schema.Dropped("picture without labels", name))
    is_skeletal = any(shape.tag == "skeleton" for _, shape in shapes)
    wanted = "skeleton" if is_skeletal else "points"
    kept = []
    for name, shape in shapes:
        if shape.tag == wanted:
            kept.append((name, shape))
            continue
        left_out.add(
            schema.Dropped("shape of another type", f"{shape.tag} in {name}")
        )
    made = _of_skeletons if is_skeletal else _of_points
    categories, people = made(kept, root, left_out)
    return of.Annotations(categories, tuple(found), people, left_out)


def _root(source):
    try:
        text = source.read_bytes()
        # A document type may define entities that fill the memory.
        root = None if b"<!DOCTYPE" in text else ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(
            f"This is no XML ({error}). Received: source={str(source)!r}"
        ) from None
    if root is None or root.tag != "annotations" or root.find("image") is None:
        what = ", but `track`s: export it as CVAT for images 1.1"
        tracks = root is not None and root.find("track") is not None
        raise ValueError(
            "CVAT's XML for images has `annotations` with `image`s. "
            f"Received: source={str(source)!r}{what if tracks else ''}"
        )
    return root


def _of_skeletons(shapes, root, left_out):
    """Categories and people of skeletons."""
    rows, names = [], collections.defaultdict(dict)
    parents = collections.defaultdict(list)
    for label in root.iter("label"):
        if label.findtext("parent"):
            parents[label.findtext("parent")].append(label.findtext("name"))
    for name, shape in shapes:
        points = {}
        for element in shape.iter("points"):
            try:
                ((x, y),) = _points(element)
            except (schema.Dropped, ValueError):
                left_out.add(
                    schema.Dropped(
                        "joint of a skeleton that is not one point",
                        f"{element.get('label')} in {name}",
                    )
                )
                continue
            seen = 1 if element.get("occluded") == "1" else 2
            outside = element.get("outside") == "1"
            label = element.get("label") or str(len(points) + 1)
            points[label] = (x, y, 0 if outside else seen)
        category = shape.get("label") or of.PERSON
        names[category] |= dict.fromkeys([*parents[category], *points])
        rows.append((name, category, points))
    categories = tuple(
        of.Category(category, tuple(joints), _limbs(root, category, joints))
        for category, joints in names.items()
    )
    people = tuple(
        of.Person(name, category, of.listed(points, names[category]))
        for name, category, points in rows
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
    groups, several = of.Groups(left_out, named), []
    for name, shape in shapes:
        try:
            points = _points(shape)
        except schema.Dropped as reason:
            left_out.add(schema.Dropped(str(reason), f"in {name}"))
            continue
        label = shape.get("label") or of.PERSON
        seen = 1 if shape.get("occluded") == "1" else 2
        if len(points) == 1:
            groups.add(name, shape.get("group_id"), label, (*points[0], seen))
        else:
            several.append((name, label, [(*point, seen) for point in points]))
    categories, people = groups.people()
    for label in dict.fromkeys(label for _, label, _ in several):
        rows = [row for row in several if row[1] == label]
        counts = collections.Counter(len(points) for _, _, points in rows)
        ((most, _),) = counts.most_common(1)
        for name, _, points in rows:
            if len(points) != most:
                left_out.add(
                    schema.Dropped(
                        f"points other than the {most} of their label",
                        f"{len(points)} of {label} in {name}",
                    )
                )
                continue
            people += (of.Person(name, label, np.array(points, float)),)
        categories += (of.Category(label, ()),)
    return categories, people


def _points(shape):
    """A shape's points, as pairs in the image frame."""
    try:
        pairs = np.array(
            [p.split(",") for p in shape.get("points", "").split(";")], float
        ).reshape(-1, 2)
    except ValueError:
        pairs = np.array([[np.nan, np.nan]])
    if not np.isfinite(pairs).all():
        raise schema.Dropped("points that are no pairs of numbers")
    return coordinates.unit_to_crop(pairs, 1).tolist()
