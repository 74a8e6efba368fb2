"""COCO's official average precision, by pycocotools."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np

from integral_tf import optional
from integral_tf import skeletons
from integral_tf.signatures import Numbers

NAMES = tuple("AP AP50 AP75 APM APL AR AR50 AR75 ARM ARL".split())


def pycocotools_ap(
    truth: dict[str, Any],
    results: list[dict[str, Any]],
    sigmas: Numbers = skeletons.COCO.sigmas,
) -> dict[str, float]:
    """Scores detected poses with `COCOeval(iouType="keypoints")`.

    Args:
        truth: COCO's person_keypoints JSON, loaded. Annotations may have the
            id 0, which pycocotools alone would not match.
        results: COCO's keypoint results, loaded; at least one.
        sigmas: `(K,)` standard deviations per joint.

    Returns:
        The dict of `coco_keypoint_ap`, which computes the same figures faster.

    Raises:
        ImportError: pycocotools is not installed.
    """
    what = "an evaluation with COCO's own code"
    coco, cocoeval = (
        optional.need(f"pycocotools.{name}", "pycocotools", what, extra="")
        for name in ("coco", "cocoeval")
    )
    with contextlib.redirect_stdout(io.StringIO()):
        api = coco.COCO()
        # Versions 2.0.9 and 2.0.10 ask for `info`.
        api.dataset = {"info": {}, **copy.deepcopy(truth)}
        api.dataset["annotations"] = list(api.dataset["annotations"])
        # pycocotools takes a match with the annotation 0 for no match.
        for number, row in enumerate(api.dataset["annotations"], 1):
            row["id"] = number
        api.createIndex()
        # Copied, because `loadRes` writes boxes and areas into the results.
        found = api.loadRes(copy.deepcopy(list(results)))
        evaluation = cocoeval.COCOeval(api, found, "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(NAMES, map(float, evaluation.stats)))
