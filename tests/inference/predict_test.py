"""Tests for predictions of photographs and videos, as files."""

import json

import numpy as np
import pytest

from integral_tf import config as configs
from integral_tf import ownership
from integral_tf.inference import draw
from integral_tf.inference import predict as predicting
from tests.detection import graphs
from tests.inference import cases


def test_photographs_may_follow_a_video(predict, clip, tmp_path):
    predict(clip)
    photo = tmp_path / "000000000042.png"
    draw.save(np.zeros((40, 30, 3), np.uint8), photo)
    results = predict(photo, [{"image_id": 42, "bbox": [0, 0, 21, 31]}])
    out = tmp_path / "out"
    assert cases.files(out) == ["000000000042.png", "joints.json"]
    assert json.loads((out / "joints.json").read_text()) == results
    (person,) = results
    assert person["file_name"] == photo.name
    np.testing.assert_allclose(person["keypoints"][:2], [10, 15])


def test_a_detector_finds_the_people(predict, photos, tmp_path, capsys):
    shares = [[0.25, 0.5, 0.5, 1], [0, 0, 0.5, 0.5]]
    graphs.detr(tmp_path / "dfine.onnx", shares, [0, 16])
    results = predict(
        photos, detector=str(tmp_path / "dfine.onnx"), min_box_score=0.0
    )
    # A quarter to a half of the width, the lower half; the other is a dog.
    assert [(row["file_name"], row["bbox"]) for row in results] == [
        ("a.png", [32, 32, 32, 32]),
        ("b.png", [16, 64, 16, 64]),
    ]
    np.testing.assert_allclose(results[0]["keypoints"][:2], [47.5, 47.5])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("detector: dfine.onnx, recognised as D-FINE, ")
    assert rest[0] == "2 people in 2 images"


def test_pictures_of_nobody_are_counted(
    predict, photos, clip, tmp_path, capsys
):
    graphs.detr(tmp_path / "dfine.onnx", [[0, 0, 1, 1]] * 2, [16, 16])
    detector = str(tmp_path / "dfine.onnx")
    assert predict(photos, detector=detector) == []
    said = capsys.readouterr().out
    assert "0 people in 2 images; nobody found in 2 images" in said
    assert cases.files(tmp_path / "out") == ["a.png", "b.png", "joints.json"]
    frames = predict(clip, detector=detector)
    assert [line["people"] for line in frames] == [[]] * cases.FRAMES
    assert "nobody found in 10 frames" in capsys.readouterr().out


def test_ellipses_without_covariances_are_refused(predict, photos):
    # Flat maps have no sure joint, so that the pictures are not drawn.
    with pytest.raises(ValueError, match="Ellipses are drawn of covariances"):
        predict(photos, ellipses=True)


def test_boxes_and_a_detector_are_one_too_many(predict, photos, tmp_path):
    with pytest.raises(ValueError, match="give one of the two.*--detector='o"):
        predict(photos, [{"bbox": [0, 0, 1, 1]}], detector="opencv")
    assert not (tmp_path / "out").exists()


def test_boxes_alone_are_of_the_one_photograph(predict, photos, tmp_path):
    boxes = [[0, 0, 21, 31], [10, 20, 11, 9, 0.9]]
    results = predict(photos / "a.png", boxes)
    assert [row["bbox"] for row in results] == [boxes[0], boxes[1][:4]]
    with pytest.raises(ValueError, match="2 boxes without a file_name"):
        predict(photos, boxes)


def test_a_csv_names_photographs(predict, photos, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("file_name,x,y,width,height\nb.png,0,0,21,31\n")
    (row,) = predict(photos, path)
    assert (row["file_name"], row["bbox"]) == ("b.png", [0, 0, 21, 31])


def test_other_folders_are_not_replaced(predict, clip, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds other things"):
        predict(clip)


def test_a_folder_that_another_writes_is_refused(predict, clip, tmp_path):
    with ownership.of(tmp_path / "out", beside=True):
        with pytest.raises(BlockingIOError, match="Another process is writing"):
            predict(clip)
    predict(clip)
    assert cases.files(tmp_path) == ["clip.avi", "out"]


def test_a_folder_that_holds_more_is_not_replaced(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    out.mkdir()
    (photos / "1.png").write_bytes(b"mine")
    (photos / "joints.json").write_text("[]")
    (out / "joints.json").write_text("[]")
    (out / "notes.txt").write_text("mine")
    for folder, said in (
        (photos, "the pictures that are read"),
        (out, "notes.txt"),
    ):
        asked = configs.PredictConfig(images=str(photos), out=str(folder))
        with pytest.raises(FileExistsError, match=said):
            predicting.predict(asked)
    assert (photos / "1.png").read_bytes() == b"mine"
    assert (out / "notes.txt").read_text() == "mine"
