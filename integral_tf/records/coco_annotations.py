"""Checks the rows of keypoint files; a bad row is left out and counted.

Fields that COCO has and a file lacks are filled in: the box around the labelled
keypoints, the box's area, and ids by the order of rows. A row with an invalid
number, or one that records cannot hold, is left out.
"""

import collections
import numbers

import numpy as np

from integral_tf import coordinates
from integral_tf.records import ids as ids_of
from integral_tf.records import json_rows
from integral_tf.records import schema

# ours: the margin of MPII's people without a box.
BODY_MARGIN = 1.25
BOXED = "box around its keypoints, as the file has none for it"
_LARGEST = float(np.finfo(np.float32).max)
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


def images(rows, say=print, fields=()):
    """Reads a file's images.

    Args:
        rows: The file's `images`.
        say: Function that gets a line about each guess or omission.
        fields: Names of further fields to keep.

    Returns:
        Dict from `ids.key(id)` to a dict of `id`, `file_name` and, where the
        file has them, `width` and `height`; with `fields`, also a dict `fields`
        of their texts, as far as the row has them.

    Raises:
        ValueError: two images have the same id.
    """
    found, unfit = {}, []
    for row in rows:
        number = ids_of.key(row.get("id")) if isinstance(row, dict) else None
        name = row.get("file_name") if isinstance(row, dict) else None
        if number is None or not isinstance(name, str) or not name:
            unfit.append(row)
            continue
        if number in found and found[number]["file_name"] != name:
            raise ValueError(
                "Two of the images have the same id. Received: "
                f"{found[number]['file_name']} and {name} with {row['id']!r}"
            )
        sides = [_side(row.get(field)) for field in ("width", "height")]
        found[number] = {"id": number, "file_name": name}
        if None not in sides:
            found[number] |= dict(zip(("width", "height"), sides))
        if fields:
            found[number]["fields"] = _texts(row, fields)
    if unfit:
        say(
            f"{len(unfit)} images left out: without an id that is a whole "
            "number or a text, or without a file_name, such as "
            f"{shown(unfit[0])}"
        )
    if any(isinstance(number, str) for number in found):
        first = next(iter(found))
        for place, image in enumerate(found.values(), 1):
            # A detector's file has the original id.
            image |= {"original_id": image["id"], "id": place}
        say(
            "the ids of the images are no whole numbers: the images are "
            f"numbered by their places, as 1 for {first!r}"
        )
    return found


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
            image = located.get(ids_of.key(row.get("image_id")))
            if image and (category in ids or category not in others):
                found.add(image["id"])
    return found


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
    kept, numbered, left_out, strange = json_rows.Rows(), [], LeftOut(), 0
    for place, row in enumerate(rows, 1):
        try:
            number = _number(row, place)
            name = f"annotation {number}"
            # In a file of one category, rows need no category_id.
            only = ids[0] if len(others) == 1 else None
            category = ids_of.key(row.get("category_id", only))
            if category not in ids:
                named = others.get(category, row.get("category_id"))
                raise schema.Dropped(
                    "annotation of another category", f"{name}, {named!r}"
                )
            image = located.get(ids_of.key(row.get("image_id")))
            if image is None:
                raise schema.Dropped(
                    "image not in the annotations",
                    f"image {shown(row.get('image_id'))} of {name}",
                )
            ours, odd = _annotation(row, joints, name)
        except schema.Dropped as reason:
            left_out.add(reason)
            continue
        strange += odd
        if fields:
            ours["fields"] = image["fields"] | _texts(row, fields)
        numbered.append(number)
        kept.append(
            {
                "id": number,
                "image_id": image["id"],
                "category_id": category,
                **ours,
            }
        )
    kept = _number_by_place(kept, numbered, say)
    if strange:
        say(
            f"{strange} annotations have visibilities other than 0, 1 and 2: "
            "what is above 0 is labelled"
        )
    return kept, left_out


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


def _number_by_place(kept, found, say):
    """The rows, numbered if some of the ids found are missing or equal."""
    if all(isinstance(n, int) for n in found) and len(set(found)) == len(found):
        return kept
    twice = [n for n, count in collections.Counter(found).items() if count > 1]
    why = f"two are {twice[0]!r}" if twice else f"one is {found[0]!r}"
    say(
        "the ids of the annotations are not different whole numbers, as "
        f"{why}: the annotations are numbered by their places, from 1"
    )
    return json_rows.Rows(
        {**row, "id": place} for place, row in enumerate(kept, 1)
    )


def _annotation(row, joints, name):
    """A row's other fields, and whether its visibilities are not COCO's."""
    points, is_odd = _keypoints(row.get("keypoints"), joints, name)
    labelled = points[:, 2] > 0
    box, mark = usable_box(row.get("bbox")), {}
    if box is None and labelled.any():
        box = coordinates.box_around(points[labelled, :2], BODY_MARGIN)
        mark = {MARK: 1}
    elif box is None:
        box = np.zeros(4)
    # ours: the box's area stands in for a missing area.
    area = _number_or_0(row.get("area"))
    flat = points.ravel()
    return {
        "iscrowd": int(_number_or_0(row.get("iscrowd")) > 0),
        "num_keypoints": int(labelled.sum()),
        "area": area if area > 0 and not mark else float(box[2] * box[3]),
        "bbox": box.tolist(),
        # Whole numbers are written without a decimal point.
        "keypoints": [int(v) if v == int(v) else v for v in flat.tolist()],
        **mark,
    }, is_odd


def _keypoints(values, joints, name):
    """`(K, 3)` x, y and 0, 1 or 2; and whether the file had other flags."""
    try:
        points = np.asarray(values or [0] * (3 * joints), np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        raise schema.Dropped("keypoints that are no numbers", name) from None
    if points.size != 3 * joints:
        raise schema.Dropped(
            f"keypoints other than {joints} times x, y and visibility",
            f"{name} with {points.size} numbers",
        )
    points = points.reshape(-1, 3)
    flags = points[:, 2]
    labelled = flags > 0
    if not np.isfinite(points[labelled, :2]).all():
        raise schema.Dropped("keypoints that are no numbers", name)
    if not (np.abs(points[labelled, :2]) < coordinates.LARGEST_BOX).all():
        raise schema.Dropped("keypoints beyond all images", name)
    is_odd = not np.isin(flags, (0, 1, 2)).all()
    points = np.where(np.isfinite(points), points, 0.0)
    points[:, 2] = np.where(labelled, np.where(flags == 1, 1, 2), 0)
    return points, is_odd


def usable_box(value):
    """`(4,)` x, y, width, height, or None if `value` is no box with an area."""
    try:
        box = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    if box.shape != (4,) or not (np.abs(box) < coordinates.LARGEST_BOX).all():
        return None
    return box if (box[2:] > 0).all() else None


def _number_or_0(value):
    return finite(value) or 0.0


def finite(value):
    """A value as a number that is finite in float32, or None if it is not."""
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if abs(value) <= _LARGEST else None


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
