"""COCO's keypoint files, and any dataset in their form, -> people.

The form (https://cocodataset.org/#format-data, "Keypoint Detection") is a JSON
of `images`, `annotations` and `categories`; detections are in its result form
(https://cocodataset.org/#format-results).

Keypoints count pixels from 0 and a box is left and top edge, width and height:
`coordinates`' own convention, so both stay as stored.
"""

import dataclasses
import json
import pathlib

import numpy as np

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.records import photographs
from integral_tf.records import schema

_COCO_CATEGORY = {
    "name": "person",
    "keypoints": list(skeletons.COCO.joints),
    "skeleton": skeletons.COCO.limbs,
}


@dataclasses.dataclass(frozen=True)
class Annotation:
    """One box in one image, of an annotated person or of a detector.

    Attributes:
        path: The image's file.
        size: Its width and height, or None where the JSON has none.
        image_id: Its number.
        source_id: Name of the person, unique over both splits.
        joints: `(K, 2)` x, y in the image frame.
        visible: `(K,)` 0 unlabelled, 1 hidden, 2 seen.
        box: `(4,)` x, y, width, height in the image frame.
        area: For OKS, in square image pixels; 0 of a detection.
        score: The detector's; 1 of an annotation.
        problem: Why this is no person to keep, where the JSON tells.
    """

    path: str
    size: tuple[int, int] | None
    image_id: int
    source_id: str
    joints: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    area: float = 0.0
    score: float = 1.0
    problem: str = ""


def read(path, category=None):
    """Reads what records and evaluation need of a keypoint file.

    Args:
        path: Its path, such as `person_keypoints_val2017.json`.
        category: Name of the category whose keypoints are wanted; None for
            the first that has any.

    Returns:
        Dict in COCO's form: `categories`, with this one alone; its
        `annotations`, crowds among them, without outlines; all `images`. The
        truth of a test set, such as `image_info_test-dev2017.json`, is kept
        secret: there are no `annotations` then.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not in COCO's form, or has no such category.
    """
    whole = _read_json(path, "annotations")
    whole = whole if isinstance(whole, dict) else {}
    is_test = "annotations" not in whole
    names = ("images", "categories") + ("annotations",) * (not is_test)
    if not all(isinstance(whole.get(name), list) for name in names):
        raise ValueError(
            "A COCO keypoint file is a JSON of the lists images, annotations "
            f"and categories. Received: annotations={str(path)!r}"
        )
    with_joints = {
        found.get("name"): found
        for found in whole["categories"]
        if found.get("keypoints")
    }
    if is_test and not with_joints:
        # COCO's own test sets do not say what keypoints are wanted.
        with_joints = {
            found.get("name"): {**found, **_COCO_CATEGORY}
            for found in whole["categories"]
            if found.get("name") == _COCO_CATEGORY["name"]
        }
    category = category or next(iter(with_joints), None)
    if category not in with_joints:
        raise ValueError(
            f"{path} has keypoints for "
            f"{', '.join(map(str, with_joints)) or 'no category'}. "
            f"Received: category={category!r}"
        )
    chosen = with_joints[category]
    try:
        images = [_image(row) for row in whole["images"]]
        annotations = [
            _annotation(row, len(chosen["keypoints"]))
            for row in whole.get("annotations", ())
            if row["category_id"] == chosen["id"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} has an image or annotation that is not in COCO's form: "
            f"{error!r}"
        ) from None
    for name, rows in (("images", images), ("annotations", annotations)):
        if len({row["id"] for row in rows}) < len(rows):
            raise ValueError(
                f"Two of the {name} have the same id. "
                f"Received: annotations={str(path)!r}"
            )
    truth = {"images": images, "categories": [chosen]}
    return truth if is_test else {**truth, "annotations": annotations}


def people(truth, images, split):
    """Lists the annotated people of one split.

    Args:
        truth: What `read` returned.
        images: Folder of the images.
        split: "train" or "val"; their names begin with it (`split_of`).

    Returns:
        List of `(source_id, Annotation)`.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is a test set, which has no annotations.
    """
    if "annotations" not in truth:
        raise ValueError(
            "A test set has no annotated people: give a detector's boxes. "
            f"Received: {len(truth['images'])} images without annotations"
        )
    located = _located(truth, images)
    listed = []
    for row in truth["annotations"]:
        keypoints = np.array(row["keypoints"], np.float64).reshape(-1, 3)
        path, size = located.get(row["image_id"], ("", None))
        if row["iscrowd"]:
            problem = "a crowd, not one person"
        elif not row["num_keypoints"]:
            problem = "no labelled keypoint"
        else:
            problem = "" if path else "image not in the annotations"
        annotation = Annotation(
            path=path,
            size=size,
            image_id=row["image_id"],
            source_id=f"{split}/{row['id']}",
            joints=keypoints[:, :2],
            visible=keypoints[:, 2].astype(np.int64),
            box=np.array(row["bbox"], np.float64),
            area=row["area"],
            problem=problem,
        )
        listed.append((annotation.source_id, annotation))
    return listed


