"""Lists the people of keypoint files in COCO's form.

The form (https://cocodataset.org/#format-data, "Keypoint Detection") is a JSON
of `images`, `annotations` and `categories`; detections are in its result form
(https://cocodataset.org/#format-results).

Keypoints count pixels from 0 and a box is left and top edge, width and height:
`coordinates`' own convention, so both stay as stored.
"""

import dataclasses
import math
import pathlib

import numpy as np

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import coco_numbers
from integral_tf.records import coco_skeleton
from integral_tf.records import coco_truth
from integral_tf.records import ids as ids_of
from integral_tf.records import json_rows
from integral_tf.records import listed
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records import shards


@dataclasses.dataclass(frozen=True)
class Annotation:
    """One box in one image, of an annotated person or of a detector.

    Attributes:
        source_id: Name of the person, unique over both splits.
        joints: `(K, 2)` x, y in the image frame.
        visible: `(K,)` 0 unlabelled, 1 hidden, 2 seen.
        path: The image's file.
        size: Its width and height, or None where the JSON has none.
        image_id: The image's number.
        box: `(4,)` x, y, width, height in the image frame.
        area: For OKS, in square image pixels; 0 for a detection.
        score: The detector's score; 1 for an annotation.
        category: Number of the category.
        notes: Texts on guesses, for `schema.Person`.
        fields: Texts by name, to be carried along.
        negative: Whether this is no person, but a picture without anybody.
        problem: Reason to leave the person out, if the JSON shows one.
        example: The row or file with the problem, for `schema.Dropped`.
    """

    source_id: str
    joints: np.ndarray
    visible: np.ndarray
    path: str = ""
    size: tuple[int, int] | None = None
    image_id: int = 0
    box: np.ndarray | None = None
    area: float = 0.0
    score: float = 1.0
    category: int = 1
    notes: tuple[str, ...] = ()
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    negative: bool = False
    problem: str = ""
    example: str = ""


read, parted = coco_truth.read, coco_truth.parted
NoSuchCategory = coco_skeleton.NoSuchCategory


def people(truth, images, split):
    """Lists the annotated people of one split.

    Args:
        truth: What `read` returned.
        images: Folder of the images.
        split: "train" or "val"; their names begin with it (`split_of`).

    Returns:
        `listed.Listed` of `(source_id, Annotation)`.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: `truth` is that of a test set, without annotations.
    """
    if "annotations" not in truth:
        raise ValueError(
            "A test set has no annotated people: give a detector's boxes. "
            f"Received: {len(truth['images'])} images without annotations"
        )
    located, rows = _Located(truth, images), truth["annotations"]

    def name(place):
        return f"{split}/{rows[place]['id']}"

    def make(place):
        annotation = _annotated(rows[place], located, split)
        return annotation.source_id, annotation

    return listed.joined(
        [_left_out(truth, split), listed.Listed(len(rows), make, name)]
    )


def _annotated(row, located, split):
    """The person of a row of `annotations`."""
    keypoints = np.array(row["keypoints"], np.float64).reshape(-1, 3)
    path, size, problem = located.file(row["image_id"])
    if row["iscrowd"]:
        problem = "a crowd, not one person"
    elif not row["num_keypoints"]:
        problem = "no labelled keypoint"
    return Annotation(
        path=path,
        size=size,
        image_id=row["image_id"],
        source_id=f"{split}/{row['id']}",
        joints=keypoints[:, :2],
        visible=keypoints[:, 2].astype(np.int64),
        box=np.array(row["bbox"], np.float64),
        area=row["area"],
        category=row["category_id"],
        notes=(coco_annotations.BOXED,) * (coco_annotations.MARK in row),
        fields=row.get("fields", {}),
        problem=problem,
        example=path if problem == photographs.OUTSIDE else "",
    )


