"""Checks the rows of keypoint files; a bad row is left out and counted.

Fields that COCO has and a file lacks are filled in: the box around the labelled
keypoints, the box's area, and ids by the order of rows. A row with an invalid
number, or one that records cannot hold, is left out.
"""

import array
import collections
import numbers

import numpy as np

from integral_tf import coordinates
from integral_tf.records import coco_numbers
from integral_tf.records import ids as ids_of
from integral_tf.records import json_rows
from integral_tf.records import schema

# ours: the margin of MPII's people without a box.
BODY_MARGIN = 1.25
BOXED = "box around its keypoints, as the file has none for it"
MARK = "bbox_of_keypoints"  # key that marks a row with such a box
# The fields that are read, beside those that a user names.
OF_IMAGES = ("id", "file_name", "width", "height")
OF_ANNOTATIONS = (
    "id", "image_id", "category_id", "keypoints", "bbox", "area", "iscrowd",
)  # fmt: skip


class LeftOut:
    """Counts the rows left out, by reason, each with an example."""

    def __init__(self):
        self.rows = {}

    def add(self, dropped):
        count, example = self.rows.get(str(dropped), (0, dropped.example))
        self.rows[str(dropped)] = count + 1, example


class Images:
    """The images of a file.

    Args:
        rows: `json_rows.Rows` of dicts of `id`, `file_name` and, where the
            file has them, `width` and `height`; perhaps of `original_id` and of
            `fields`, a dict of texts.
        places: `ids.Places` of the file's own ids.
    """

    def __init__(self, rows, places):
        self.rows, self._places = rows, places

    def number(self, key):
        """The id of the image that has a key in the file; None without one."""
        place = self._places.get(key)
        if place is None:
            return None
        return place + 1 if self._places.has_texts else key

    def fields(self, key):
        """The image's dict `fields`."""
        return self.rows[self._places.get(key)]["fields"]


def images(rows, say=print, fields=()):
    """Reads a file's images.

    Args:
        rows: The file's `images`.
        say: Function that gets a line about each guess or omission.
        fields: Names of further fields to keep.

    Returns:
        `Images`.

    Raises:
        ValueError: two images have the same id.
    """
    kept, unfit = json_rows.Rows(), []

    def keys():
        for row in rows:
            found = _image(row, fields)
            if found is None:
                unfit.append(row)
            else:
                kept.append(found)
                yield found["id"]

    places = ids_of.Places(keys())
    if places.repeated:
        kept = json_rows.Rows(_different(rows, fields))
        places = ids_of.Places(image["id"] for image in kept)
    if unfit:
        say(
            f"{len(unfit)} images left out: without an id that is a whole "
            "number or a text, or without a file_name, such as "
            f"{shown(unfit[0])}"
        )
    if places.has_texts:
        say(
            "the ids of the images are no whole numbers: the images are "
            f"numbered by their places, as 1 for {kept[0]['id']!r}"
        )
        # A detector's file has the original id.
        kept = json_rows.Rows(
            image | {"original_id": image["id"], "id": place}
            for place, image in enumerate(kept, 1)
        )
    return Images(kept, places)


def _image(row, fields):
    """What is kept of an image, or None without an id or a name."""
    if not isinstance(row, dict):
        return None
    number, name = ids_of.key(row.get("id")), row.get("file_name")
    if number is None or not isinstance(name, str) or not name:
        return None
    found = {"id": number, "file_name": name}
    sides = [_side(row.get(field)) for field in ("width", "height")]
    if None not in sides:
        found |= dict(zip(("width", "height"), sides))
    if fields:
        found["fields"] = _texts(row, fields)
    return found


def _different(rows, fields):
    """The images, of which some have the same id and must have the same name.

    The first's place and the last's other fields count.
    """
    found = {}
    for row in rows:
        image = _image(row, fields)
        if image is None:
            continue
        before = found.get(image["id"], image)
        if before["file_name"] != image["file_name"]:
            raise ValueError(
                "Two of the images have the same id. Received: "
                f"{before['file_name']} and {image['file_name']} with "
                f"{row['id']!r}"
            )
        found[image["id"]] = image
    return found.values()


def occupied(rows, located, categories, others):
    """Ids of the images that have, or may have, someone of some categories.

    An annotation counts even if it is left out, and also if its category is
    not one of the file's.

    Args:
        rows: The file's `annotations`.
        located: What `images` returned.
        categories: What `coco_skeleton.chosen` returned.
        others: Dict from id to name of all categories of the file.

    Returns:
        Set of ids, as in `located`'s rows.
    """
    ids = {category["id"] for category in categories}
    found = set()
    for row in rows:
        if isinstance(row, dict):
            category = ids_of.key(row.get("category_id"))
            if category in ids or category not in others:
                found.add(located.number(ids_of.key(row.get("image_id"))))
    return found - {None}


