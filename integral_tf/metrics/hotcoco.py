"""COCO's average precision by hotcoco, an evaluator written in Rust.

The figures are those of `average_precision`: hotcoco and pycocotools have the
same rules. Three cases are beyond hotcoco, and are refused here: weights of
joints, which it does not know; a joint that is not a number, which it takes for
one on the truth; and a version before 1.3, which cannot be fed in parts.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from integral_tf import optional
from integral_tf import skeletons
from integral_tf.metrics import coco_arrays
from integral_tf.signatures import Numbers
from integral_tf.signatures import Path

NAMES = tuple("AP AP50 AP75 APM APL AR AR50 AR75 ARM ARL".split())


class Beyond(ValueError):
    """A case that hotcoco cannot score, or scores in another way."""


def load() -> ModuleType:
    """Imports hotcoco.

    Raises:
        ImportError: it is not installed.
        Beyond: it is too old.
    """
    what = "an average precision by another program"
    hotcoco = optional.need("hotcoco", "hotcoco", what, extra="coco")
    if not hasattr(hotcoco, "StreamingEval"):
        raise Beyond(f"hotcoco {hotcoco.__version__} is older than 1.3")
    return hotcoco


def hotcoco_ap(
    truth: dict[str, Any] | Path,
    results: Sequence[dict[str, Any]] | Path,
    sigmas: Numbers = skeletons.COCO.sigmas,
) -> dict[str, float]:
    """Scores detected poses by hotcoco, a few images at a time.

    Args:
        truth: As in `coco_keypoint_ap`.
        results: As in `coco_keypoint_ap`.
        sigmas: As in `coco_keypoint_ap`.

    Returns:
        The dict of `coco_keypoint_ap`.

    Raises:
        ImportError: hotcoco is not installed.
        Beyond: a joint is not a number, or hotcoco is too old.
        ValueError: as in `coco_keypoint_ap`.
    """
    hotcoco = load()
    scene = coco_arrays.read(truth, results, len(sigmas))
    parameters = hotcoco.Params("keypoints")
    parameters.kpt_oks_sigmas = list(map(float, sigmas))
    kinds = [{"id": c + 1, "name": str(c)} for c in range(scene.categories)]
    stream = hotcoco.StreamingEval(kinds, "keypoints", params=parameters)
    for people, found in scene.blocks():
        true, poses = _true(scene, people), _poses(scene, found)
        images = {row["image_id"] for row in (*true, *poses)}
        stream.update([{"id": i} for i in sorted(images)], true, poses)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of other sigmas than COCO's
        evaluation = stream.finalize()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(NAMES, map(float, evaluation.stats)))


def _true(scene, people):
    """Annotations of a slice of the people, with numbers of ours as ids.

    hotcoco refuses ids below 0.
    """
    points, boxes = scene.truth(people)
    part = scene.people
    columns = (part.group, part.area, part.crowd, part.ignored)
    return [
        {
            **_group(scene, group),
            "keypoints": each.tolist(),
            "num_keypoints": int(not ignored),
            "area": float(area),
            "bbox": box.tolist(),
            "iscrowd": int(crowd),
        }
        for each, box, group, area, crowd, ignored in zip(
            points.reshape(-1, 3 * scene.joints),
            boxes,
            *(column[people] for column in columns),
        )
    ]


def _poses(scene, found):
    rows = [scene.results[i] for i in scene.found.row[found]]
    points = coco_arrays.keypoints(rows, scene.joints)
    if np.isnan(points).any():
        raise Beyond("a joint is not a number")
    return [
        {
            **_group(scene, group),
            "keypoints": each.tolist(),
            "score": float(row["score"]),
            **({"bbox": list(row["bbox"])} if scene.boxed else {}),
        }
        for each, row, group in zip(
            points.reshape(-1, 3 * scene.joints), rows, scene.found.group[found]
        )
    ]


def _group(scene, group):
    image, category = divmod(int(group), scene.categories)
    return {"image_id": image, "category_id": category + 1}
