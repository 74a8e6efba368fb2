"""Tests for keypoint files in COCO's form, read as a whole."""

import json
import pathlib

import pytest

from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import json_rows
from tests.records import coco_files

FORMS = pathlib.Path(__file__).parents[3] / "shared/data/formats/coco-form"


def test_keypoints_in_other_fields_are_told(tmp_path):
    # COCO-WholeBody's and Human-Art's.
    rows = [
        coco_files.row(
            num_keypoints=3, face_kpts=coco_files.POINTS, face_valid=True
        ),
        coco_files.row(
            id=10, face_kpts=coco_files.POINTS, keypoints_21=coco_files.POINTS
        ),
    ]
    _, kept, _, lines = coco_files.built(
        coco_files.write(tmp_path, annotations=rows)
    )
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
    path = coco_files.write(tmp_path, **parts)
    with pytest.raises(ValueError, match=said):
        coco_files.read(path)
    # InterHand2.6M's.
    path.write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(ValueError, match="with no categories"):
        coco_files.read(path)


def test_a_truth_is_parted_by_image(tmp_path):
    images = [{"id": n, "file_name": f"{n}.png"} for n in range(40)]
    rows = [coco_files.row(id=n, image_id=n // 2) for n in range(80)]
    truth, _ = coco_files.read(
        coco_files.write(tmp_path, annotations=rows, images=images)
    )
    train, val = coco.parted(truth, 0.25)
    assert len(train["images"]) + len(val["images"]) == 40
    assert 3 < len(val["images"]) < 20
    for part in (train, val):
        ids = {image["id"] for image in part["images"]}
        assert {r["image_id"] for r in part["annotations"]} == ids
        assert len(part["annotations"]) == 2 * len(ids)


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2049])
@pytest.mark.parametrize("place", [0, -1])
def test_a_fault_at_the_border_of_a_block_is_named(tmp_path, count, place):
    rows = [coco_files.row(id=n) for n in range(1, count + 1)]
    wrong = rows[place]
    wrong["keypoints"] = [1, 2, 3]
    truth, _ = coco_files.read(coco_files.write(tmp_path, annotations=rows))
    reason = "keypoints other than 3 times x, y and visibility"
    example = f"annotation {wrong['id']} with 3 numbers"
    assert truth["left_out"] == {reason: (1, example)}
    del rows[place]
    names = "id", "keypoints", "bbox"
    found = [{n: row[n] for n in names} for row in truth["annotations"]]
    assert found == [{n: row[n] for n in names} for row in rows]


@pytest.mark.parametrize("block", [1, 3, 7])
def test_a_row_does_not_depend_on_the_others_of_its_block(
    tmp_path, monkeypatch, block
):
    faults = (
        {"keypoints": None}, {"keypoints": "x"}, {"keypoints": [1, 2]},
        {"keypoints": [1.5, *coco_files.POINTS[1:]]}, {"bbox": None},
        {"bbox": "x", "area": "9"}, {"image_id": 8}, {"category_id": 3},
        {"keypoints": [1e10, *coco_files.POINTS[1:]]}, {"id": True}, {},
        {"keypoints": [1, 2, 7, *coco_files.POINTS[3:]]}, {"iscrowd": 1},
    )  # fmt: skip
    rows = [coco_files.row(**{"id": n, **f}) for n, f in enumerate(faults * 3)]
    path = coco_files.write(tmp_path, annotations=[*rows, 5])
    expected = repr(listed(coco_files.read(path)))
    monkeypatch.setattr(json_rows, "BLOCK", block)
    assert repr(listed(coco_files.read(path))) == expected


def listed(read):
    truth, lines = read
    return list(truth["annotations"]), truth["left_out"], lines


@pytest.mark.skipif(not FORMS.is_dir(), reason=f"no public files in {FORMS}")
@pytest.mark.parametrize(
    "name, joints, people, pairs",
    [("ap10k", 17, 2, 7), ("crowdpose", 14, 5, 6), ("wflw", 98, 4, 0)],
)
def test_public_sets_build_and_score_1(name, joints, people, pairs):
    path = FORMS / name / f"test_{name}.json"
    truth, _ = coco_files.read(path)
    made = coco_skeleton.of_truth(truth)
    assert len(made) == joints and len(made.sides) == pairs
    assert len(truth["annotations"]) == people
    assert coco_files.self_score(truth) == pytest.approx(1.0)
    for _, annotation in coco.people(truth, path.parent, "train"):
        if not annotation.problem:
            assert coco.person(annotation).visible.any()
