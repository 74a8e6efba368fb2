"""Tests for predictions of folders: what goes in comes out or is counted."""

import contextlib
import dataclasses
import io
import json
import os
import shutil

import cv2
import keras
import numpy as np
import pytest
from PIL import Image
from pycocotools import coco

from integral_tf import config as configs
from integral_tf import skeletons
from integral_tf.inference import predict as predicting
from integral_tf.models import archive
from tests.inference import cases

FISH = dataclasses.replace(skeletons.LSP, name="fish", categories=(3,))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of fish; each joint is the middle of its box."""
    return cases.flat_model(tmp_path_factory.mktemp("model"), FISH)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def predict(model, folder, tmp_path):
    def run(boxes=None, **settings):
        if boxes is not None:
            (tmp_path / "boxes.json").write_text(json.dumps(boxes))
            settings["boxes"] = str(tmp_path / "boxes.json")
        settings.setdefault("model", model)
        return predicting.predict(
            configs.PredictConfig(
                images=str(folder), out=str(tmp_path / "out"), **settings
            )
        )

    return run


def photograph(path, red=0, width=64, height=48, **how):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = red
    Image.fromarray(picture).save(path, **how)


def box(image_id, *corner, **fields):
    return {
        "image_id": image_id, "category_id": 3,
        "bbox": [*(corner or (10, 10)), 21, 11], "score": 0.9, **fields,
    }  # fmt: skip


def test_one_bad_row_does_not_end_the_others(predict, folder, capsys):
    for i in range(1, 6):
        photograph(folder / f"{i}.jpg")
    rows = [box(i) for i in range(1, 6)]
    bad = [
        box(5, bbox=[9.5, 20, 0, 30]),
        box(5, bbox=[1, 2, float("nan"), 3]),
        box(5, bbox=[1, 2, 3]),
        box(5, bbox=[1, 2, "3", 4]),
        box(5, bbox=[-499734.75, -499825.0, 877958.5, 1170611.3]),
        3,
        {"bbox": [1, 2, 3, 4]},
    ]
    results = predict(rows + bad)
    assert [row["image_id"] for row in results] == [1, 2, 3, 4, 5]
    for row in results:  # a box of 21 x 11 from (10, 10)
        np.testing.assert_allclose(row["keypoints"][:2], [20, 15])
    said = capsys.readouterr().out
    for i in range(5, 12):
        assert f"skipped boxes[{i}]" in said
    assert "'image_id': 5" in said
    assert "5 people in 5 images; left out: " in said
    for count in (
        "1 box without a positive width and height",
        "1 box with a number that is not finite",
        "2 boxes without four numbers",
        "1 box beyond 100000 pixels",
        "1 box without any field",
        "1 box without a file_name or an image_id",
    ):
        assert count in said


def test_results_are_of_the_models_category_and_pycocotools_reads_them(
    predict, folder, tmp_path, capsys
):
    for name in ("1.jpg", "000000000002.jpg", "dog.jpg"):
        photograph(folder / name)
    results = predict(
        [
            box(1),
            box(2, category_id=1),  # a person, not a fish
            box(2),
            {"file_name": "dog.jpg", "image_id": 77, "bbox": [1, 2, 3, 4]},
        ]
    )
    assert "1 box of another category than 3 (1)" in capsys.readouterr().out
    assert [(row["image_id"], row["category_id"]) for row in results] == [
        (2, 3), (1, 3), (77, 3),
    ]  # fmt: skip
    truth = coco.COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": 1}, {"id": 2}, {"id": 77}],
        "categories": [{"id": 3, "name": "fish"}],
        "annotations": [],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        read = truth.loadRes(str(tmp_path / "out" / "joints.json"))
    assert len(read.getAnnIds(catIds=[3])) == 3


def test_whole_images_are_of_the_models_category(predict, folder):
    photograph(folder / "7.png")
    photograph(folder / "dog.png")
    seven, dog = predict()
    assert (seven["image_id"], seven["category_id"]) == (7, 3)
    assert "image_id" not in dog


@pytest.mark.parametrize(
    "names, drawings",
    [
        (["dog.jpg", "dog.png"], ["dog.jpg", "dog.png.png"]),
        (
            ["a.jpg", "a.png", "a.jpg.png", "a.png.png"],
            ["a.jpg", "a.jpg.png.png", "a.png.png", "a.png.png.png"],
        ),
        (["a.JPG", "b.jpeg", "c.bmp"], ["a.JPG", "b.jpeg", "c.png"]),
    ],
)
def test_every_photograph_has_a_drawing(
    predict, folder, tmp_path, names, drawings
):
    # Each of another red, so that a drawing shows whose it is.
    for i, name in enumerate(names):
        photograph(folder / name, 60 * (i + 1))
    results = predict()
    assert sorted(row["file_name"] for row in results) == sorted(names)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*drawings, "joints.json"]
    )
    reds = sorted(
        round(cv2.imread(str(path))[0, 0, 2] / 60)
        for path in out.iterdir()
        if path.suffix != ".json"
    )
    assert reds == list(range(1, len(names) + 1))


def test_what_is_in_a_folder_is_read_or_counted(predict, folder, capsys):
    for name in ("a.jpg", "b.JPG", "c.tif", "d.gif", "e.webp"):
        photograph(folder / name)
    with Image.open(folder / "d.gif") as image:
        more = [image.convert("L").point(lambda value: 255 - value)] * 2
        image.save(folder / "d.gif", save_all=True, append_images=more)
    for name in ("f.heic", "g.heic", "labels.txt", ".DS_Store"):
        (folder / name).write_bytes(b"...")
    (folder / "more.jpg").mkdir()
    photograph(folder / "more.jpg" / "a.jpg")
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:200])
    (folder / "text.png").write_text("no picture")
    results = predict()
    assert len(results) == 5
    said = capsys.readouterr().out
    assert (
        "5 people in 5 images; no sure joint in 5 images, not drawn; left out: "
    ) in said
    for count in (
        "4 files of an ending that is not read (.DS_Store, .heic, .txt)",
        "1 folder in the folder (more.jpg)",
        "2 files not read: a pipe, or a broken link",
        "1 image not read: image file is no picture",
        "1 file of several pictures, of which the first is read (d.gif)",
    ):
        assert count in said
    for name in ("gone.jpg", "pipe.jpg", "cut.jpg", "text.png"):
        assert f"skipped {folder / name}" in said


def test_boxes_of_an_image_that_is_not_read_are_counted(
    predict, folder, capsys
):
    photograph(folder / "1.jpg")
    (folder / "2.jpg").write_text("no picture")
    assert len(predict([box(1), box(2), box(2), box(3)])) == 1
    said = capsys.readouterr().out
    assert "1 box of another image (3)" in said
    assert "2 boxes of an image that is not read (2.jpg)" in said


def test_a_number_that_two_images_have_is_no_name(predict, folder, capsys):
    photograph(folder / "42.jpg")
    photograph(folder / "042.png")
    (row,) = predict([box(42), box(42, file_name="042.png")])
    assert row["file_name"] == "042.png"
    assert "whose image_id several images have" in capsys.readouterr().out


@pytest.mark.parametrize(
    "rows, message",
    [
        (
            [box(9)],
            r"1 box of another image \(9\).*first row is .*'image_id': 9",
        ),
        ([box(1, category_id=1)], r"1 box of another category than 3 \(1\)"),
        ([box(1, score=0.1)], "1 box below --min_box_score=0.5"),
        ([box(1, bbox=[0, 0, 0, 0])], "1 box without a positive width"),
        ([], "first row is none"),
    ],
)
def test_where_no_box_is_left_the_message_says_why(
    predict, folder, tmp_path, rows, message
):
    photograph(folder / "1.jpg")
    with pytest.raises(ValueError, match=f"such as 1.jpg.*{message}"):
        predict(rows)
    assert not (tmp_path / "out").exists()


def test_where_nothing_can_be_read_the_message_says_what(predict, folder):
    with pytest.raises(FileNotFoundError, match="Received: --images="):
        predict()
    (folder / "a.heic").write_text("")
    with pytest.raises(FileNotFoundError, match=r"left out: 1 file .*\.heic"):
        predict()
    (folder / "a.png").write_text("no picture")
    with pytest.raises(ValueError, match="No image could be read.*a.png"):
        predict()


def test_boxes_of_unreadable_images_alone_are_refused(predict, folder):
    photograph(folder / "1.jpg")
    (folder / "2.jpg").write_text("no picture")
    with pytest.raises(ValueError, match="any image that could be read"):
        predict([box(2)])


def test_a_photograph_may_be_longer_than_a_box(predict, folder):
    photograph(folder / "river.png", width=100_001, height=2)
    (person,) = predict()
    assert person["bbox"] == [0, 0, 100_001, 2]


def test_a_telephones_portrait_is_predicted_upright(predict, folder):
    tag = Image.Exif()
    tag[0x0112] = 6  # stored lying, 120 x 80; shown upright, 80 x 120
    photograph(folder / "phone.jpg", width=120, height=80, exif=tag)
    (person,) = predict()
    assert person["bbox"] == [0, 0, 80, 120]
    np.testing.assert_allclose(person["keypoints"][:2], [39.5, 59.5])


def test_a_model_that_knows_no_joints_says_what_it_guesses(
    predict, model, folder, tmp_path
):
    plain = keras.saving.load_model(model)
    plain.save(tmp_path / "copy.keras")
    photograph(folder / "a.png")
    copy = str(tmp_path / "copy.keras")
    with pytest.warns(UserWarning, match="taken for those of lsp"):
        (person,) = predict(model=copy)
    assert person["category_id"] == 1
    with pytest.raises(ValueError, match="A flip test swaps left and right"):
        predict(model=copy, flip_test=True)
    (tmp_path / "fish.json").write_text(archive.to_json(FISH))
    (person,) = predict(
        model=copy, flip_test=True, skeleton=str(tmp_path / "fish.json")
    )
    assert person["category_id"] == 3
    shutil.copy(tmp_path / "fish.json", tmp_path / "skeleton.json")
    (person,) = predict(model=copy, flip_test=True)
    assert person["category_id"] == 3