def detections(truth, images, boxes, split, min_score=0.0):
    """Lists the people whom a detector found in the images of one split.

    Their joints are all unlabelled: they are there to be estimated.

    Args:
        truth: What `read` returned; says which images there are.
        images: Folder of the images.
        boxes: JSON of the detector, a list of `{image_id, category_id, bbox:
            [x, y, width, height], score}`; other categories are passed over.
        split: "train" or "val", as for `people`.
        min_score: Boxes below it are dropped, and counted.

    Returns:
        List of `(source_id, Annotation)`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is not in this form, or has no box for these images.
    """
    located = _located(truth, images)
    category = truth["categories"][0]
    joints = len(category["keypoints"])
    listed = []
    try:
        for number, row in enumerate(_read_json(boxes, "boxes")):
            if row["category_id"] != category["id"]:
                continue
            path, size = located.get(row["image_id"], ("", None))
            score = float(row["score"])
            problem = "" if path else "image not in the annotations"
            if not score >= min_score:
                problem = f"box scored below {min_score:g}"
            annotation = Annotation(
                path=path,
                size=size,
                image_id=row["image_id"],
                source_id=f"{split}/box{number}",
                joints=np.zeros((joints, 2)),
                visible=np.zeros(joints, np.int64),
                box=_box(row),
                score=score,
                problem=problem,
            )
            listed.append((annotation.source_id, annotation))
    except (KeyError, TypeError) as error:
        raise ValueError(
            "Boxes are a JSON list of {image_id, category_id, bbox: [x, y, "
            f"width, height], score}}; {error!r}. "
            f"Received: boxes={str(boxes)!r}"
        ) from None
    if not any(annotation.path for _, annotation in listed):
        raise ValueError(
            f"No box is of category {category['id']} ({category['name']}) in "
            f"one of the images. Received: boxes={str(boxes)!r}"
        )
    return listed


def split_of(source_id):
    """The split that a person was listed for; `shards.write`'s `split`."""
    return source_id.partition("/")[0]


def person(annotation):
    """Reads one person's image and completes the annotation.

    The box is clipped to the image, as Simple Baselines does
    (https://arxiv.org/abs/1804.06208).

    Raises:
        schema.Dropped: the annotation has a `problem`; there is no image, an
            unreadable one or one of another size; nothing of the box is in
            it; or its keypoints are labelled, but all outside.
    """
    if annotation.problem:
        raise schema.Dropped(annotation.problem)
    image, notes = photographs.read_labelled(annotation.path, annotation.size)
    height, width = image.shape[:2]
    box = annotation.box
    low = np.maximum(box[:2], 0)
    high = np.minimum(box[:2] + box[2:], (width, height))
    if not (high > low).all():
        raise schema.Dropped("box without area inside the image")
    joints, labelled = annotation.joints, annotation.visible > 0
    size = np.array([width, height])
    inside = coordinates.inside(joints, size).all(axis=1)
    if labelled.any() and not (labelled & inside).any():
        raise schema.Dropped("no labelled keypoint inside the image")
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
        notes=notes,
    )


def _read_json(path, argument):
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise FileNotFoundError(
            f"There is no such JSON file. Received: {argument}={str(path)!r}"
        ) from None
    except ValueError as error:
        raise ValueError(
            f"This is not a JSON file ({error}). "
            f"Received: {argument}={str(path)!r}"
        ) from None


def _image(row):
    image = {"id": _whole(row["id"]), "file_name": str(row["file_name"])}
    for name in ("width", "height"):
        if row.get(name):
            image[name] = _whole(row[name])
    return image


def _annotation(row, joints):
    """One annotation, checked; COCO's own have all of these fields."""
    keypoints = row.get("keypoints") or [0] * (3 * joints)
    if len(keypoints) != 3 * joints or not set(keypoints[2::3]) <= {0, 1, 2}:
        raise ValueError(
            f"annotation {row['id']} has other keypoints than {joints} times "
            "x, y and 0, 1 or 2"
        )
    _, _, width, height = box = _box(row)
    # ours: where there is no outline to measure, the box's area.
    area = row.get("area") or 0.0
    return {
        "id": _whole(row["id"]),
        "image_id": _whole(row["image_id"]),
        "category_id": row["category_id"],
        "iscrowd": int(row.get("iscrowd") or 0),
        "num_keypoints": sum(flag > 0 for flag in keypoints[2::3]),
        "area": float(area if area > 0 else width * height),
        "bbox": box.tolist(),
        "keypoints": keypoints,
    }


def _box(row):
    box = np.array(row["bbox"], np.float64)
    if box.shape != (4,):
        raise TypeError(f"bbox {row['bbox']} is not x, y, width and height")
    return box


def _whole(number):
    if not isinstance(number, int):
        raise TypeError(f"{number!r} is not a whole number")
    return number


def _located(truth, folder):
    """Image id -> path and size (None where the JSON has none)."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            "The images are files in a folder, as their archive unpacks. "
            f"Received: images={str(folder)!r}"
        )
    located = {}
    for image in truth["images"]:
        size = (image.get("width"), image.get("height"))
        path = str(folder / image["file_name"])
        located[image["id"]] = (path, None if None in size else size)
    return located
