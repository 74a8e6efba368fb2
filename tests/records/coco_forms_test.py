"""Tests for COCO's form as the files of other sets and tools have it."""

import json
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import schema

FORMS = pathlib.Path(__file__).parents[3] / "shared/data/formats/coco-form"
NAMES = ["nose", "left_paw", "right_paw"]
POINTS = [10, 11, 2, 20, 21, 2, 30, 31, 1]


def write(folder, **parts):
    """A file of one image of 60 x 50 pixels, a cat and its annotation."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    grey = np.full((50, 60, 3), 99, np.uint8)
    Image.fromarray(grey).save(folder / "images" / "a.png")
    whole = {
        "images": [{"id": 5, "file_name": "a.png"}],
        "categories": [{"id": 2, "name": "cat", "keypoints": NAMES}],
        "annotations": [row()],
        **parts,
    }
    path = folder / "cats.json"
    path.write_text(json.dumps(whole))
    return path


def row(**fields):
    return {
        "id": 9,
        "image_id": 5,
        "category_id": 2,
        "bbox": [5, 5, 40, 40],
        "keypoints": POINTS,
        **fields,
    }


def without(fields, *names):
    return {k: v for k, v in fields.items() if k not in names}


def read(path, category=None, **options):
    """The truth, and the lines that were said of it."""
    lines = []
    return coco.read(path, category, say=lines.append, **options), lines


def built(path, category=None, **options):
    """Everyone kept, the reasons of the others, and what was said."""
    truth, lines = read(path, category, **options)
    kept, dropped = [], []
    for _, annotation in coco.people(truth, path.parent / "images", "train"):
        try:
            kept.append(coco.person(annotation))
        except schema.Dropped as reason:
            dropped.append((str(reason), reason.example))
    return truth, kept, dropped, lines


def self_score(truth):
    """AP of the truth itself, by both, and for the skeleton of the file."""
    sigmas = coco_skeleton.of_truth(truth).sigmas
    results = [
        {**{k: row[k] for k in ("image_id", "category_id", "keypoints")},
         "score": 1.0}
        for row in truth["annotations"]
        if row["num_keypoints"]
    ]  # fmt: skip
    scores = [metrics.coco_keypoint_ap(truth, results, sigmas)["AP"]]
    try:
        scores.append(metrics.pycocotools_ap(truth, results, sigmas)["AP"])
    except ImportError:
        pass
    return min(scores)


@pytest.mark.parametrize(
    "skeleton, limbs, line",
    [
        ([[1, 2], [2, 3]], [[1, 2], [2, 3]], None),
        ([[0, 1], [1, 2]], [[1, 2], [2, 3]], "numbers the joints from 0"),
        # CrowdPose has COCO's pairs for joints that it does not have.
        ([[1, 2], [3, 4], [17, 15]], [[1, 2]], "2 of 3 pairs .* left out"),
        ([["nose", "left_paw"]], [[1, 2]], None),
        ([[1.0, 2.0]], [[1, 2]], None),
        ([[1, 1], [1], 7, [1, "ear"], [2, 3]], [[2, 3]], "4 of 5 pairs"),
        (5, [], "`skeleton` is no list of pairs"),
        (None, [], None),
    ],
)
def test_limbs_are_pairs_of_joints_however_numbered(
    tmp_path, skeleton, limbs, line
):
    category = {
        "id": 2, "name": "cat", "keypoints": NAMES, "skeleton": skeleton,
    }  # fmt: skip
    truth, lines = read(write(tmp_path, categories=[category]))
    assert truth["categories"][0]["skeleton"] == limbs
    made = coco_skeleton.of_truth(truth)
    assert len(made.limbs) == len(limbs) and made.categories == (2,)
    if line:
        (said,) = lines
        assert re.search(line, said)
    else:
        assert lines == []


@pytest.mark.parametrize(
    "skeleton, flip_pairs, mirrored",
    [
        # Animal Kingdom counts both from 0, and no mirror exchanges joint 0.
        ([[0, 1], [0, 2]], [[1, 2]], [[2, 3]]),
        ([[1, 2]], [[0, 1]], [[1, 2]]),
        ([[0, 1]], [["nose", "left_paw"]], [[1, 2]]),
        # A number of the last joint is one from 1.
        ([[0, 1], [0, 2]], [[2, 3]], [[2, 3]]),
        ([[1, 2]], [[1, 2]], [[1, 2]]),
    ],
)
def test_one_file_numbers_its_joints_in_one_way(
    tmp_path, skeleton, flip_pairs, mirrored
):
    category = {
        "id": 2, "name": "cat", "keypoints": NAMES, "skeleton": skeleton,
        "flip_pairs": flip_pairs,
    }  # fmt: skip
    truth, lines = read(write(tmp_path, categories=[category]))
    assert truth["categories"][0]["flip_pairs"] == mirrored
    assert len(truth["categories"][0]["skeleton"]) == len(skeleton)
    assert [line for line in lines if "left out" in line] == []


@pytest.mark.parametrize("keypoints", [[], None, "absent"])
def test_joints_without_names_are_called_by_number(tmp_path, keypoints):
    category = {"id": 2, "name": "face", "keypoints": keypoints}
    if keypoints == "absent":
        del category["keypoints"]
    path = write(tmp_path, categories=[category])
    truth, kept, _, lines = built(path)
    assert truth["categories"][0]["keypoints"] == ["1", "2", "3"]
    assert "no names of its 3 joints" in lines[0]
    assert len(kept) == 1 and kept[0].joints.shape == (3, 2)
    truth, _ = read(path, keypoints=["a", "b", "c"])
    assert truth["categories"][0]["keypoints"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "given, names",
    [
        ("nose, left_paw,right_paw", NAMES),
        (["eye", "eye", "tip"], ["eye", "eye_2", "tip"]),
        (["eye", "eye", "eye_2"], ["eye", "eye_3", "eye_2"]),
        (["eye", "", None], ["eye", "2", "3"]),
        ([0, 1, 2], ["0", "1", "2"]),
        ({"0": "nose", "1": "left_paw", "2": "right_paw"}, NAMES),
        ([{"id": 7, "name": name} for name in NAMES], NAMES),
        ([{"label": "nose"}, "a", "b"], ["1", "a", "b"]),
    ],
)
def test_names_are_made_different_texts(tmp_path, given, names):
    category = {"id": 2, "name": "cat", "keypoints": given}
    truth, _ = read(write(tmp_path, categories=[category]))
    assert truth["categories"][0]["keypoints"] == names


def test_a_category_may_lack_a_name(tmp_path):
    path = write(tmp_path, categories=[{"id": 2, "keypoints": NAMES}])
    truth, kept, _, lines = built(path)
    assert truth["categories"][0]["name"] == "category 2" and len(kept) == 1
    assert lines == ["a category without a name is called category 2"]


ANIMALS = [
    {"id": n, "name": name, "keypoints": names}
    for n, name, names in (
        (1, "dog", NAMES), (2, "cat", NAMES), (4, "cow, brown", NAMES),
        (7, "fly", NAMES[:1]), (8, "plant", []),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    "wanted, ids",
    [
        ("dog", [1]),
        ("dog,cat", [1, 2]),
        ("cat, dog", [1, 2]),
        ("cow, brown", [4]),
        (["cat", "cow, brown"], [2, 4]),
        ([4, 2], [2, 4]),
        ("all", [1, 2, 4]),
        (None, [1, 2, 4]),
        ("fly", [7]),
    ],
)
def test_one_skeleton_may_be_for_many_categories(tmp_path, wanted, ids):
    rows = [
        row(id=n, category_id=category, keypoints=POINTS[: 3 * count])
        for n, (category, count) in enumerate(
            [(1, 3), (2, 3), (2, 3), (4, 3), (7, 1)], 1
        )
    ]
    path = write(tmp_path, categories=ANIMALS, annotations=rows)
    truth, kept, dropped, _ = built(path, wanted)
    assert [c["id"] for c in truth["categories"]] == ids
    # The rest is counted, with an example.
    assert len(kept) == sum(r["category_id"] in ids for r in rows)
    assert len(kept) + len(dropped) == 5
    assert {reason for reason, _ in dropped} <= {
        "annotation of another category"
    }
    assert [p.category for p in kept] == [
        r["category_id"] for r in rows if r["category_id"] in ids
    ]
    assert coco_skeleton.of_truth(truth).categories == tuple(ids)
    assert self_score(truth) == pytest.approx(1.0)


def test_categories_of_other_joints_do_not_go_together(tmp_path):
    path = write(tmp_path, categories=ANIMALS)
    with pytest.raises(ValueError, match="same keypoints.*dog and fly"):
        read(path, "dog,fly")
    with pytest.raises(ValueError, match="dog, cat, cow.*Received: category="):
        read(path, "dog,horse")
    people = [*ANIMALS, {"id": 9, "name": "person", "keypoints": NAMES}]
    truth, _ = read(write(tmp_path, categories=people))
    assert [c["name"] for c in truth["categories"]] == ["person"]


@pytest.mark.parametrize(
    "change",
    [
        without(row(), "bbox"),
        row(bbox=None),
        row(bbox=[0, 0, 0, 0]),
        row(bbox=[10, 11, 0, 20]),
        row(bbox=[5, 5, 9, -1]),
        row(bbox=[5, 5, float("nan"), 9]),
        row(bbox=[5, 5, 1e9, 9]),
        row(bbox=[1, 2, 3]),
        row(bbox="box"),
        row(bbox=[10**400, 1, 2, 3], area=float("inf")),
    ],
)
def test_a_person_without_a_box_has_one_around_the_keypoints(tmp_path, change):
    path = write(tmp_path, annotations=[change])
    truth, (person,), dropped, _ = built(path)
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
    path = write(tmp_path, annotations=[row(bbox=[10, 11, 0, 0],
                                            keypoints=points)])  # fmt: skip
    _, (person,), _, _ = built(path)
    np.testing.assert_allclose(person.box, (10, 11, 1, 1))


@pytest.mark.parametrize(
    "bad, reason",
    [
        (5, "annotation that is no object"),
        (row(id=True), "annotation with an id that is no whole number"),
        (row(id=2**64), "annotation with an id that is no whole number"),
        (row(id=1.5), "annotation with an id that is no whole number"),
        (row(image_id=77), "image not in the annotations"),
        (without(row(), "image_id"), "image not in the annotations"),
        (row(category_id=3), "annotation of another category"),
        (row(keypoints=[1, 2, 2]), "keypoints other than 3 times x, y and"),
        (row(keypoints=7), "keypoints other than 3 times x, y and"),
        (row(keypoints=["x", *POINTS[1:]]), "keypoints that are no numbers"),
        (row(keypoints=[{}, *POINTS[1:]]), "keypoints that are no numbers"),
        (row(keypoints=[10**400, *POINTS[1:]]), "keypoints that are no num"),
        (row(keypoints=[float("nan"), *POINTS[1:]]), "keypoints that are no"),
        (row(keypoints=[None, *POINTS[1:]]), "keypoints that are no numbers"),
    ],
)
def test_one_bad_annotation_is_left_out_and_named(tmp_path, bad, reason):
    categories = [{"id": 2, "name": "cat", "keypoints": NAMES},
                  {"id": 3, "name": "twig"}]  # fmt: skip
    good = row(id=31)
    path = write(tmp_path, annotations=[bad, good], categories=categories)
    truth, (person,), ((why, example),), _ = built(path)
    assert person.source_id == "train/31"
    assert why.startswith(reason) and example
    assert [r["id"] for r in truth["annotations"]] == [31]
    json.dumps(truth, allow_nan=False)


def test_ids_may_be_texts_or_missing(tmp_path):
    path = write(
        tmp_path,
        images=[{"id": "a-1", "file_name": "a.png"}],
        annotations=[
            without(row(image_id="a-1"), "id"),
            row(image_id="a-1", id="x"),
            row(image_id="b-2"),
        ],
    )
    truth, kept, dropped, lines = built(path)
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
    path = write(
        tmp_path,
        images=[{"id": "5", "file_name": "a.png", "width": 60.0,
                 "height": "50"}],
        annotations=[row(image_id=5.0, category_id="2", id="9",
                         keypoints=[float(v) for v in POINTS])],
    )  # fmt: skip
    truth, (person,), dropped, lines = built(path)
    assert (person.image_id, person.source_id) == (5, "train/9")
    assert truth["images"][0]["width"] == 60
    assert lines == [] and dropped == []


def test_two_annotations_of_one_id_are_numbered_anew(tmp_path):
    path = write(tmp_path, annotations=[row(), row()])
    _, kept, _, (line,) = built(path)
    assert [p.source_id for p in kept] == ["train/1", "train/2"]
    assert "two are 9" in line


@pytest.mark.parametrize("flag, labelled", [
    (0.9, 2), (3, 2), (1.0, 1), (-1, 0), (0.0, 0),
])  # fmt: skip
def test_a_visibility_above_0_is_labelled(tmp_path, flag, labelled):
    points = [*POINTS[:6], 30, 31, flag]
    truth, (person,), _, lines = built(
        write(tmp_path, annotations=[row(keypoints=points)])
    )
    assert person.visible.tolist() == [2, 2, labelled]
    assert truth["annotations"][0]["num_keypoints"] == 2 + (labelled > 0)
    assert bool(lines) == (flag not in (0, 1, 2))


def test_what_others_leave_out_or_add_is_no_matter(tmp_path):
    bare = without(row(), "bbox")
    bare["keypoints"] = [POINTS[:3], POINTS[3:6], POINTS[6:]]  # nested
    path = write(
        tmp_path,
        info=["made up"],
        licenses=None,
        videos=[{"id": 1}],
        annotations=[
            bare,
            row(id=10, iscrowd="0", segmentation={"counts": [1], "size": [2]},
                area="900", num_keypoints=None),
            row(id=11, keypoints=[]),
            row(id=12, iscrowd=1),
        ],
    )  # fmt: skip
    truth, kept, dropped, _ = built(path)
    assert [p.source_id for p in kept] == ["train/9", "train/10"]
    assert [reason for reason, _ in dropped] == [
        "no labelled keypoint", "a crowd, not one person",
    ]  # fmt: skip
    assert [r["area"] for r in truth["annotations"][:2]] == [625, 900]
    assert self_score(truth) == pytest.approx(1.0)


def test_keypoints_in_other_fields_are_told(tmp_path):
    # COCO-WholeBody's and Human-Art's.
    rows = [
        row(num_keypoints=3, face_kpts=POINTS, face_valid=True),
        row(id=10, face_kpts=POINTS, keypoints_21=POINTS),
    ]
    _, kept, _, lines = built(write(tmp_path, annotations=rows))
    assert len(kept) == 2
    assert lines == [
        "only `keypoints` are read: not the annotations' face_kpts, "
        "keypoints_21"
    ]


@pytest.mark.parametrize(
    "parts, said",
    [
        ({"images": {"5": "a.png"}}, "with images that is a dict"),
        ({"categories": None}, "with categories that is a NoneType"),
    ],
)
def test_a_file_of_another_form_says_what_it_lacks(tmp_path, parts, said):
    path = write(tmp_path, **parts)
    with pytest.raises(ValueError, match=said):
        read(path)
    # InterHand2.6M's.
    path.write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(ValueError, match="with no categories"):
        read(path)


@pytest.mark.parametrize("first", [0, 1, -3])
def test_annotation_ids_may_count_from_0(tmp_path, first):
    rows = [row(id=first + n, image_id=n % 2) for n in range(6)]
    images = [{"id": n, "file_name": "a.png"} for n in range(2)]
    truth, _ = read(write(tmp_path, annotations=rows, images=images))
    # pycocotools takes the id 0 for nobody.
    assert self_score(truth) == pytest.approx(1.0)
    assert truth["annotations"][0]["id"] == first


@pytest.mark.parametrize("name", ["../secret.png", "ABSOLUTE", "x/../../s.png"])
def test_no_photograph_outside_the_folder_is_read(tmp_path, name):
    secret = tmp_path / "secret.png"
    Image.fromarray(np.zeros((50, 60, 3), np.uint8)).save(secret)
    name = str(secret) if name == "ABSOLUTE" else name
    images = [{"id": 5, "file_name": name}]
    _, kept, ((reason, example),), _ = built(write(tmp_path, images=images))
    assert kept == [] and reason == "image file outside the folder of images"
    assert name in example or "s.png" in example


@pytest.mark.parametrize("name", ["images/a.png", r"..\b\a.png", "my%20a.png"])
def test_a_path_that_was_looked_for_is_named(tmp_path, name):
    images = [{"id": 5, "file_name": name}]
    _, _, ((reason, example),), _ = built(write(tmp_path, images=images))
    assert reason == "image file missing"
    assert example == str(tmp_path / "images" / name)


def test_a_truth_is_parted_by_image(tmp_path):
    images = [{"id": n, "file_name": f"{n}.png"} for n in range(40)]
    rows = [row(id=n, image_id=n // 2) for n in range(80)]
    truth, _ = read(write(tmp_path, annotations=rows, images=images))
    train, val = coco.parted(truth, 0.25)
    assert len(train["images"]) + len(val["images"]) == 40
    assert 3 < len(val["images"]) < 20
    for part in (train, val):
        ids = {image["id"] for image in part["images"]}
        assert {r["image_id"] for r in part["annotations"]} == ids
        assert len(part["annotations"]) == 2 * len(ids)


@pytest.mark.skipif(not FORMS.is_dir(), reason=f"no public files in {FORMS}")
@pytest.mark.parametrize(
    "name, joints, people, pairs",
    [("ap10k", 17, 2, 7), ("crowdpose", 14, 5, 6), ("wflw", 98, 4, 0)],
)
def test_public_sets_build_and_score_1(name, joints, people, pairs):
    path = FORMS / name / f"test_{name}.json"
    truth, _ = read(path)
    made = coco_skeleton.of_truth(truth)
    assert len(made) == joints and len(made.sides) == pairs
    assert len(truth["annotations"]) == people
    assert self_score(truth) == pytest.approx(1.0)
    for _, annotation in coco.people(truth, path.parent, "train"):
        if not annotation.problem:
            assert coco.person(annotation).visible.any()


def test_cocos_person_is_found_by_default(tmp_path):
    own = {"id": 1, "name": "person", "keypoints": list(skeletons.COCO.joints)}
    truth, _ = read(write(tmp_path, categories=[own]))
    assert coco_skeleton.of_truth(truth).categories == (1,)
