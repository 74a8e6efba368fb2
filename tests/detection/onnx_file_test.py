"""Tests for ONNX detectors of each form; boxes and scores by hand.

The photograph is 128 x 64, its colour (51, 102, 204); the networks see 64 x 64.
Kept in its aspect it is half as large there, in the upper half, and 114 below.
"""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from integral_tf import detection
from integral_tf.detection import onnx_file
from integral_tf.detection import onnx_forms
from tests.detection import graphs

PHOTO = np.full((64, 128, 3), (51, 102, 204), np.uint8)
CORNERS = [[8, 4, 24, 20], [0, 16, 40, 32]]  # left, top, right, bottom
# As boxes of the photograph, which is twice as large.
BOXES = [[16, 8, 32, 32], [0, 32, 80, 32]]


def found(path, image=PHOTO, least=0.0, **settings):
    return detection.get(path, least=least, **settings)(image)


def test_yolox(tmp_path):
    # Of the 8 x 8 cells of 8 pixels the one of column 3, row 2: its middle is
    # (3.5, 2.25) cells, (28, 18) pixels, and its size (16, 32). Of the 2 x 2
    # cells of 32, after 64 + 16 others, column 0, row 1: (16, 32), (16, 32).
    raw = {
        2 * 8 + 3: [0.5, 0.25, math.log(2), math.log(4)],
        64 + 16 + 2: [0.5, 0.0, math.log(0.5), 0.0],
    }
    path = graphs.yolox(tmp_path / "people.onnx", raw)
    boxes = found(path, least=0.1)
    # (20, 2) to (36, 34) and (8, 16) to (24, 48), twice as large. Blue comes
    # first, 204 of 255, and 114 below the photograph.
    want = [[40, 4, 32, 64, 204 / 255], [16, 32, 32, 64, 114 / 255]]
    np.testing.assert_allclose(boxes, want, rtol=1e-6)
    assert str(detection.get(path)) == (
        "people.onnx, recognised as YOLOX, 64 x 64; class 0 is a person"
    )


def test_yolox_keeps_the_surest_of_boxes_that_overlap(tmp_path):
    # 16 x 16 around (4.8, 4), (4, 4) and (12, 4): the second shares 15.2 x 16
    # with the first, 0.9 of their union; the third 8.8 x 16, 0.38.
    raw = {
        0: [0.6, 0.5, math.log(2), math.log(2)],  # seen: 0.8
        63: [-6.5, -6.5, math.log(2), math.log(2)],  # seen: 0.447
        1: [0.5, 0.5, math.log(2), math.log(2)],  # 0.7
    }
    boxes = found(graphs.yolox(tmp_path / "y.onnx", raw), least=0.3)
    # The first, of 0.8, and the third; the second lies upon the first.
    np.testing.assert_allclose(boxes[:, 4], [0.8, 0.7], rtol=1e-6)
    np.testing.assert_allclose(boxes[:, 0], [-6.4, 8], atol=1e-5)


def test_yolox_with_its_boxes_decoded_is_refused(tmp_path):
    path = graphs.yolox(tmp_path / "y.onnx", {0: [30, 30, 60, 60]})
    with pytest.raises(ValueError, match="decode_in_inference.*84 rows.*to 60"):
        found(path)


def test_a_class_of_its_own(tmp_path):
    path = graphs.yolox(tmp_path / "y.onnx", {0: [0.5, 0.5, 0, 0]})
    # The second class's share of the objectness is 0.5.
    np.testing.assert_allclose(found(path, least=0.1, person=1)[0, 4], 0.4)
    with pytest.raises(ValueError, match="80 classes from 0.*person=80"):
        found(path, person=80)


@pytest.mark.parametrize("any_n", [True, False])
def test_rtmdet(tmp_path, any_n):
    path = graphs.mmdeploy(
        tmp_path / "rtmdet.onnx", CORNERS, [0, 0], any_n=any_n
    )
    boxes = found(path, least=0.1)
    # Blue less its mean, 103.53, over its deviation; the same of 114.
    scores = [(204 - 103.53) / 57.375, (114 - 103.53) / 57.375]
    np.testing.assert_array_equal(boxes[:, :4], BOXES)
    np.testing.assert_allclose(boxes[:, 4], scores, rtol=1e-5)
    assert "RTMDet of MMDeploy" in str(detection.get(path))


def test_rtmdet_finds_other_things_too(tmp_path):
    path = graphs.mmdeploy(tmp_path / "rtmdet.onnx", CORNERS, [16, 0])
    np.testing.assert_array_equal(found(path)[:, :4], BOXES[1:])


def test_yolox_of_mmdeploy_has_plain_pixels(tmp_path):
    path = graphs.mmdeploy(
        tmp_path / "YOLOX_tiny.onnx", CORNERS, [0, 0], scale=1 / 255
    )
    boxes = found(path)
    np.testing.assert_array_equal(boxes[:, :4], BOXES)
    np.testing.assert_allclose(boxes[:, 4], [204 / 255, 114 / 255], rtol=1e-6)
    assert "YOLOX of MMDeploy (by its name)" in str(detection.get(path))


def test_dfine_rt_detr_and_deim(tmp_path):
    shares = [[0.125, 0.25, 0.25, 0.5], [0, 0, 1, 1]]
    path = graphs.detr(tmp_path / "dfine.onnx", shares, [0, 0])
    boxes = found(path)
    # Of 128 x 64, and red, 51 of 255, down to the last row: it is stretched.
    want = [[16, 16, 16, 16, 0.2], [0, 0, 128, 64, 0.2]]
    np.testing.assert_allclose(boxes, want, rtol=1e-6)
    assert "D-FINE, RT-DETR or DEIM" in str(detection.get(path))
    dogs = graphs.detr(tmp_path / "dogs.onnx", shares, [16, 0])
    assert found(dogs)[:, :4].tolist() == [[0, 0, 128, 64]]


