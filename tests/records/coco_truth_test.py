"""Tests for keypoint files in COCO's form, read as a whole."""

import json
import pathlib

import pytest

from integral_tf.records import coco
from integral_tf.records import coco_skeleton
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
