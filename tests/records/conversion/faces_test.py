"""Tests for reading the faces of WFLW, MTFL and 300W.

The files are written after their published descriptions: the READMEs of WFLW
and MTFL, and the .pts of https://ibug.doc.ic.ac.uk/resources/300-W/. Numbers
of points that a mirror exchanges are those of the data sets' mark-ups, counted
from 0, by hand.
"""

import json
import pathlib

import numpy as np
import pytest

from integral_tf import builds
from integral_tf import units
from integral_tf.records import build_coco
from integral_tf.records import coco_skeleton
from integral_tf.records.conversion import face_points
from integral_tf.records.folder import Records
from tests.records.conversion import conversions

SHARED = pathlib.Path(__file__).parents[4] / "shared" / "data" / "formats"
REAL = SHARED / "coco-form" / "wflw" / "test_wflw.json"
# Runs of points: the first, the point that a mirror makes of it, the number
# of points, and whether the other side goes backwards.
WFLW = (
    (0, 32, 16, -1), (33, 46, 5, -1), (38, 50, 4, -1),
    (55, 59, 2, -1), (60, 72, 5, -1), (65, 75, 3, -1), (76, 82, 3, -1),
    (83, 87, 2, -1), (88, 92, 2, -1), (93, 95, 1, -1), (96, 97, 1, -1),
)  # fmt: skip
IBUG = (
    (0, 16, 8, -1), (17, 26, 5, -1), (31, 35, 2, -1), (36, 45, 4, -1),
    (40, 47, 2, -1), (48, 54, 3, -1), (55, 59, 2, -1), (60, 64, 2, -1),
    (65, 67, 1, -1),
)  # fmt: skip


def order(runs, count):
    """The number of each point's partner."""
    partners = list(range(count))
    for first, other, length, step in runs:
        for k in range(length):
            partners[first + k] = other + step * k
            partners[other + step * k] = first + k
    return partners


def face(count, seed=0):
    """Points in 60 x 50 pixels, with six decimals as WFLW has them."""
    rng = np.random.default_rng(seed)
    return np.round(rng.uniform((12, 12), (40, 40), (count, 2)), 6)


def line(points, name, rectangle=(10, 11, 42, 43), flags="0 1 0 0 1 0"):
    numbers = " ".join(f"{value:.6f}" for value in points.ravel())
    rectangle = " ".join(map(str, rectangle))
    return " ".join(f"{numbers} {rectangle} {flags} {name}".split()) + "\n"


def pts(points):
    rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)
    return f"version: 1\nn_points:  {len(points)}\n{{\n{rows}\n}}\n"


@pytest.mark.parametrize(
    "category, runs",
    [(face_points.WFLW, WFLW), (face_points.IBUG, IBUG)],
    ids=["wflw", "300w"],
)
def test_a_mirror_exchanges_the_sides(category, runs):
    skeleton = coco_skeleton.from_category(
        {
            "name": category.name,
            "keypoints": list(category.keypoints),
            "flip_pairs": [list(pair) for pair in category.flip_pairs],
            "skeleton": [list(limb) for limb in category.limbs],
        }
    )
    mirrored = skeleton.mirrored_order
    assert mirrored == order(runs, len(skeleton))
    assert [mirrored[k] for k in mirrored] == list(range(len(skeleton)))
    # A mirror makes a limb of a limb, or the line is drawn askew.
    limbs = {frozenset(limb) for limb in category.limbs}
    assert limbs == {
        frozenset(mirrored[k - 1] + 1 for k in limb) for limb in limbs
    }


def test_the_named_points_are_where_the_mark_up_has_them():
    wflw, ibug = face_points.WFLW.keypoints, face_points.IBUG.keypoints
    assert (len(wflw), len(ibug)) == (98, 68)
    assert (wflw[60], wflw[72]) == ("right_eye_outer", "left_eye_outer")
    assert (ibug[36], ibug[45]) == ("right_eye_outer", "left_eye_outer")
    assert (wflw[16], ibug[8]) == ("chin", "chin")
    assert (wflw[64], wflw[68]) == ("right_eye_inner", "left_eye_inner")
    assert (wflw[76], wflw[82]) == ("right_mouth_corner", "left_mouth_corner")
    assert (wflw[96], wflw[97]) == ("right_pupil", "left_pupil")
    assert (ibug[33], ibug[57]) == ("nose_base", "lower_lip")


