"""Tests for who computes the AP of an evaluation."""

import re
import sys
import types

import numpy as np
import pytest

from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.evaluation import average_precision
from tests.metrics import pycocotools_ap


def people(spread):
    """Truth of ten people, and results that are this far from it, in pixels."""
    rng = np.random.default_rng(0)
    annotations, results = [], []
    for number in range(10):
        joints = rng.uniform(0, 100, (17, 2))
        row = {"image_id": number // 2, "category_id": 1}
        labelled = np.concatenate([joints, np.full((17, 1), 2.0)], axis=1)
        found = joints + rng.normal(0, spread * (number + 1), (17, 2))
        annotations.append(
            {
                **row,
                "id": number + 1,
                "keypoints": labelled.ravel().tolist(),
                "num_keypoints": 17,
                "area": 1e4,
                "bbox": [0.0, 0.0, 100.0, 100.0],
                "iscrowd": 0,
            }
        )
        labelled[:, :2] = found
        keypoints = labelled.ravel().tolist()
        results.append({**row, "keypoints": keypoints, "score": rng.random()})
    truth = {
        "images": [{"id": image} for image in range(5)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    return truth, results


def test_hotcoco_computes_and_is_named(capsys):
    truth, results = people(2)
    found = average_precision.figures(truth, results, skeletons.COCO)
    assert found["coco"] == pytest.approx(
        pycocotools_ap.pycocotools_ap(truth, results), rel=0, abs=1e-6
    )
    assert 0.1 < found["coco"]["AP"] < 0.9
    assert found["coco_engine"].startswith("hotcoco 1.")
    assert f"AP by {found['coco_engine']}" in capsys.readouterr().out


OLD = types.SimpleNamespace(__version__="1.2.0")


@pytest.mark.parametrize(
    "module, joint, weights, reason",
    [
        (None, 5.0, None, r"pip install integral_tf\[coco\]"),
        (OLD, 5.0, None, "hotcoco 1.2.0 is older than 1.3"),
        ("kept", 5.0, (2.0,) + (1.0,) * 16, "hotcoco knows no weights"),
        ("kept", np.nan, None, "a joint is not a number"),
    ],
)
def test_where_hotcoco_cannot_this_package_does_and_says_why(
    monkeypatch, capsys, module, joint, weights, reason
):
    if module != "kept":
        monkeypatch.setitem(sys.modules, "hotcoco", module)
    truth, results = people(2)
    results[0]["keypoints"][0] = joint
    found = average_precision.figures(truth, results, skeletons.COCO, weights)
    assert found["coco_engine"] == "integral_tf"
    assert found["coco"] == metrics.coco_keypoint_ap(
        truth, results, weights=weights
    )
    printed = capsys.readouterr().out
    assert re.search(f"AP by integral_tf: .*{reason}", printed)