def negatives(truth, images, split, wanted):
    """Lists pictures without anybody, each as a person without a label.

    Args:
        truth: What `read` returned with `with_empty`.
        images: Folder of the images.
        split: "train" or "val", as for `people`.
        wanted: How many: below 1 a share of these pictures, from 1 a number.
            Hashes of the file names choose.

    Returns:
        List of `(source_id, Annotation)`.
    """
    located = _Located(truth, images)

    def by_name(number):
        return shards.number_of(located.row(number)["file_name"])

    empty = sorted(truth["empty"], key=by_name)
    count = math.ceil(wanted * len(empty)) if wanted < 1 else int(wanted)
    joints = len(truth["categories"][0]["keypoints"])
    found = []
    for number in empty[:count]:
        path, size, problem = located.file(number)
        annotation = Annotation(
            source_id=f"{split}/negative{number}",
            joints=np.zeros((joints, 2)),
            visible=np.zeros(joints, np.int64),
            path=path,
            size=size,
            image_id=number,
            category=0,
            fields=located.row(number).get("fields", {}),
            negative=True,
            problem=problem,
            example=path if problem == photographs.OUTSIDE else "",
        )
        found.append((annotation.source_id, annotation))
    return found


def detections(truth, images, boxes, split, min_score=0.0):
    """Lists the people whom a detector found in the images of one split.

    All their joints are unlabelled.

    Args:
        truth: What `read` returned; lists the images.
        images: Folder of the images.
        boxes: JSON of the detector, a list of `{image_id, category_id, bbox:
            [x, y, width, height], score}`; other categories are ignored.
        split: "train" or "val", as for `people`.
        min_score: Boxes with a lower score are dropped, and counted.

    Returns:
        `listed.Listed` of `(source_id, Annotation)`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: `boxes` has another form, or no box of these images.
    """
    located = _Located(truth, images)
    categories = {row["id"]: row["name"] for row in truth["categories"]}
    joints = len(truth["categories"][0]["keypoints"])
    rows = json_rows.read(boxes, "boxes", {None: lambda row: row})
    if not isinstance(rows, json_rows.Rows):
        raise ValueError(
            "Boxes are a JSON list of {image_id, category_id, bbox: [x, y, "
            f"width, height], score}}. Received: boxes={str(boxes)!r}"
        )

    def found(place):
        row = rows[place]
        try:
            image = _box_image(row, located, categories)
            box = _detection(row, *located.file(image), min_score)
            return {"image_id": image, **box}
        except schema.Dropped as reason:
            return {"problem": str(reason), "example": reason.example}

    def name(place):
        return f"{split}/box{place}"

    def make(place):
        annotation = Annotation(
            source_id=name(place),
            joints=np.zeros((joints, 2)),
            visible=np.zeros(joints, np.int64),
            **found(place),
        )
        return annotation.source_id, annotation

    if not any("path" in found(place) for place in range(len(rows))):
        why = found(0) if rows else {}
        names = ", ".join(f"{n} ({name})" for n, name in categories.items())
        raise ValueError(
            f"No box is of category {names} in one of the images"
            f"{': {problem} ({example})'.format(**why) if why else ''}. "
            f"Received: boxes={str(boxes)!r}"
        )
    return listed.Listed(len(rows), make, name)


def _box_image(row, located, categories):
    """The number of the image of a detector's box of these categories."""
    name = coco_annotations.shown(row)
    if not isinstance(row, dict):
        raise schema.Dropped("box that is no object", name)
    if ids_of.key(row.get("category_id")) not in categories:
        raise schema.Dropped("box of another category", name)
    image = located.number(ids_of.key(row.get("image_id")))
    if image is None:
        raise schema.Dropped("image not in the annotations", name)
    return image


def _detection(row, path, size, problem, min_score):
    """A detector's box in an image, as fields of an `Annotation`."""
    name = coco_annotations.shown(row)
    score = coco_numbers.finite(row.get("score"))
    if score is None:
        raise schema.Dropped("box without a score that is a number", name)
    # ours: a pose's score is a product with this one.
    if not 0 <= score <= 1:
        raise schema.Dropped("box whose score is not from 0 to 1", name)
    box = coco_numbers.usable_box(row.get("bbox"))
    if box is None:
        raise schema.Dropped("box without area, or beyond all images", name)
    if not score >= min_score:
        problem = f"box scored below {min_score:g}"
    return {
        "path": path,
        "size": size,
        "box": box,
        "score": score,
        "category": ids_of.key(row["category_id"]),
        "problem": problem,
        "example": path if problem == photographs.OUTSIDE else "",
    }