def test_a_line_of_wflw_is_a_face(tmp_path):
    conversions.picture(tmp_path / "images" / "0--Parade" / "a_1.png")
    name, two = "0--Parade/a_1.png", face(98, 1)
    text = tmp_path / "list_98pt_rect_attr_train.txt"
    text.write_text(
        line(face(98), name)
        + "\n"
        + line(two, name, rectangle=(), flags="")
        + line(face(97), name)
        + line(face(98), name).replace("0.", "nan.", 1)
        + line(np.full((98, 2), 1e30), name)
        + line(face(98, 2), name, rectangle=(9, 9, 9, 20))
    )
    done = conversions.run(text, tmp_path / "images")
    assert len(done.people) == 3
    np.testing.assert_allclose(done.people[0].joints, face(98))
    np.testing.assert_allclose(done.people[1].joints, two)
    assert (done.people[0].visible == 2).all()
    assert done.people[0].box.tolist() == [10, 11, 32, 32]
    boxes = [person.box for person in done.found.people]
    assert boxes[1:] == [None, None]
    assert done.content["images"] == [
        {"id": 1, "file_name": name, "width": 60, "height": 50}
    ]
    assert done.found.pictures[0].split == "train"
    assert conversions.counts(done.found) == {
        "line other than 207 or 197 fields": 1,
        "line with texts for numbers": 1,
        "line with numbers beyond all pictures": 1,
    }


def test_a_folder_of_wflw_has_its_splits(tmp_path):
    inside = tmp_path / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    inside.mkdir(parents=True)
    for split, name in (("train", "a"), ("test", "b")):
        conversions.picture(tmp_path / f"{name}.png")
        path = inside / f"list_98pt_rect_attr_{split}.txt"
        path.write_text(line(face(98), f"{name}.png"))
    done = conversions.run(inside.parent, tmp_path, split="test")
    assert [p.picture for p in done.found.people] == ["b.png"]


def test_a_line_of_mtfl_is_a_face(tmp_path):
    # The x of both eyes, nose and corners of the mouth, then their y; the left
    # of the picture first, which is the person's right.
    right = "20.5 40.25 30 22 39 20 20.75 30 40 40.5 1 2 2 3"
    left_out = {
        "line other than 15 fields": right[:-2],
        "line with texts for numbers": right.replace("30", "x", 1),
        "line with numbers beyond all pictures": right.replace("30", "1e30"),
    }
    lines = [f"lfw_5590\\a.png {numbers}" for numbers in left_out.values()]
    conversions.picture(tmp_path / "lfw_5590" / "a.png")
    conversions.picture(tmp_path / "AFLW" / "b.png")
    text = tmp_path / "training.txt"
    text.write_text("\n".join([f"lfw_5590\\a.png {right}", "", *lines]))
    (tmp_path / "testing.txt").write_text(f"AFLW/b.png {right}\n")
    done = conversions.run(tmp_path, tmp_path, split="train")
    (person,) = done.people
    assert done.content["categories"][0]["keypoints"] == [
        *("right_eye", "left_eye", "nose"),
        *("right_mouth_corner", "left_mouth_corner"),
    ]
    assert person.joints.tolist() == [
        *([20.5, 20], [40.25, 20.75], [30, 30], [22, 40], [39, 40.5]),
    ]
    assert [each.picture for each in done.found.people] == ["lfw_5590/a.png"]
    assert conversions.counts(done.found) == dict.fromkeys(left_out, 1)
    alone = conversions.run(tmp_path / "testing.txt", tmp_path)
    assert [each.picture for each in alone.found.people] == ["AFLW/b.png"]


def test_points_of_300w_are_counted_from_1(tmp_path):
    # The centre of the first pixel is 1, 1 there, and 0, 0 here.
    points = face(68)
    points[0] = 1, 1
    (tmp_path / "outdoor").mkdir()
    for place in ("indoor_001", "outdoor/001"):
        conversions.picture(tmp_path / f"{place}.png")
        (tmp_path / f"{place}.pts").write_text(pts(points))
    (tmp_path / "indoor_002.pts").write_text(pts(face(51)))
    (tmp_path / "indoor_003.pts").write_text("version: 1\n1 2\n")
    (tmp_path / "indoor_004.pts").write_bytes(b"n_points {\xff}")
    bad = pts(face(68)).replace("{", "{ x ")
    (tmp_path / "indoor_005.pts").write_text(bad)
    bad = pts(np.full((68, 2), np.inf))
    (tmp_path / "indoor_006.pts").write_text(bad)
    done = conversions.run(tmp_path, tmp_path)
    names = [image["file_name"] for image in done.content["images"]]
    assert names == ["indoor_001.png", "outdoor/001.png"]
    for person in done.people:
        np.testing.assert_allclose(person.joints, points - 1, atol=1e-9)
    assert done.people[0].joints[0].tolist() == [0, 0]
    assert conversions.counts(done.found) == {
        "file of other than 68 points": 1,
        "file without n_points and points in { }": 1,
        "text in another encoding": 1,
        "file with texts for numbers": 1,
        "file with numbers beyond all pictures": 1,
    }
    alone = conversions.run(tmp_path / "indoor_001.pts", tmp_path)
    assert len(alone.people) == 1