def annotations(rows, located, categories, others, say=print, *, fields=()):
    """The annotations of some categories.

    Args:
        rows: The file's `annotations`.
        located: What `images` returned.
        categories: What `coco_skeleton.chosen` returned.
        others: Dict from id to name of all categories of the file.
        say: Function that gets a line about each guess.
        fields: Names of further fields to keep, the annotation's own or else
            its image's.

    Returns:
        `json_rows.Rows` of dicts with all of COCO's fields except outlines,
        with `fields` also a dict of these; and a `LeftOut`.
    """
    ids = [category["id"] for category in categories]
    joints = len(categories[0]["keypoints"])
    kept, left_out, strange = json_rows.Rows(), LeftOut(), 0
    numbered = array.array("q")
    for start in range(0, len(rows), json_rows.BLOCK):
        block = rows[start : start + json_rows.BLOCK]
        found = [
            _named(row, place, located, ids, others)
            for place, row in enumerate(block, start + 1)
        ]
        named = [i for i, each in enumerate(found) if isinstance(each, dict)]
        people, odd = _people(
            [block[i] for i in named], [found[i] for i in named], joints
        )
        strange += odd
        for i, person in zip(named, people):
            found[i] = person
        for row, person in zip(block, found):
            if isinstance(person, schema.Dropped):
                left_out.add(person)
                continue
            if fields:
                image = located.fields(ids_of.key(row.get("image_id")))
                person["fields"] = image | _texts(row, fields)
            if isinstance(person["id"], int):
                numbered.append(person["id"])
            kept.append(person)
    kept = _number_by_place(kept, numbered, say)
    if strange:
        say(
            f"{strange} annotations have visibilities other than 0, 1 and 2: "
            "what is above 0 is labelled"
        )
    return kept, left_out


def _named(row, place, located, ids, others):
    """A row's own id, its image's and its category's; or why it is left out."""
    try:
        number = _number(row, place)
    except schema.Dropped as reason:
        return reason
    name = f"annotation {number}"
    # In a file of one category, rows need no category_id.
    only = ids[0] if len(others) == 1 else None
    category = ids_of.key(row.get("category_id", only))
    if category not in ids:
        named = others.get(category, row.get("category_id"))
        return schema.Dropped(
            "annotation of another category", f"{name}, {named!r}"
        )
    image = located.number(ids_of.key(row.get("image_id")))
    if image is None:
        return schema.Dropped(
            "image not in the annotations",
            f"image {shown(row.get('image_id'))} of {name}",
        )
    return {"id": number, "image_id": image, "category_id": category}


def _texts(row, fields):
    """Dict from a field's name to its text, where it is a text or a number."""
    return {
        name: str(row[name])
        for name in fields
        if isinstance(row.get(name), (str, int, float)) and row[name] != ""
    }


def _number(row, place):
    """A row's id, or its position if it has none."""
    if not isinstance(row, dict):
        raise schema.Dropped(
            "annotation that is no object", f"the {place}., {shown(row)}"
        )
    if row.get("id") is None:
        return f"at place {place}"
    number = ids_of.key(row["id"])
    if number is None:
        raise schema.Dropped(
            "annotation with an id that is no whole number",
            f"the {place}., {shown(row['id'])}",
        )
    return number


def _number_by_place(kept, numbered, say):
    """The rows, numbered if some of their own numbers are missing or equal."""
    if len(np.unique(numbered)) == len(kept):
        return kept
    found = [row["id"] for row in kept]
    twice = [n for n, count in collections.Counter(found).items() if count > 1]
    why = f"two are {twice[0]!r}" if twice else f"one is {found[0]!r}"
    say(
        "the ids of the annotations are not different whole numbers, as "
        f"{why}: the annotations are numbered by their places, from 1"
    )
    return json_rows.Rows(
        {**row, "id": place} for place, row in enumerate(kept, 1)
    )


def _people(rows, named, joints):
    """Rows with their numbers.

    Args:
        rows: N rows of `annotations`.
        named: N dicts of their ids.
        joints: The number K of joints.

    Returns:
        For each row a dict, or the `schema.Dropped` that says why it is left
        out; and how many have other visibilities than COCO's.
    """
    points, is_odd, reasons = coco_numbers.keypoints(
        [row.get("keypoints") for row in rows], joints
    )
    boxes = coco_numbers.usable_boxes([row.get("bbox") for row in rows])
    labelled = points[..., 2] > 0
    marks = [{} for _ in rows]
    has_none = (boxes[:, 2] == 0) & labelled.any(axis=1)
    has_none[list(reasons)] = False
    for i in np.flatnonzero(has_none):
        around = points[i, labelled[i], :2]
        boxes[i] = coordinates.box_around(around, BODY_MARGIN)
        marks[i] = {MARK: 1}
    columns = (
        labelled.sum(axis=1).tolist(), boxes.tolist(),
        coco_numbers.plain(points), marks,
    )  # fmt: skip
    found = []
    for row, ids, count, box, flat, mark in zip(rows, named, *columns):
        area = _number_or_0(row.get("area"))
        found.append(
            {
                **ids,
                "iscrowd": int(_number_or_0(row.get("iscrowd")) > 0),
                "num_keypoints": count,
                # ours: the box's area stands in for a missing area.
                "area": area if area > 0 and not mark else box[2] * box[3],
                "bbox": box,
                "keypoints": flat,
                **mark,
            }
        )
    for i, (reason, addition) in reasons.items():
        name = f"annotation {named[i]['id']}{addition}"
        found[i] = schema.Dropped(reason, name)
    return found, int(is_odd.sum())


def _number_or_0(value):
    return coco_numbers.finite(value) or 0.0


def _side(value):
    value = ids_of.key(value)
    is_valid = isinstance(value, numbers.Integral) and value > 0
    return value if is_valid else None


def shown(value):
    """A value for a message, shortened."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # digits beyond Python's limit
        text = f"a {type(value).__name__}"
    return text if len(text) < 80 else f"{text[:77]}..."
