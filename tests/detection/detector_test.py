"""Tests for what may be a detector, and for what it may answer."""

import ast
import pathlib
import types

import numpy as np
import pytest

from integral_tf import detection
from integral_tf.detection import answers

IMAGE = np.zeros((60, 80, 3), np.uint8)


def find(answer, **settings):
    return detection.get(lambda image: answer, **settings)(IMAGE).tolist()


def detections(**fields):
    """As `supervision.Detections`: corners."""
    xyxy = np.array([[1, 2, 11, 22], [3, 4, 5, 9]], np.float32)
    return types.SimpleNamespace(xyxy=xyxy, **fields)


@pytest.mark.parametrize(
    "answer, boxes",
    [
        ([[1, 2, 3, 4]], [[1, 2, 3, 4, 1]]),
        (np.float32([[1, 2, 3, 4, 0.75]]), [[1, 2, 3, 4, 0.75]]),
        ([[1, 2, 3, 4, 0.5], [1, 2, 3, 4, 0.25]], [[1, 2, 3, 4, 0.5]]),
        ([], []),
        (np.zeros((0, 4)), []),
        (
            detections(confidence=None, class_id=None),
            [[1, 2, 10, 20, 1], [3, 4, 2, 5, 1]],
        ),
        (
            detections(
                confidence=np.array([0.25, 0.75]),
                class_id=np.array([0, 1]),
                data={"class_name": np.array(["person", "person"])},
            ),
            [[3, 4, 2, 5, 0.75]],
        ),
        (
            detections(
                confidence=np.array([0.75, 0.75]),
                class_id=np.array([16, 0]),
                data={"class_name": np.array(["dog", "person"])},
            ),
            [[3, 4, 2, 5, 0.75]],
        ),
    ],
)
def test_answers_become_boxes_with_scores(answer, boxes):
    assert find(answer) == boxes


def test_what_is_no_box_is_left_out_with_a_warning():
    none = [[1, 2, 0, 4], [1, 2, 3, -4], [np.nan, 2, 3, 4], [1, 2, 1e9, 4]]
    with pytest.warns(UserWarning, match="4 without a size.*such as .1.0, 2.0"):
        assert find(none) == []


def test_no_detections_are_nobody():
    nothing = types.SimpleNamespace(
        xyxy=np.zeros((0, 4)), confidence=np.zeros(0), class_id=np.zeros(0)
    )
    assert find(nothing) == []


def test_classes_without_names_want_a_number():
    answer = detections(confidence=None, class_id=np.array([1, 18]), data={})
    with pytest.raises(ValueError, match=r"person=0\).*class_id=\[ 1 18\]"):
        find(answer)
    assert find(answer, person=1) == [[1, 2, 10, 20, 1]]


@pytest.mark.parametrize(
    "answer, received",
    [
        ([1, 2, 3, 4], r"shape=\(4,\)"),
        ([[1, 2, 3]], r"shape=\(1, 3\)"),
        ([["1", "2", "3", "4"]], "dtype=<U1"),
        ([[1, 2, 3, 4], [1, 2]], "Received: "),
        ({"boxes": []}, "dtype=object"),
    ],
)
def test_other_answers_are_one_sentence(answer, received):
    with pytest.raises(ValueError, match=f"A detector answers.*{received}"):
        find(answer)


def test_what_is_no_detector_is_refused():
    with pytest.raises(ValueError, match="A detector is.*detector=5"):
        detection.get(5)
    with pytest.raises(FileNotFoundError, match="detector='nowhere.onnx'"):
        detection.get("nowhere.onnx")


def test_a_detector_stays_what_it_is_and_says_its_name():
    def everybody(image):
        return []

    detector = detection.get(everybody, least=0.9)
    assert detection.get(detector) is detector
    assert str(detector) == "everybody"


def test_corners_become_boxes():
    boxes = answers.from_corners(np.array([[1.0, 2, 4, 6]]), np.array([0.5]))
    assert boxes.tolist() == [[1, 2, 3, 4, 0.5]]


def test_neither_tensorflow_nor_keras_is_imported():
    # But where a function of KerasHub's detectors runs. Of this package only
    # what needs NumPy and Pillow.
    folder = pathlib.Path(detection.__file__).parent
    names = set()
    for path in folder.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{a.name}" for a in node.names}
    ours = {n for n in names if not n.startswith("integral_tf.detection.")}
    assert ours <= {
        "collections.abc.Callable",
        "dataclasses",
        "integral_tf.coordinates",
        "integral_tf.optional",
        "math",
        "warnings",
        "numpy",
        "os",
        "pathlib",
        "PIL.Image",
        "typing.Any",
    }
