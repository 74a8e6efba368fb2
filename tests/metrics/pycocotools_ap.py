"""COCO's official average precision, by pycocotools: the tests' reference."""

import contextlib
import copy
import io

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.metrics import hotcoco


def pycocotools_ap(truth, results, sigmas=skeletons.COCO.sigmas):
    """Scores detected poses with `COCOeval(iouType="keypoints")`.

    Args:
        truth: COCO's person_keypoints JSON, loaded. Annotations may have the
            id 0, which pycocotools alone would not match.
        results: COCO's keypoint results, loaded; at least one.
        sigmas: `(K,)` standard deviations per joint.

    Returns:
        The dict of `coco_keypoint_ap`.
    """
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
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
    return dict(zip(hotcoco.NAMES, map(float, evaluation.stats)))
