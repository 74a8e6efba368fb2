"""Tests for KerasHub's detectors, by a stand-in for the package."""

import sys
import types

import numpy as np
import pytest

from integral_tf import detection


@pytest.fixture
def hub(monkeypatch):
    """A KerasHub with one detector, of inputs of 32 x 64 (height x width)."""
    converter = types.SimpleNamespace(
        image_size=(32, 64), pad_to_aspect_ratio=False
    )
    seen = []

    class Model:
        bounding_box_format = "yxyx"
        num_classes = 80
        preprocessor = types.SimpleNamespace(image_converter=converter)

        @staticmethod
        def predict(images, verbose):
            seen.append(images)
            return {
                "boxes": np.float32(
                    [[[4, 8, 12, 40], [0, 0, 9, 9], [-1, -1, -1, -1]]]
                ),
                "labels": np.array([[0, 16, -1]]),
                "confidence": np.float32([[0.75, 0.875, -1]]),
                "num_detections": np.array([2]),
            }

    def from_preset(name):
        if name != "some_coco":
            raise ValueError(f"Unknown preset {name}.\nAnd so on.")
        return Model

    module = types.SimpleNamespace(
        models=types.SimpleNamespace(
            ObjectDetector=types.SimpleNamespace(from_preset=from_preset)
        ),
        model=Model,
        converter=converter,
        seen=seen,
    )
    monkeypatch.setitem(sys.modules, "keras_hub", module)
    return module


def test_boxes_come_back_to_the_photograph(hub):
    detector = detection.get("keras_hub:some_coco")
    # 128 x 128 stretched to 64 x 32: a half of x, a quarter of y. The box is
    # 8 to 40 and 4 to 12 there.
    boxes = detector(np.zeros((128, 128, 3), np.uint8))
    assert boxes.tolist() == [[16, 16, 64, 32, 0.75]]
    assert hub.seen[0].shape == (1, 32, 64, 3)
    assert str(detector) == "some_coco of KerasHub; class 0 is a person"


def test_padding_is_at_the_right_and_below(hub):
    hub.converter.pad_to_aspect_ratio = True
    # 128 x 128 becomes 32 x 32, a quarter.
    image = np.full((128, 128, 3), 200, np.uint8)
    boxes = detection.get("keras_hub:some_coco")(image)
    assert boxes.tolist() == [[32, 16, 128, 32, 0.75]]
    assert (hub.seen[0][0, :, :32] == 200).all()
    assert (hub.seen[0][0, :, 32:] == 0).all()


def test_a_model_of_any_size_sees_the_photograph(hub):
    hub.converter.image_size = None
    boxes = detection.get("keras_hub:some_coco")(np.zeros((50, 70, 3), "uint8"))
    assert boxes.tolist() == [[8, 4, 32, 8, 0.75]]
    assert hub.seen[0].shape == (1, 50, 70, 3)


def test_another_class(hub):
    detector = detection.get("keras_hub:some_coco", person=16)
    boxes = detector(np.zeros((32, 64, 3), np.uint8))
    assert boxes.tolist() == [[0, 0, 9, 9, 0.875]]


def test_of_91_classes_a_person_is_1(hub):
    hub.model.num_classes = 91
    said = str(detection.get("keras_hub:some_coco"))
    assert said == "some_coco of KerasHub; class 1 is a person"


def test_a_name_that_is_none_is_one_sentence(hub):
    with pytest.raises(ValueError, match="Unknown preset.*keras_hub:no") as no:
        detection.get("keras_hub:no")
    assert "\n" not in str(no.value)


def test_without_kerashub_there_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match="pip install keras-hub"):
        detection.get("keras_hub:some_coco")
