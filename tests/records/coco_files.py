"""Files in COCO's form, made up for the tests, and how these are read."""

import json

import numpy as np
from PIL import Image

from integral_tf import metrics
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import schema

NAMES = ["nose", "left_paw", "right_paw"]
POINTS = [10, 11, 2, 20, 21, 2, 30, 31, 1]


def write(folder, **parts):
    """A file of one image of 60 x 50 pixels, a cat and its annotation."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    grey = np.full((50, 60, 3), 99, np.uint8)
    Image.fromarray(grey).save(folder / "images" / "a.png")
    whole = {
        "images": [{"id": 5, "file_name": "a.png"}],
        "categories": [{"id": 2, "name": "cat", "keypoints": NAMES}],
        "annotations": [row()],
        **parts,
    }
    path = folder / "cats.json"
    path.write_text(json.dumps(whole))
    return path


def row(**fields):
    return {
        "id": 9,
        "image_id": 5,
        "category_id": 2,
        "bbox": [5, 5, 40, 40],
        "keypoints": POINTS,
        **fields,
    }


def without(fields, *names):
    return {k: v for k, v in fields.items() if k not in names}


def read(path, category=None, **options):
    """The truth, and the lines that were said of it."""
    lines = []
    return coco.read(path, category, say=lines.append, **options), lines


def built(path, category=None, **options):
    """Everyone kept, the reasons of the others, and what was said."""
    truth, lines = read(path, category, **options)
    kept, dropped = [], []
    for _, annotation in coco.people(truth, path.parent / "images", "train"):
        try:
            kept.append(coco.person(annotation))
        except schema.Dropped as reason:
            dropped.append((str(reason), reason.example))
    return truth, kept, dropped, lines


def self_score(truth):
    """AP of the truth itself, by both, and for the skeleton of the file."""
    sigmas = coco_skeleton.of_truth(truth).sigmas
    results = [
        {**{k: row[k] for k in ("image_id", "category_id", "keypoints")},
         "score": 1.0}
        for row in truth["annotations"]
        if row["num_keypoints"]
    ]  # fmt: skip
    both = metrics.coco_keypoint_ap, metrics.hotcoco_ap
    return min(each(truth, results, sigmas)["AP"] for each in both)
