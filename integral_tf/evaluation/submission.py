"""Writes predictions on test sets in the form that the test servers take.

    mpii_mat   MPII, single person: `pred_keypoints_mpii.mat`
    coco_json  COCO test-dev: a list of keypoint results

The servers give little explanation of a file that they refuse. So everything is
checked before a file is written, and a file is written whole or not at all.
"""

import json
import math
import numbers
import os
import pathlib
from collections.abc import Iterable

import numpy as np
import scipy.io

from integral_tf import skeletons
from integral_tf import whole
from integral_tf.records import mpii
from integral_tf.records import mpii_annotations
from integral_tf.signatures import ArrayLike

_PERSON = 1  # COCO's category


def mpii_mat(
    joints: dict[str, ArrayLike],
    annotations: str | os.PathLike,
    path: str | os.PathLike,
) -> None:
    """Writes the struct array `pred` that MPII's evaluation script reads.

    `pred(i)` is the i-th test image of RELEASE, with all of its rectangles.
    `pred(i).annorect(r).annopoints.point` has the 16 joints of a person whom
    the single-person test scores, and is empty for other people. x and y count
    pixels from 1, as in MATLAB; id is the joint's number from 0.

        joints = {}
        for name, test in mpii.test_people(folder):
            image = photographs.read(test.path)
            joints[name] = estimator(image, test.box[None])[0].joints

    Args:
        joints: Dict from a source_id of `mpii.test_people` to `(16, 2)` x, y
            in the image frame.
        annotations: Path of the official `mpii_human_pose_v1_u12_1.mat`.
        path: File to write; an earlier one is replaced.

    Raises:
        FileNotFoundError: there are no annotations.
        ValueError: a person is missing or unknown, or joints are not 16 finite
            points.
    """
    release = mpii_annotations.read_release(annotations)
    tested = mpii.tested_names(release)
    joints = {name: np.asarray(j, np.float64) for name, j in joints.items()}
    missing, unknown = tested - joints.keys(), joints.keys() - tested
    if missing or unknown or not tested:
        examples = sorted(missing or unknown)[:3]
        raise ValueError(
            "MPII wants the joints of each of its "
            f"{len(tested)} sufficiently separated test people, and of nobody "
            f"else. Received: {len(missing)} missing, {len(unknown)} unknown, "
            f"such as {examples}"
        )
    wanted = (len(skeletons.MPII), 2)
    for name, points in joints.items():
        if points.shape != wanted or not np.isfinite(points).all():
            raise ValueError(
                f"A person's joints are {wanted} finite numbers x, y. "
                f"Received: {name!r} of shape {points.shape}, "
                f"{np.isfinite(points).sum()} finite"
            )
    images = [photograph for photograph in release if not photograph.training]
    pred = _struct_array(
        {
            "image": {"name": photograph.name},
            "annorect": _struct_array(
                _rectangle(person, joints.get(person.source_id))
                for person in photograph.people
            ),
        }
        for photograph in images
    )

    def write(file):
        scipy.io.savemat(file, {"pred": pred}, do_compression=True)

    _write_whole(path, write)


def coco_json(
    results: Iterable[dict],
    path: str | os.PathLike,
    image_ids: Iterable[int] | None = None,
) -> None:
    """Writes COCO keypoint results, with the server's checks.

    Coordinates are written to a hundredth of a pixel, scores to five digits.

    Args:
        results: List of dicts of `image_id`, `category_id`, `keypoints` and
            `score`, as from `coco_results.Results`; other keys are not
            written.
        path: File to write; an earlier one is replaced.
        image_ids: Ids of the test set's images; None does not check them.

    Raises:
        ValueError: there is no result, a result has another form, or its image
            is not in `image_ids`.
    """
    results = list(results)
    if not results:
        raise ValueError("COCO wants at least one result. Received: none")
    known = None if image_ids is None else {int(i) for i in image_ids}
    rows = []
    for place, result in enumerate(results):
        try:
            rows.append(_coco_row(result, known))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                "A COCO result is {image_id: int, category_id: 1, keypoints: "
                f"{3 * len(skeletons.COCO)} finite numbers, score: finite}}. "
                f"Received: result {place}: {type(error).__name__}: {error}"
            ) from None
    text = json.dumps(rows, separators=(",", ":"), allow_nan=False)
    _write_whole(path, lambda file: file.write(text.encode()))


def _rectangle(person, points):
    """One `annorect`: a person's position, and joints if given."""
    point = np.zeros((0, 0))
    if points is not None:
        point = _struct_array(
            {"x": x, "y": y, "id": float(joint)}
            for joint, (x, y) in enumerate(points + 1)
        )
    # MPII's toolkit skips people without objpos.
    objpos = np.zeros((0, 0))
    if person.centre is not None:
        x, y = person.centre + 1
        objpos = {"x": x, "y": y}
    return {
        "objpos": objpos,
        "scale": person.scale or np.zeros((0, 0)),
        "annopoints": {"point": point} if point.size else np.zeros((0, 0)),
    }


def _struct_array(rows):
    """Dicts with the same keys as a 1 x N MATLAB struct array."""
    rows = list(rows)
    if not rows:
        return np.zeros((0, 0))
    structs = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        structs[0, i] = tuple(row.values())
    return structs


def _coco_row(result, known):
    image_id, category = result["image_id"], result["category_id"]
    if not isinstance(image_id, numbers.Integral):
        raise ValueError(f"image_id={image_id!r}")
    if known is not None and int(image_id) not in known:
        raise ValueError(f"image_id={image_id!r} is not of the test set")
    if category != _PERSON:
        raise ValueError(f"category_id={category!r}")
    keypoints = [float(value) for value in result["keypoints"]]
    if len(keypoints) != 3 * len(skeletons.COCO):
        raise ValueError(f"{len(keypoints)} keypoint numbers")
    score = float(result["score"])
    if not all(map(math.isfinite, [*keypoints, score])):
        raise ValueError("a number that is not finite")
    return {
        "image_id": int(image_id),
        "category_id": _PERSON,
        "keypoints": [
            round(value, 5 if i % 3 == 2 else 2)
            for i, value in enumerate(keypoints)
        ],
        "score": round(score, 5),
    }


def _write_whole(path, write):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole.file(path) as partial, partial.open("wb") as file:
        write(file)
