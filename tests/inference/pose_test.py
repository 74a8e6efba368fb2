"""Tests for what a pose says of itself, and is made."""

import json
import sys
import types

import numpy as np
import pytest

import integral_tf
from integral_tf.inference import pose as poses_of
from integral_tf.records import coco_skeleton

SKELETON = coco_skeleton.from_category(
    {"name": "stick", "keypoints": ["left_end", "right_end"], "id": 7,
     "skeleton": [[1, 2]]}
)  # fmt: skip


def stick(**fields):
    return poses_of.Pose(
        joints=np.array([[10.0, 20.0], [30.5, 20.25]]),
        scores=np.array([0.75, 0.25]),
        box=np.array([5.0, 10.0, 30.0, 20.0]),
        skeleton=SKELETON,
        **fields,
    )


def test_joints_have_names():
    assert stick().named == {
        "left_end": (10.0, 20.0, 0.75),
        "right_end": (30.5, 20.25, 0.25),
    }


def test_its_repr_is_one_line_that_says_something():
    said = repr(stick(number=3, covariance=np.zeros((2, 2, 2))))
    assert said == (
        "Pose(3: score 0.50, 1 of 2 stick joints from 0.3 up, "
        "box (5, 10, 30, 20), covariance)"
    )


def test_coco_results_are_plain_numbers():
    rows = integral_tf.to_coco([stick()], image_id=42)
    assert json.loads(json.dumps(rows)) == [
        {
            "image_id": 42,
            "category_id": 7,
            "bbox": [5, 10, 30, 20],
            "keypoints": [10, 20, 0.75, 30.5, 20.25, 0.25],
            "score": 0.5,
        }
    ]
    (row,) = integral_tf.to_coco([stick()])
    assert "image_id" not in row
    assert integral_tf.to_coco([]) == []


def test_supervision_gets_covariances(monkeypatch):
    # As much of supervision 0.31 as is asked for: the shapes that it checks.
    class KeyPoints(types.SimpleNamespace):
        __dataclass_fields__ = {"keypoint_confidence": None}
        empty = staticmethod(lambda: "empty")

    module = types.SimpleNamespace(KeyPoints=KeyPoints)
    monkeypatch.setitem(sys.modules, "supervision", module)
    spread = np.arange(8.0).reshape(2, 2, 2)
    made = integral_tf.to_supervision(
        [stick(covariance=spread), stick(covariance=2 * spread)]
    )
    assert made.xy.shape == (2, 2, 2) and made.xy.dtype == np.float32
    np.testing.assert_allclose(made.xy[1, 1], [30.5, 20.25])
    np.testing.assert_allclose(made.keypoint_confidence[0], [0.75, 0.25])
    np.testing.assert_allclose(made.detection_confidence, [0.5, 0.5])
    assert made.class_id.tolist() == [7, 7]
    np.testing.assert_array_equal(made.data["covariance"][1], 2 * spread)
    assert made.data["box"].shape == (2, 4)
    assert "covariance" not in integral_tf.to_supervision([stick()]).data
    assert integral_tf.to_supervision([]) == "empty"


@pytest.mark.parametrize("old", [None, types.SimpleNamespace()])
def test_without_supervision_there_is_one_sentence(monkeypatch, old):
    monkeypatch.setitem(sys.modules, "supervision", old)
    with pytest.raises(ImportError, match="needs supervision 0.29 or newer"):
        integral_tf.to_supervision([stick()])


def test_drawing_takes_any_picture_and_leaves_it():
    image = np.zeros((40, 50), np.uint8)
    drawn = stick().draw(image)
    assert drawn.shape == (40, 50, 3) and not image.any()
    # Half way along the limb, at (20, 20), and well off it.
    assert drawn[18:23, 20].max() > 40 and not drawn[32:].any()
    assert not stick().draw(image, least=0.9).any()
    with pytest.raises(ValueError, match="Ellipses are drawn of covariances"):
        stick().draw(image, ellipses=True)


def test_poses_of_several_pictures_are_no_result_of_one():
    assert integral_tf.to_coco(stick()) == integral_tf.to_coco([stick()])
    with pytest.raises(ValueError, match="of one picture.*a list of list"):
        integral_tf.to_coco([[stick()], [stick()]])