def split_of(source_id):
    """The split that a person was listed for; `shards.write`'s `split`."""
    return source_id.partition("/")[0]


def person(annotation):
    """Reads one person's image and completes the annotation.

    The box is clipped to the image, as Simple Baselines does
    (https://arxiv.org/abs/1804.06208).

    Raises:
        schema.Dropped: the annotation has a `problem`; the image is missing,
            unreadable or of another size; the box is outside the image; or
            all labelled keypoints are.
    """
    if annotation.problem:
        raise schema.Dropped(annotation.problem, annotation.example)
    image, notes = photographs.read_labelled(annotation.path, annotation.size)
    height, width = image.shape[:2]
    box = annotation.box
    if annotation.negative:
        box = _square(annotation.image_id, width, height)
    low = np.maximum(box[:2], 0)
    high = np.minimum(box[:2] + box[2:], (width, height))
    if not (high > low).all():
        raise schema.Dropped(
            "box without area inside the image",
            f"{annotation.source_id}, {box.tolist()}",
        )
    joints, labelled = annotation.joints, annotation.visible > 0
    size = np.array([width, height])
    inside = coordinates.inside(joints, size).all(axis=1)
    if labelled.any() and not (labelled & inside).any():
        raise schema.Dropped(
            "no labelled keypoint inside the image", annotation.source_id
        )
    return schema.Person(
        image=image,
        image_id=annotation.image_id,
        source_id=annotation.source_id,
        joints=np.where((labelled & inside)[:, None], joints, 0.0),
        visible=np.where(inside, annotation.visible, 0),
        box=np.concatenate([low, high - low]),
        area=annotation.area,
        score=annotation.score,
        outside=int((labelled & ~inside).sum()),
        category=annotation.category,
        fields=annotation.fields,
        negative=annotation.negative,
        notes=(*annotation.notes, *notes),
    )


def _square(number, width, height):
    """A box for a picture without anybody, a function of its number.

    ours: a square of a third of the shorter side up to all of it, anywhere
    inside.
    """
    rng = np.random.default_rng([abs(number), int(number < 0)])
    side = rng.uniform(1 / 3, 1) * min(width, height)
    corner = rng.uniform(0, [width - side, height - side])
    return np.array([*corner, side, side])


def _left_out(truth, split):
    """The rows that `read` left out, as people with a problem."""
    parts = []
    for reason, (count, example) in truth.get("left_out", {}).items():
        annotation = Annotation(
            source_id=f"{split}/left out, {reason}",
            joints=np.zeros((0, 2)),
            visible=np.zeros(0, np.int64),
            problem=reason,
            example=example,
        )

        def make(place, annotation=annotation):
            return f"{annotation.source_id}, {place}", annotation

        parts.append(listed.Listed(count, make))
    return listed.joined(parts)


class _Located:
    """The images of a ground truth as files of a folder."""

    def __init__(self, truth, folder):
        self._folder, self._rows = pathlib.Path(folder), truth["images"]
        if not self._folder.is_dir():
            raise FileNotFoundError(
                "The images are files in a folder, as their archive unpacks. "
                f"Received: images={str(folder)!r}"
            )
        self._places = ids_of.Places(row["id"] for row in self._rows)
        # A detector's file has the images' original ids.
        self._originals = ids_of.Places(
            row.get("original_id", row["id"]) for row in self._rows
        )

    def row(self, number):
        """The row of `images` with an id."""
        return self._rows[self._places.get(number)]

    def number(self, original):
        """The id of an image by that in the file; None for another image."""
        place = self._originals.get(original)
        return None if place is None else self._rows[place]["id"]

    def file(self, number):
        """An image's path, size (None if unknown) and problem."""
        image = self.row(number)
        size = (image.get("width"), image.get("height"))
        path = str(self._folder / image["file_name"])
        is_inside = photographs.is_within(path, self._folder)
        return (
            path,
            None if None in size else size,
            "" if is_inside else photographs.OUTSIDE,
        )