@pytest.mark.parametrize("classes, person", [(91, 1), (2, 0)])
def test_rf_detr(tmp_path, classes, person):
    # Middles and sizes as shares of the picture.
    dets = [[0.25, 0.5, 0.25, 0.5], [0.5, 0.5, 1, 1]]
    path = graphs.rf_detr(tmp_path / "rf.onnx", dets, classes, person)
    boxes = found(path)
    logit = (51 - 123.675) / 58.395  # red less its mean, over its deviation
    score = 1 / (1 + math.exp(-logit))
    want = [[16, 16, 32, 32, score], [0, 0, 128, 64, score]]
    np.testing.assert_allclose(boxes, want, rtol=1e-6)
    said = str(detection.get(path))
    assert f"RF-DETR, 64 x 64; class {person} is a person" in said
    # The other class's logit is -9.
    other = found(path, person=1 - person)
    np.testing.assert_allclose(other[:, 4], 1 / (1 + math.exp(9)), rtol=1e-5)


def test_least_leaves_out_what_is_below(tmp_path):
    path = graphs.mmdeploy(
        tmp_path / "yolox.onnx", CORNERS, [0, 0], scale=1 / 255
    )
    assert found(path, least=0.5)[:, :4].tolist() == BOXES[:1]  # 0.8, 0.447
    assert found(path, least=0.9).shape == (0, 5)


def form_of(inputs, outputs):
    return onnx_forms.recognise(onnx_forms.Signature("x", inputs, outputs))


def test_what_keeps_its_aspect_is_resampled_as_opencv_does():
    image = np.random.default_rng(0).integers(0, 256, (90, 131, 3), "uint8")
    form = form_of({"images": (1, 3, 64, 64)}, {"output": (1, 84, 85)})
    seen, scale = onnx_file.fitted(image, np.array([64, 64]), form)
    # 131 x 90 becomes 64 x 44: 64 / 131 * 90 is 43.97.
    np.testing.assert_allclose(scale, [64 / 131, 44 / 90])
    theirs = cv2.resize(image, (64, 44), interpolation=cv2.INTER_LINEAR)
    got = seen[0].transpose(1, 2, 0)[..., ::-1]
    assert np.abs(got[:44] - theirs).max() <= 1  # of 255: they round
    assert (got[44:] == 114).all()


def test_what_is_stretched_is_resampled_as_pillow_does():
    image = np.random.default_rng(0).integers(0, 256, (90, 131, 3), "uint8")
    inputs = {"images": (1, 3, 64, 48), "orig_target_sizes": (1, 2)}
    outputs = {"labels": (1, 9), "boxes": (1, 9, 4), "scores": (1, 9)}
    form = form_of(inputs, outputs)
    seen, _ = onnx_file.fitted(image, np.array([48, 64]), form)
    theirs = Image.fromarray(image).resize((48, 64), Image.BILINEAR)
    np.testing.assert_allclose(
        seen[0].transpose(1, 2, 0) * 255, np.asarray(theirs), atol=1e-3
    )


def test_sizes_that_may_be_any_are_640():
    signature = onnx_forms.Signature(
        "x", {"images": (None, 3, None, None)}, {"output": (None, None, 85)}
    )
    assert signature.side.tolist() == [640, 640]
    assert onnx_forms.recognise(signature).name == "YOLOX"
    # 80 x 80, 40 x 40 and 20 x 20 cells; with stride 64 10 x 10 more.
    for rows, yes in ((8400, True), (8500, True), (25200, False)):
        yolo = onnx_forms.Signature(
            "x", {"images": (1, 3, 640, 640)}, {"output": (1, rows, 85)}
        )
        assert yolo.is_yolox is yes


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (500, 1), (33, 129)])
def test_photographs_of_any_size(tmp_path, size):
    path = graphs.mmdeploy(
        tmp_path / "yolox.onnx", [[0, 0, 64, 64]] * 2, [0, 0]
    )
    image = np.zeros((*size, 3), np.uint8)
    # The input spans the longer side.
    box = found(path, image)[0]
    assert max(box[2:4]) >= max(size) > 0.98 * min(box[2:4])


@pytest.mark.parametrize(
    "build, has",
    [
        (
            lambda p: graphs.yolox(p, {0: [0] * 4}, rows=83),
            "output (1, 83, 85)",
        ),
        (lambda p: pose_network(p), "images (1, 64, 64, 3)"),
    ],
)
def test_another_form_is_refused_with_what_it_has(tmp_path, build, has):
    with pytest.raises(ValueError) as no:
        detection.get(build(tmp_path / "other.onnx"))
    said = str(no.value)
    assert "\n" not in said and said.count("Received: ") == 1
    for form in ("YOLOX", "RTMDet", "D-FINE, RT-DETR or DEIM", "RF-DETR"):
        assert form in said
    assert "other.onnx with inputs " in said and has in said


def pose_network(path):
    """As `export.py` makes it: NHWC."""
    graph = graphs.Graph(images=(1, [1, 64, 64, 3]))
    joints = graph.constant(np.zeros((1, 16, 2)))
    graph.output("joints", joints, [1, 16, 2])
    return graph.save(path)


def test_what_is_no_onnx_file_is_one_sentence(tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(b"no protobuf at all")
    with pytest.raises(ValueError, match="cut.onnx is not an ONNX file") as no:
        detection.get(path)
    assert "\n" not in str(no.value)
