"""Tests for COCO's form, on files made up here and, where it is, on COCO."""

import collections
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from integral_tf import skeletons
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import schema

REAL = pathlib.Path(__file__).parents[3] / "shared" / "data" / "coco"
ANIMAL = {
    "id": 7,
    "name": "animal",
    "keypoints": ["nose", "left_paw", "right_paw", "back", "tail"],
    "skeleton": [[1, 4], [4, 5]],
}


def keypoints(*labelled, x=30, y=20):
    """Five keypoints in a row from (x, y), 10 apart, of these visibilities."""
    flags = [*labelled, *[0] * (5 - len(labelled))]
    points = [(x + 10 * k, y, v) if v else (0, 0, 0)
              for k, v in enumerate(flags)]  # fmt: skip
    return [value for point in points for value in point]


def row(number, image_id=1, labels=None, bbox=(20, 10, 50, 30), **fields):
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 7,
        "iscrowd": 0,
        "area": 600.0,
        "bbox": list(bbox),
        "keypoints": labels or keypoints(2, 1, 2),
        "segmentation": [[0, 0, 9, 0, 9, 9]],
        **fields,
    }


def write(folder, annotations, images=(1,), size=(100, 80)):
    """A keypoint file and its images, 100 x 80 pixels each."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in images:
        noise = np.random.default_rng(number).integers(0, 256, (80, 100, 3))
        path = folder / "images" / f"{number:012d}.jpg"
        Image.fromarray(noise.astype(np.uint8)).save(path)
    whole = {
        "info": {"description": "made up"},
        "images": [
            {"id": number, "file_name": f"{number:012d}.jpg",
             "width": size[0], "height": size[1], "license": 1}
            for number in images
        ],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "plant"}, ANIMAL],
    }  # fmt: skip
    (folder / "keypoints.json").write_text(json.dumps(whole))
    return folder / "keypoints.json"


def read(folder):
    return coco.read(folder / "keypoints.json", "animal")


def kept(folder, split="train"):
    """The only annotation's person."""
    ((_, annotation),) = coco.people(read(folder), folder / "images", split)
    return coco.person(annotation)


def test_a_person_is_what_the_file_says(tmp_path):
    write(tmp_path, [row(31, bbox=(20.25, 10.5, 50, 30))])
    person = kept(tmp_path)
    assert (person.image_id, person.source_id) == (1, "train/31")
    # COCO's numbers of pixels count from 0, as the image frame does.
    np.testing.assert_array_equal(
        person.joints, [(30, 20), (40, 20), (50, 20), (0, 0), (0, 0)]
    )
    np.testing.assert_array_equal(person.visible, [2, 1, 2, 0, 0])
    np.testing.assert_array_equal(person.box, (20.25, 10.5, 50, 30))
    assert (person.area, person.score, person.head_size) == (600, 1, 0)
    assert person.outside == 0
    assert person.image.shape == (80, 100, 3)


@pytest.mark.parametrize(
    "bbox, clipped",
    [
        # By hand: left, top, right and bottom edge within 0, 0, 100 and 80.
        ((-5, -10, 25, 40), (0, 0, 20, 30)),
        ((90, 70, 30, 30), (90, 70, 10, 10)),
        ((-10, 20, 200, 10), (0, 20, 100, 10)),
        ((0, 0, 100, 80), (0, 0, 100, 80)),
    ],
)
def test_a_box_is_clipped_to_the_image(tmp_path, bbox, clipped):
    write(tmp_path, [row(1, bbox=bbox)])
    person = kept(tmp_path)
    np.testing.assert_array_equal(person.box, clipped)
    assert person.area == 600  # the outline's, not the box's


def test_a_keypoint_outside_the_image_is_unlabelled(tmp_path):
    # x = 95, 105, ...: the second and third are beyond column 99.
    write(tmp_path, [row(1, labels=keypoints(2, 2, 2, x=95))])
    person = kept(tmp_path)
    np.testing.assert_array_equal(person.visible, [2, 0, 0, 0, 0])
    np.testing.assert_array_equal(person.joints[1:], 0)
    assert person.outside == 2


def test_the_outermost_pixels_are_inside(tmp_path):
    labels = [0, 0, 2, 99, 79, 2] + [0] * 9
    write(tmp_path, [row(1, labels=labels)])
    assert kept(tmp_path).outside == 0


def test_an_area_that_is_not_there_is_the_boxs(tmp_path):
    bare = row(1, area=0)
    write(tmp_path, [bare])
    assert kept(tmp_path).area == 50 * 30
    del bare["area"], bare["iscrowd"]
    write(tmp_path, [bare])
    assert kept(tmp_path).area == 50 * 30


