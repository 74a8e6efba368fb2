"""Tests for submissions: read back as the servers' scripts read them."""

import json

import numpy as np
import pytest
import scipy.io

from integral_tf.evaluation import submission
from tests.records import mpii_files

LABELLED = mpii_files.person(
    [{"x": 5, "y": 6, "id": 0, "is_visible": "1"}], objpos=(5, 6), scale=0.5
)


def alone(x, y):
    return mpii_files.person(objpos=(x, y), scale=0.25)


# Scored are 1 and 3 of the second image and 1 of the last; the first is for
# training, and the other of the last has no objpos.
IMAGES = [
    ("000000010.jpg", 1, [1], [LABELLED]),
    ("000000020.jpg", 0, [1, 3], [alone(9, 8), alone(3, 4), alone(7, 6)]),
    ("000000030.jpg", 0, [], []),
    ("000000040.jpg", 0, [], [alone(1, 2)]),
    ("000000050.jpg", 0, [1, 2], [alone(5, 5), {"x1": 1.0}]),
]
SCORED = ("000000020_1", "000000020_3", "000000050_1")


@pytest.fixture
def release(tmp_path):
    return mpii_files.write_release(tmp_path / "release.mat", IMAGES)


def points():
    """Joint k of person p at (100 p + k, 50 p + k / 2)."""
    k = np.arange(16)
    return {
        name: np.stack([100 * p + k, 50 * p + k / 2], axis=1)
        for p, name in enumerate(SCORED)
    }


def scored_by_the_toolkit(pred, single_person):
    """What `flatten_annolist` and `annolist2matrix` of evalMPII.zip find.

    They walk images and rectangles, pass over those without objpos, keep those
    of single_person (from 1), and take each joint by its id.
    """
    found = []
    for image, single in zip(pred.ravel(), single_person):
        for number, rect in enumerate(image["annorect"].ravel(), 1):
            if rect["objpos"].size and number in single:
                point = rect["annopoints"][0, 0]["point"].ravel()
                by_id = {p["id"].item(): p for p in point}
                joints = [
                    (by_id[k]["x"].item(), by_id[k]["y"].item())
                    for k in range(16)
                ]
                found.append((image["image"][0, 0]["name"].item(), joints))
    return found


def test_mpii_reads_back_as_the_toolkit_reads_it(release, tmp_path):
    path = tmp_path / "out" / "pred_keypoints_mpii.mat"
    submission.mpii_mat(points(), release, path)
    pred = scipy.io.loadmat(path)["pred"]
    # The script asserts one entry for each test image.
    assert pred.shape == (1, 4)
    found = scored_by_the_toolkit(pred, [[1, 3], [], [], [1, 2]])
    assert [name for name, _ in found] == [
        "000000020.jpg",
        "000000020.jpg",
        "000000050.jpg",
    ]
    for (_, joints), expected in zip(found, points().values()):
        np.testing.assert_allclose(joints, expected + 1)  # MATLAB's pixels
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_mpii_keeps_every_rectangle_in_its_place(release, tmp_path):
    submission.mpii_mat(points(), release, tmp_path / "pred.mat")
    pred = scipy.io.loadmat(
        tmp_path / "pred.mat", struct_as_record=False, squeeze_me=True
    )["pred"]
    assert [image.image.name for image in pred] == [
        name for name, *_ in IMAGES[1:]
    ]
    assert pred[1].annorect.size == 0
    first, second, third = pred[0].annorect
    assert (first.objpos.x, first.objpos.y, first.scale) == (9, 8, 0.25)
    assert (third.objpos.x, third.objpos.y) == (7, 6)
    assert second.annopoints.size == 0
    assert [point.id for point in first.annopoints.point] == list(range(16))
    assert pred[2].annorect.annopoints.size == 0
    assert pred[3].annorect[1].objpos.size == 0


def lacking(joints):
    joints.pop(SCORED[1])


def of_nobody(joints):
    joints["000000040_1"] = joints[SCORED[0]]


def of_14_joints(joints):
    joints[SCORED[1]] = np.zeros((14, 2))


def with_scores(joints):
    joints[SCORED[1]] = np.zeros((16, 3))


def not_a_number(joints):
    joints[SCORED[1]][7, 1] = np.nan


