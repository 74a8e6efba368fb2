"""Tests for annotations in COCO's form, as other sets' files have them."""

import json

import numpy as np
import pytest
from PIL import Image

from integral_tf.records import coco
from tests.records import coco_files


@pytest.mark.parametrize(
    "change",
    [
        coco_files.without(coco_files.row(), "bbox"),
        coco_files.row(bbox=None),
        coco_files.row(bbox=[0, 0, 0, 0]),
        coco_files.row(bbox=[10, 11, 0, 20]),
        coco_files.row(bbox=[5, 5, 9, -1]),
        coco_files.row(bbox=[5, 5, float("nan"), 9]),
        coco_files.row(bbox=[5, 5, 1e9, 9]),
        coco_files.row(bbox=[1, 2, 3]),
        coco_files.row(bbox="box"),
        coco_files.row(bbox=[10**400, 1, 2, 3], area=1e308),  # in float32
    ],
)
def test_a_person_without_a_box_has_one_around_the_keypoints(tmp_path, change):
    path = coco_files.write(tmp_path, annotations=[change])
    truth, (person,), dropped, _ = coco_files.built(path)
    # By hand: the points span 20 x 20 pixels around the edge (20.5, 21.5), and
    # 1.25 times that is 25.
    np.testing.assert_allclose(person.box, (8, 9, 25, 25))
    assert person.area == 625 and dropped == []
    assert person.notes == (
        "box around its keypoints, as the file has none for it",
    )
    assert truth["annotations"][0]["area"] == 625


def test_a_lone_keypoint_has_the_box_of_its_pixel(tmp_path):
    points = [10, 11, 2, 0, 0, 0, 0, 0, 0]
    lone = coco_files.row(bbox=[10, 11, 0, 0], keypoints=points)
    path = coco_files.write(tmp_path, annotations=[lone])
    _, (person,), _, _ = coco_files.built(path)
    np.testing.assert_allclose(person.box, (10, 11, 1, 1))


@pytest.mark.parametrize(
    "bad, reason",
    [
        (5, "annotation that is no object"),
        (
            coco_files.row(id=True),
            "annotation with an id that is no whole number",
        ),
        (
            coco_files.row(id=2**64),
            "annotation with an id that is no whole number",
        ),
        (
            coco_files.row(id=1.5),
            "annotation with an id that is no whole number",
        ),
        (coco_files.row(image_id=77), "image not in the annotations"),
        (
            coco_files.without(coco_files.row(), "image_id"),
            "image not in the annotations",
        ),
        (coco_files.row(category_id=3), "annotation of another category"),
        (
            coco_files.row(keypoints=[1, 2, 2]),
            "keypoints other than 3 times x, y and",
        ),
        (coco_files.row(keypoints=7), "keypoints other than 3 times x, y and"),
        (
            coco_files.row(keypoints=["x", *coco_files.POINTS[1:]]),
            "keypoints that are no numbers",
        ),
        (
            coco_files.row(keypoints=[{}, *coco_files.POINTS[1:]]),
            "keypoints that are no numbers",
        ),
        (
            coco_files.row(keypoints=[10**400, *coco_files.POINTS[1:]]),
            "keypoints that are no num",
        ),
        (
            coco_files.row(keypoints=[float("nan"), *coco_files.POINTS[1:]]),
            "keypoints that are no",
        ),
        (
            coco_files.row(keypoints=[None, *coco_files.POINTS[1:]]),
            "keypoints that are no numbers",
        ),
    ],
)
def test_one_bad_annotation_is_left_out_and_named(tmp_path, bad, reason):
    categories = [{"id": 2, "name": "cat", "keypoints": coco_files.NAMES},
                  {"id": 3, "name": "twig"}]  # fmt: skip
    good = coco_files.row(id=31)
    path = coco_files.write(
        tmp_path, annotations=[bad, good], categories=categories
    )
    truth, (person,), ((why, example),), _ = coco_files.built(path)
    assert person.source_id == "train/31"
    assert why.startswith(reason) and example
    assert [r["id"] for r in truth["annotations"]] == [31]
    lists = {name: list(truth[name]) for name in ("images", "annotations")}
    json.dumps(truth | lists, allow_nan=False)


def test_ids_may_be_texts_or_missing(tmp_path):
    path = coco_files.write(
        tmp_path,
        images=[{"id": "a-1", "file_name": "a.png"}],
        annotations=[
            coco_files.without(coco_files.row(image_id="a-1"), "id"),
            coco_files.row(image_id="a-1", id="x"),
            coco_files.row(image_id="b-2"),
        ],
    )
    truth, kept, dropped, lines = coco_files.built(path)
    assert [(p.image_id, p.source_id) for p in kept] == [
        (1, "train/1"), (1, "train/2"),
    ]  # fmt: skip
    assert len(dropped) == 1 and "b-2" in dropped[0][1]
    assert "images are numbered by their places" in lines[0]
    assert "annotations are numbered by their places" in lines[1]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([
        {"image_id": "a-1", "category_id": 2, "bbox": [1, 2, 3, 4],
         "score": 0.5},
    ]))  # fmt: skip
    ((_, found),) = coco.detections(truth, tmp_path / "images", boxes, "val")
    assert found.image_id == 1 and found.category == 2