def test_the_image_may_have_no_size_in_the_file(tmp_path):
    write(tmp_path, [row(1)], size=(None, None))
    assert kept(tmp_path).image.shape == (80, 100, 3)


def remove(path):
    path.unlink()


def fill_with_text(path):
    path.write_text("no picture")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3000])


@pytest.mark.parametrize(
    "annotation, harm, reason",
    [
        (row(1, iscrowd=1), None, "a crowd, not one person"),
        (row(1, labels=keypoints()), None, "no labelled keypoint"),
        (row(1, labels=[0] * 15), remove, "no labelled keypoint"),
        (row(1, image_id=2), None, "image not in the annotations"),
        (row(1), remove, "image file missing"),
        (row(1), fill_with_text, "image file is no picture that Pillow reads"),
        (row(1), truncate, "image truncated or damaged"),
        (
            row(1, bbox=(100, 5, 9, 9)),
            None,
            "box without area inside the image",
        ),
        (row(1, bbox=(5, -9, 9, 9)), None, "box without area inside the image"),
        (
            row(1, labels=keypoints(2, 2, x=101)),
            None,
            "no labelled keypoint inside the image",
        ),
    ],
)
def test_says_why_a_person_is_dropped(tmp_path, annotation, harm, reason):
    write(tmp_path, [annotation])
    if harm:
        harm(tmp_path / "images" / f"{1:012d}.jpg")
    with pytest.raises(schema.Dropped, match=f"^{reason}$"):
        kept(tmp_path)


def test_an_image_of_another_size_is_not_the_annotated_one(tmp_path):
    # Resized after it was labelled: every joint would lie elsewhere.
    write(tmp_path, [row(1)], size=(200, 160))
    with pytest.raises(schema.Dropped, match="^image of another size than"):
        kept(tmp_path)


def test_names_tell_the_splits_apart(tmp_path):
    write(tmp_path, [row(5), row(6)])
    names = [
        name
        for split in ("train", "val")
        for name, _ in coco.people(read(tmp_path), tmp_path / "images", split)
    ]
    assert names == ["train/5", "train/6", "val/5", "val/6"]
    assert [coco.split_of(name) for name in names] == ["train"] * 2 + [
        "val"
    ] * 2


def test_what_is_read_is_what_evaluation_needs(tmp_path):
    write(
        tmp_path,
        [
            row(1),
            row(2, iscrowd=1, labels=keypoints()),
            row(3, category_id=1),  # a plant
            row(4, image_id=2, labels=keypoints(0, 1), num_keypoints=99),
        ],
        images=(1, 2),
    )
    truth = read(tmp_path)
    assert truth["categories"] == [ANIMAL]
    assert truth["images"][0] == {
        "id": 1, "file_name": "000000000001.jpg", "width": 100, "height": 80,
    }  # fmt: skip
    # Crowds stay: a detection in one is not held against a model.
    assert [a["id"] for a in truth["annotations"]] == [1, 2, 4]
    # Counted, not taken from the file.
    assert [a["num_keypoints"] for a in truth["annotations"]] == [3, 0, 1]
    assert truth["annotations"][0] == {
        "id": 1, "image_id": 1, "category_id": 7, "iscrowd": 0, "area": 600,
        "num_keypoints": 3, "bbox": [20, 10, 50, 30],
        "keypoints": [30, 20, 2, 40, 20, 1, 50, 20, 2, 0, 0, 0, 0, 0, 0],
    }  # fmt: skip


@pytest.mark.parametrize(
    "change, message",
    [
        ({"annotations": None}, "lists images, annotations and categories"),
        ({"categories": [ANIMAL | {"name": "bird"}]}, "keypoints for bird"),
        ({"categories": []}, "keypoints for no category"),
        ({"categories": [5, None, {"name": ["x"]}]}, "for no category"),
        (
            {"images": [{"id": 1, "file_name": f"{n}.jpg"} for n in "ab"]},
            "Two of the images have the same id. Received: a.jpg and b.jpg",
        ),
    ],
)
def test_refuses_another_form(tmp_path, change, message):
    path = write(tmp_path, [row(1)])
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        read(tmp_path)