def test_what_is_neither_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1 2 3 a.png\n")
    message = "A list of WFLW has lines of 207 or 197 fields"
    assert conversions.refuses(path, tmp_path, message, format="wflw")
    assert conversions.refuses(tmp_path, tmp_path, message, format="wflw")
    message = "A list of MTFL has lines of 15 fields"
    assert conversions.refuses(path, tmp_path, message, format="mtfl")
    message = "300W has a .pts for each picture"
    assert conversions.refuses(tmp_path, tmp_path, message, format="pts")


@pytest.mark.parametrize("kind", ["wflw", "pts"])
def test_errors_are_divided_by_the_outer_corners(tmp_path, kind):
    # From the set's own files to records in the distance of the eyes.
    first, second = {"wflw": (60, 72), "pts": (36, 45)}[kind]
    count = {"wflw": 98, "pts": 68}[kind]
    points = face(count)
    points[first], points[second] = (15, 20), (35, 20)
    conversions.picture(tmp_path / "a.png")
    if kind == "wflw":
        source = tmp_path / "list.txt"
        source.write_text(line(points, "a.png"))
    else:
        source = tmp_path / "a.pts"
        source.write_text(pts(points))
    done = conversions.run(source, tmp_path)
    path = tmp_path / "train.json"
    path.write_text(json.dumps(done.content))
    eyes = "right_eye_outer,left_eye_outer"
    build_coco.build_coco(
        builds.CocoConfig(
            out=str(tmp_path / "records"), image_size=16, normalise_by=eyes,
            val_annotations=str(path), val_images=str(tmp_path),
        )
    )  # fmt: skip
    records = Records.open(tmp_path / "records")
    assert records.unit.words == "right_eye_outer-left_eye_outer distances"
    assert units.lengths(
        eyes, records.skeleton, points[None], np.ones((1, count)), [[0] * 4]
    ) == [20]


@pytest.mark.skipif(not REAL.is_file(), reason=f"no faces of WFLW in {REAL}")
def test_the_names_fit_real_faces(tmp_path):
    # Faces of WFLW with its own numbers, as lines of its list. Seen along the
    # line of the eyes, the right one comes first, and lids are above and below.
    content = json.loads(REAL.read_text())
    files = {row["id"]: row["file_name"] for row in content["images"]}
    rows = content["annotations"]
    text = tmp_path / "list.txt"
    text.write_text(
        "".join(
            line(
                np.reshape(row["keypoints"], (98, 3))[:, :2],
                files[row["image_id"]], rectangle=(), flags="",
            )
            for row in rows
        )
    )  # fmt: skip
    for name in files.values():
        (tmp_path / name).write_bytes((REAL.parent / name).read_bytes())
    done = conversions.run(text, tmp_path)
    assert len(done.people) == len(rows) > 0
    place = dict(zip(face_points.WFLW.keypoints, range(98)))
    for person, row in zip(done.people, rows):
        np.testing.assert_allclose(
            person.joints, np.reshape(row["keypoints"], (98, 3))[:, :2],
            atol=1e-6,
        )  # fmt: skip
        at = {name: person.joints[k] for name, k in place.items()}
        along = at["left_eye_outer"] - at["right_eye_outer"]
        names = [
            "right_eye_outer", "right_pupil", "right_eye_inner",
            "left_eye_inner", "left_pupil", "left_eye_outer",
        ]  # fmt: skip
        places = [float(at[name] @ along) for name in names]
        assert places == sorted(places)
        down = np.array([-along[1], along[0]])
        for side in ("left", "right"):
            lids = [f"{side}_eye_top_2", f"{side}_eye_bottom_2"]
            heights = [float(at[name] @ down) for name in lids]
            assert heights == sorted(heights)
        heights = [
            float(at[name] @ down)
            for name in ("nose_bridge_1", "nose_base", "upper_lip", "chin")
        ]
        assert heights == sorted(heights)
