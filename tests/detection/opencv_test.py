"""Tests for OpenCV's people detector, whether this OpenCV has it or not."""

import sys
import types

import cv2
import numpy as np
import pytest

from integral_tf import detection

HAS = hasattr(cv2, "HOGDescriptor")


@pytest.fixture
def opencv(monkeypatch):
    """An OpenCV whose detector answers what `found` holds."""
    module = types.SimpleNamespace(found=((), ()), seen=[], __version__="4.x")

    class Descriptor:
        def setSVMDetector(self, weights):
            self.weights = weights

        def detectMultiScale(self, image, **settings):
            assert self.weights == "weights"
            module.seen.append(image)
            return module.found

    module.HOGDescriptor = Descriptor
    module.HOGDescriptor_getDefaultPeopleDetector = lambda: "weights"
    monkeypatch.setitem(sys.modules, "cv2", module)
    return module


def test_boxes_are_the_people_in_the_windows(opencv):
    # The window of 64 x 128 at twice its size: 12 pixels, so 24, are beside the
    # person, and 16, so 32, above and below.
    # The second is the first, moved by 2, and less sure; the third is apart.
    rects = [[10, 20, 128, 256], [12, 20, 128, 256], [200, 0, 64, 128]]
    opencv.found = np.array(rects), np.array([[1.5], [0.75], [0.625]])
    image = np.zeros((300, 300, 3), np.uint8)
    image[..., 0] = 9
    boxes = detection.get("opencv")(image)
    assert boxes.tolist() == [
        [34, 52, 80, 192, 1.5],
        [212, 16, 40, 96, 0.625],
    ]
    assert opencv.seen[0][0, 0].tolist() == [0, 0, 9]  # BGR


def test_nobody_is_no_box(opencv):
    assert detection.get("opencv")(np.zeros((300, 300, 3), np.uint8)).size == 0
    # Smaller than the window.
    assert detection.get("opencv")(np.zeros((99, 63, 3), np.uint8)).size == 0
    assert len(opencv.seen) == 1


def test_an_opencv_without_it_is_one_sentence(opencv):
    del opencv.HOGDescriptor
    with pytest.raises(ImportError, match="OpenCV 4 has one: .pip inst") as no:
        detection.get("opencv")
    assert "\n" not in str(no.value) and "OpenCV 4.x" in str(no.value)


@pytest.mark.skipif(not HAS, reason="this OpenCV has no people detector")
def test_the_real_one_runs():
    image = np.random.default_rng(0).integers(0, 256, (200, 200, 3), "uint8")
    assert detection.get("opencv")(image).shape[1] == 5
