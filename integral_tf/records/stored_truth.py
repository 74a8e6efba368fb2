"""Reads the ground truth that is stored beside the shards."""

import math
import pathlib

import numpy as np

from integral_tf import skeletons
from integral_tf.records import file_digest
from integral_tf.records import json_rows
from integral_tf.records import manifests


def read(path: pathlib.Path, sha256: str | None) -> dict | None:
    """Reads the ground truth beside the shards; None if there is none.

    Args:
        path: Path of its JSON.
        sha256: Its digest in the manifest; None if no ground truth was built,
            or by a version before 0.2.

    Raises:
        ValueError: the ground truth was changed after the records were built.
    """
    exists = path.is_file()
    if not exists and sha256 is None:
        return None
    try:
        if sha256 in (None, exists and file_digest.of(path)):
            picks = {
                "annotations": lambda row: row,
                "images": lambda row: {"id": row["id"]},
            }
            truth = json_rows.read(path, "annotations", picks)
            if sha256 or _is_truth(truth):
                return truth
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        OverflowError,
    ):
        pass  # damaged, and without a digest, from before 0.2
    raise ValueError(
        "The ground truth beside these records is "
        f"{'altered or damaged' if exists else 'missing'}; build the records "
        f"again. Received: {str(path)!r}"
    )


def _is_truth(truth):
    """Whether a ground truth without a digest has the values that are read.

    Raises:
        TypeError, KeyError, ValueError, OverflowError: it is not one, either.
    """
    images = {_whole(image["id"]) for image in truth["images"]}
    joints = [len(each["keypoints"]) for each in truth["categories"]]
    categories = {_whole(each["id"]) for each in truth["categories"]}
    named = all(
        isinstance(each["name"], str) and skeletons.are_names(each["keypoints"])
        for each in truth["categories"]
    )
    if not named or len(set(joints)) != 1:
        return False
    for row in truth.get("annotations", []):
        sizes = {"keypoints": 3 * joints[0], "bbox": 4}
        for name, size in sizes.items():
            values = np.array(row[name], np.float64)
            if values.shape != (size,) or not np.isfinite(values).all():
                return False
        if (
            _whole(row["image_id"]) not in images
            or _whole(row["category_id"]) not in categories
            or not manifests.is_count(row["num_keypoints"])
            or row["iscrowd"] not in (0, 1)
            or not 0 <= float(row["area"]) < math.inf
        ):
            return False
        _whole(row["id"])
    return True


def _whole(value):
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"{value!r:.80} is no whole number")
    return value