@pytest.mark.parametrize(
    "harm, message",
    [
        (lacking, r"3 sufficiently.*1 missing, 0 unknown.*'000000020_3'"),
        (of_nobody, r"0 missing, 1 unknown.*'000000040_1'"),
        (of_14_joints, r"'000000020_3' of shape \(14, 2\)"),
        (with_scores, r"of shape \(16, 3\)"),
        (not_a_number, "31 finite"),
    ],
)
def test_mpii_refuses_before_it_writes(release, tmp_path, harm, message):
    joints = points()
    harm(joints)
    path = tmp_path / "out" / "pred.mat"
    with pytest.raises(ValueError, match=message):
        submission.mpii_mat(joints, release, path)
    assert not path.parent.exists()


def test_mpii_refuses_a_release_without_test_people(tmp_path):
    path = mpii_files.write_release(tmp_path / "r.mat", IMAGES[:1])
    with pytest.raises(ValueError, match="each of its 0"):
        submission.mpii_mat({}, path, tmp_path / "pred.mat")


def result(image_id=42, **other):
    keypoints = [
        value for k in range(17) for value in (k + 0.123456, 2 * k, 0.987654321)
    ]
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": keypoints,
        "score": 0.123456789,
        **other,
    }


def test_coco_is_compact_and_reads_back(tmp_path):
    path = tmp_path / "keypoints.json"
    results = [result(np.int64(42), bbox=[1, 2, 3, 4]), result(7, score=1)]
    submission.coco_json(results, path, image_ids=[7, 42, 99])
    text = path.read_text()
    assert " " not in text
    first, second = json.loads(text)
    assert list(first) == ["image_id", "category_id", "keypoints", "score"]
    assert (first["image_id"], second["image_id"]) == (42, 7)
    assert first["keypoints"][:6] == [0.12, 0, 0.98765, 1.12, 2, 0.98765]
    assert (first["score"], second["score"]) == (0.12346, 1)
    assert list(tmp_path.iterdir()) == [path]


def test_coco_is_what_pycocotools_loads(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "keypoints.json"
    submission.coco_json([result(42), result(7)], path)
    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": 7}, {"id": 42}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [],
    }
    truth.createIndex()
    loaded = truth.loadRes(str(path))
    assert sorted(loaded.getImgIds()) == [7, 42]
    (annotation,) = loaded.loadAnns(loaded.getAnnIds(imgIds=[42]))
    assert len(annotation["keypoints"]) == 51
    # x from 0.12 to 16.12 and y from 0 to 32, as loadRes makes a box of them.
    np.testing.assert_allclose(annotation["bbox"], (0.12, 0, 16, 32))


def without(name):
    return {key: value for key, value in result().items() if key != name}


@pytest.mark.parametrize(
    "broken, reason",
    [
        (result(image_id=5), "5 is not of the test set"),
        (result(image_id="42"), "image_id='42'"),
        (result(image_id=42.0), "image_id=42.0"),
        (result(category_id=2), "category_id=2"),
        (result(keypoints=[1.0] * 48), "48 keypoint numbers"),
        (result(keypoints=[[1, 2, 3]] * 17), "TypeError"),
        (result(keypoints=[np.nan] * 51), "not finite"),
        (result(keypoints=[np.inf] * 51), "not finite"),
        (result(score=np.nan), "not finite"),
        (result(score=None), "TypeError"),
        (without("score"), "KeyError: 'score'"),
        (without("image_id"), "KeyError: 'image_id'"),
        ("text", "TypeError"),
    ],
)
def test_coco_refuses_before_it_writes(tmp_path, broken, reason):
    path = tmp_path / "keypoints.json"
    path.write_text("an earlier one")
    with pytest.raises(ValueError, match=f"Received: result 1: .*{reason}"):
        submission.coco_json([result(), broken], path, image_ids=[42])
    assert path.read_text() == "an earlier one"
    assert list(tmp_path.iterdir()) == [path]


def test_coco_wants_a_result(tmp_path):
    with pytest.raises(ValueError, match="at least one.*Received: none"):
        submission.coco_json([], tmp_path / "keypoints.json")


def test_a_failing_write_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "keypoints.json"
    path.write_text("an earlier one")

    def full(source, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(submission.whole.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        submission.coco_json([result()], path)
    assert path.read_text() == "an earlier one"
    assert list(tmp_path.iterdir()) == [path]