def test_refuses_what_is_no_json_and_what_is_not_there(tmp_path):
    path = write(tmp_path, [row(1)])
    with pytest.raises(FileNotFoundError, match="images=.*nowhere"):
        coco.people(read(tmp_path), tmp_path / "nowhere", "train")
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ValueError, match="not a JSON file.*annotations="):
        read(tmp_path)
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ValueError, match="not a JSON file.*annotations="):
        read(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no such JSON.*annotations="):
        read(tmp_path)


def box(score, bbox=(20, 10, 50, 30), image_id=1, category_id=7):
    return {
        "image_id": image_id,
        "category_id": category_id,
        "bbox": list(bbox),
        "score": score,
    }


def detected(folder, rows, min_score=0.0):
    (folder / "boxes.json").write_text(json.dumps(rows))
    return coco.detections(
        read(folder), folder / "images", folder / "boxes.json", "val", min_score
    )


def test_detections_are_people_without_labels(tmp_path):
    write(tmp_path, [row(1)])
    rows = [
        box(0.9),
        box(0.5, (-5, 60, 30, 40)),
        box(0.8, category_id=1),  # a plant
        box(0.49),
        box(0.7, image_id=3),
        box(0.6, (200, 0, 9, 9)),
    ]
    found, reasons = [], []
    for name, annotation in detected(tmp_path, rows, min_score=0.5):
        try:
            found.append(coco.person(annotation))
            assert found[-1].source_id == name
        except schema.Dropped as reason:
            reasons.append(str(reason))
    assert [person.source_id for person in found] == ["val/box0", "val/box1"]
    assert [person.score for person in found] == [0.9, 0.5]
    np.testing.assert_array_equal(found[0].box, (20, 10, 50, 30))
    np.testing.assert_array_equal(found[1].box, (0, 60, 25, 20))
    for person in found:
        assert person.visible.shape == (5,) and not person.visible.any()
        assert (person.area, person.image_id, person.outside) == (0, 1, 0)
    assert reasons == [
        "box of another category",
        "box scored below 0.5",
        "image not in the annotations",
        "box without area inside the image",
    ]


@pytest.mark.parametrize(
    "rows, message",
    [
        ([], r"No box is of category 7 \(animal\) in one of the images"),
        ([box(1, category_id=1)], "No box is of category 7"),
        ([box(1, image_id=9)], "No box is of category 7"),
        ({"annotations": []}, "a JSON list of {image_id"),
        ([5], "images: box that is no object .5."),
        ([box(0.9, (1, 2, 3))], "box without area, or beyond all images"),
        ([box(float("nan"))], "without a score that is a number"),
        ([box(10**400)], "without a score that is a number"),
        ([box(700)], "whose score is not from 0 to 1"),
        ([box(-0.1)], "whose score is not from 0 to 1"),
    ],
)
def test_refuses_boxes_that_are_none(tmp_path, rows, message):
    write(tmp_path, [row(1)])
    with pytest.raises(ValueError, match=f"{message}.*Received: boxes="):
        detected(tmp_path, rows)


real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no COCO images in {REAL}")


@real
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_people_are_counted_as_the_file_has_them(split):
    path = REAL / "annotations" / f"person_keypoints_{split}2017.json"
    whole = json.loads(path.read_text())
    # From the file alone, by the fields that the other code does not read.
    expected = collections.Counter(
        "a crowd, not one person" if a["iscrowd"]
        else "kept" if a["num_keypoints"]
        else "no labelled keypoint"
        for a in whole["annotations"]
    )  # fmt: skip
    truth = coco.read(path)
    assert coco_skeleton.from_category(truth["categories"][0]) is skeletons.COCO
    found, outside = collections.Counter(), 0
    for _, annotation in coco.people(truth, REAL / f"{split}2017", split):
        try:
            person = coco.person(annotation)
        except schema.Dropped as reason:
            found[str(reason)] += 1
            continue
        found["kept"] += 1
        outside += person.outside
        height, width = person.image.shape[:2]
        x, y, w, h = person.box
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        # An outline is within its box, up to rounding.
        assert 0 < person.area <= w * h + 1
        labelled = person.visible > 0
        raw = next(
            a["keypoints"]
            for a in whole["annotations"]
            if f"{split}/{a['id']}" == person.source_id
        )
        np.testing.assert_array_equal(
            person.joints[labelled], np.reshape(raw, (17, 3))[labelled, :2]
        )
    assert found == expected
    assert outside == 0


@real
def test_real_detections_are_all_people():
    boxes = REAL / "person_detections_val2017.json"
    truth = coco.read(REAL / "annotations" / "person_keypoints_val2017.json")
    listed = coco.detections(truth, REAL / "val2017", boxes, "val", 0.5)
    scores = [one["score"] for one in json.loads(boxes.read_text())]
    assert len(listed) == len(scores)
    kept = [annotation for _, annotation in listed if not annotation.problem]
    assert [a.score for a in kept] == [s for s in scores if s >= 0.5]
    for annotation in kept:
        assert coco.person(annotation).score == annotation.score