def test_numbers_may_be_written_as_texts_and_floats(tmp_path):
    path = coco_files.write(
        tmp_path,
        images=[{"id": "5", "file_name": "a.png", "width": 60.0,
                 "height": "50"}],
        annotations=[coco_files.row(image_id=5.0, category_id="2", id="9",
                         keypoints=[float(v) for v in coco_files.POINTS])],
    )  # fmt: skip
    truth, (person,), dropped, lines = coco_files.built(path)
    assert (person.image_id, person.source_id) == (5, "train/9")
    assert truth["images"][0]["width"] == 60
    assert lines == [] and dropped == []


def test_two_annotations_of_one_id_are_numbered_anew(tmp_path):
    path = coco_files.write(
        tmp_path, annotations=[coco_files.row(), coco_files.row()]
    )
    _, kept, _, (line,) = coco_files.built(path)
    assert [p.source_id for p in kept] == ["train/1", "train/2"]
    assert "two are 9" in line


@pytest.mark.parametrize("flag, labelled", [
    (0.9, 2), (3, 2), (1.0, 1), (-1, 0), (0.0, 0),
])  # fmt: skip
def test_a_visibility_above_0_is_labelled(tmp_path, flag, labelled):
    points = [*coco_files.POINTS[:6], 30, 31, flag]
    truth, (person,), _, lines = coco_files.built(
        coco_files.write(
            tmp_path, annotations=[coco_files.row(keypoints=points)]
        )
    )
    assert person.visible.tolist() == [2, 2, labelled]
    assert truth["annotations"][0]["num_keypoints"] == 2 + (labelled > 0)
    assert bool(lines) == (flag not in (0, 1, 2))


def test_what_others_leave_out_or_add_is_no_matter(tmp_path):
    bare = coco_files.without(coco_files.row(), "bbox")
    bare["keypoints"] = [
        coco_files.POINTS[:3],
        coco_files.POINTS[3:6],
        coco_files.POINTS[6:],
    ]  # nested
    path = coco_files.write(
        tmp_path,
        info=["made up"],
        licenses=None,
        videos=[{"id": 1}],
        annotations=[
            bare,
            coco_files.row(
                id=10, iscrowd="0", area="900", num_keypoints=None,
                segmentation={"counts": [1], "size": [2]},
            ),
            coco_files.row(id=11, keypoints=[]),
            coco_files.row(id=12, iscrowd=1),
        ],
    )  # fmt: skip
    truth, kept, dropped, _ = coco_files.built(path)
    assert [p.source_id for p in kept] == ["train/9", "train/10"]
    assert [reason for reason, _ in dropped] == [
        "no labelled keypoint", "a crowd, not one person",
    ]  # fmt: skip
    assert [r["area"] for r in truth["annotations"][:2]] == [625, 900]
    assert coco_files.self_score(truth) == pytest.approx(1.0)


@pytest.mark.parametrize("first", [0, 1, -3])
def test_annotation_ids_may_count_from_0(tmp_path, first):
    rows = [coco_files.row(id=first + n, image_id=n % 2) for n in range(6)]
    images = [{"id": n, "file_name": "a.png"} for n in range(2)]
    truth, _ = coco_files.read(
        coco_files.write(tmp_path, annotations=rows, images=images)
    )
    assert coco_files.self_score(truth) == pytest.approx(1.0)
    assert truth["annotations"][0]["id"] == first


@pytest.mark.parametrize(
    "name", ["../secret.png", "ABSOLUTE", "x/../../s.png", "LINK", "FOLDER"]
)
def test_no_photograph_outside_the_folder_is_read(tmp_path, name):
    secret = tmp_path / "secret.png"
    Image.fromarray(np.zeros((50, 60, 3), np.uint8)).save(secret)
    inside = tmp_path / "images"
    inside.mkdir(exist_ok=True)
    (inside / "link.png").symlink_to(secret)
    (inside / "up").symlink_to(tmp_path)
    name = {
        "ABSOLUTE": str(secret), "LINK": "link.png", "FOLDER": "up/secret.png",
    }.get(name, name)  # fmt: skip
    images = [{"id": 5, "file_name": name}]
    _, kept, ((reason, example),), _ = coco_files.built(
        coco_files.write(tmp_path, images=images)
    )
    assert kept == [] and reason.startswith("image file outside the folder")
    assert name in example or "s.png" in example


@pytest.mark.parametrize("name", ["images/a.png", r"..\b\a.png", "my%20a.png"])
def test_a_path_that_was_looked_for_is_named(tmp_path, name):
    images = [{"id": 5, "file_name": name}]
    _, _, ((reason, example),), _ = coco_files.built(
        coco_files.write(tmp_path, images=images)
    )
    assert reason == "image file missing"
    assert example == str(tmp_path / "images" / name)


@pytest.mark.parametrize("area", [1e308, float("inf"), -5, "large", None])
def test_an_area_that_records_cannot_hold_is_the_boxs(tmp_path, area):
    row = coco_files.row(bbox=[5, 5, 20, 30], area=area)
    path = coco_files.write(tmp_path, annotations=[row])
    _, (person,), dropped, _ = coco_files.built(path)
    assert person.area == 600 and dropped == []
