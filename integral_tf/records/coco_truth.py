"""Reads the parts of a keypoint file in COCO's form that the package needs.

The form is https://cocodataset.org/#format-data, "Keypoint Detection".
"""

import collections
import pathlib
import re

from integral_tf import skeletons
from integral_tf.records import coco_annotations
from integral_tf.records import coco_skeleton
from integral_tf.records import ids as ids_of
from integral_tf.records import json_rows
from integral_tf.records import shards

_COCO_CATEGORY = {
    "name": "person",
    "keypoints": list(skeletons.COCO.joints),
    "skeleton": [list(limb) for limb in skeletons.COCO.limbs],
}
_OTHERS = re.compile(r"kpts|.keypoint|keypoints.")


def read(
    path,
    category=None,
    *,
    keypoints=None,
    say=print,
    fields=(),
    with_empty=False,
):
    """Reads a keypoint file.

    Args:
        path: Path of the file, such as `person_keypoints_val2017.json`.
        category: Name of a category, or several with one skeleton: a list of
            names or ids, names separated by commas, or "all". None: person if
            the file has it, else all with the joints of the first category
            that has any.
        keypoints: Names of the joints, for a file without names.
        say: Function that gets a line about each guess.
        fields: Names of further fields of annotations or images to keep.
        with_empty: Also list the images without anybody.

    Returns:
        Dict in COCO's form: `info`; the chosen `categories`; their
        `annotations`, crowds included, without outlines, and all `images`,
        both as `json_rows.Rows`; and `left_out`, a dict from a reason to the
        count and an example of annotations that were left out. With
        `with_empty`, `empty`, the ids of images that have no annotation of
        these categories. A test set, such as `image_info_test-dev2017.json`,
        gives no `annotations`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not in COCO's form, or has no such category.
    """
    unread: set[str] = set()
    picks = _picks(unread, fields)
    content = json_rows.read(path, "annotations", picks, outlines=False)
    content = content if isinstance(content, dict) else {}
    is_test = "annotations" not in content
    names = ("images", "categories") + ("annotations",) * (not is_test)
    _check_lists(content, names, path)
    rows = _categories(content["categories"], is_test)
    try:
        chosen = coco_skeleton.chosen(
            rows,
            category,
            _Counts(content.get("annotations", ()), rows),
            keypoints,
            say,
        )
        images = coco_annotations.images(content["images"], say, fields)
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from None
    truth = {
        "info": {"description": pathlib.Path(path).name},
        "images": images.rows,
        "categories": chosen,
    }
    if is_test:
        return truth
    if unread:
        say(
            "only `keypoints` are read: not the annotations' "
            f"{', '.join(sorted(unread))}"
        )
    parts = (
        content["annotations"],
        images,
        chosen,
        {row["id"]: row.get("name") for row in rows},
    )
    annotations, left_out = coco_annotations.annotations(
        *parts, say, fields=fields
    )
    truth |= {"annotations": annotations, "left_out": left_out.rows}
    if with_empty:
        occupied = coco_annotations.occupied(*parts)
        truth["empty"] = [
            image["id"] for image in images.rows if image["id"] not in occupied
        ]
    return truth


def _check_lists(content, names, path):
    """Requires that a file has the lists of COCO's form."""
    wrong = [
        f"{name} that is a {type(content[name]).__name__}"
        if name in content
        else f"no {name}"
        for name in names
        if not isinstance(content.get(name), (list, json_rows.Rows))
    ]
    if wrong:
        raise ValueError(
            "A COCO keypoint file is a JSON of the lists images, annotations "
            f"and categories. Received: annotations={str(path)!r}, with "
            f"{' and '.join(wrong)}"
        )


def _picks(unread, fields):
    """Functions that keep the fields of images and annotations that are read.

    Adds to `unread` the names of further keypoints, which are not read:
    COCO-WholeBody has faces, hands and feet there.
    """

    def image(row):
        return _kept(row, (*coco_annotations.OF_IMAGES, *fields))

    lists = set()  # names of fields that were lists

    def annotation(row):
        if isinstance(row, dict):
            for field in row.keys() - lists:
                if isinstance(row[field], list):
                    lists.add(field)
                    if _OTHERS.search(field):
                        unread.add(field)
        return _kept(row, (*coco_annotations.OF_ANNOTATIONS, *fields))

    return {"images": image, "annotations": annotation}


def _kept(row, names):
    """Some fields of a row; what is no object stays."""
    if not isinstance(row, dict):
        return row
    return {name: row[name] for name in names if name in row}


def _categories(rows, is_test):
    """The categories that have an id."""
    rows = [_with_id(row) for row in rows]
    rows = [row for row in rows if row]
    if is_test and not any(row.get("keypoints") for row in rows):
        # Categories of COCO's own test sets have no keypoints.
        rows = [
            {**row, **_COCO_CATEGORY}
            for row in rows
            if row.get("name") == _COCO_CATEGORY["name"]
        ]
    return rows


class _Counts:
    """Function from a category's id to its annotations' number of joints."""

    def __init__(self, annotations, categories):
        self._rows, self._counts = annotations, None
        self._only = categories[0]["id"] if len(categories) == 1 else None

    def __call__(self, category):
        if self._counts is None:
            # Counted when first called: COCO's own files need no count.
            self._counts = collections.defaultdict(collections.Counter)
            for row in self._rows:
                points = row.get("keypoints") if isinstance(row, dict) else None
                if isinstance(points, list) and points:
                    number = row.get("category_id", self._only)
                    number = ids_of.key(number)
                    nested = isinstance(points[0], list)
                    length = len(points) if nested else len(points) // 3
                    self._counts[number][length] += 1
        ((length, _),) = self._counts[category].most_common(1) or [(0, 0)]
        return length


def _with_id(row):
    """A category with its id as a number, or None if it has no id."""
    number = ids_of.key(row.get("id")) if isinstance(row, dict) else None
    return {**row, "id": number} if isinstance(number, int) else None


def parted(truth, val_share):
    """Splits a ground truth in two by a hash of the images' file names.

    Args:
        truth: What `read` returned.
        val_share: Share of the images in the second part. People of an image
            stay together.

    Returns:
        Two ground truths.
    """
    return [_part(truth, val_share, split) for split in ("train", "val")]


def _part(truth, val_share, split):
    """The images of a split, and their annotations."""
    images = json_rows.Rows(
        image
        for image in truth["images"]
        if shards.split_of(image["file_name"], val_share) == split
    )
    inside = ids_of.Places(image["id"] for image in images)
    part = {
        **truth,
        "images": images,
        "annotations": json_rows.Rows(
            row for row in truth["annotations"] if row["image_id"] in inside
        ),
        "left_out": {} if split == "val" else truth["left_out"],
    }
    if "empty" in truth:
        part["empty"] = [each for each in truth["empty"] if each in inside]
    return part
