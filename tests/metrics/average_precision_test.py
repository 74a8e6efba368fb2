"""Tests for COCO's average precision: pycocotools', hotcoco's and this one."""

import copy
import json

import numpy as np
import pytest

from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.metrics import coco_arrays
from integral_tf.metrics import oks
from tests.metrics import pycocotools_ap

NAMES = "AP AP50 AP75 APM APL AR AR50 AR75 ARM ARL".split()
SIGMAS = np.array(skeletons.COCO.sigmas)
PERSON = {"id": 1, "name": "person"}


@pytest.fixture(params=["coco_keypoint_ap", "hotcoco_ap"])
def score(request):
    return getattr(metrics, request.param)


def annotation(image, joints, area=4e4, visible=2, **kwargs):
    """Someone whose `(17, 2)` joints are all labelled alike."""
    joints = np.broadcast_to(joints, (17, 2)).astype(float)
    keypoints = np.concatenate([joints, np.full((17, 1), visible)], axis=1)
    corner, size = joints.min(axis=0), np.ptp(joints, axis=0)
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": keypoints.ravel().tolist(),
        "num_keypoints": 17 if visible else 0,
        "bbox": [*corner.tolist(), *size.tolist()],
        "area": area,
        "iscrowd": 0,
        **kwargs,
    }


def detection(image, joints, score, **kwargs):
    joints = np.broadcast_to(joints, (17, 2))
    keypoints = np.concatenate([joints, np.full((17, 1), 0.5)], axis=1)
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": keypoints.ravel().tolist(),
        "score": score,
        **kwargs,
    }


def dataset(images, annotations, categories=(PERSON,)):
    return {
        "images": [{"id": image} for image in images],
        "annotations": [
            {**row, "id": i + 1} for i, row in enumerate(annotations)
        ],
        "categories": list(categories),
    }


def random_set(seed, categories=1):
    """Truth and results with all that COCO's rules tell apart."""
    rng = np.random.default_rng(seed)
    images = rng.permutation(500)[:40].tolist()
    people, found = [], []
    for image in images[:30]:  # the others are empty
        for _ in range(rng.integers(0, 7)):
            area = np.exp(rng.uniform(np.log(200), np.log(6e4)))
            side = np.sqrt(area)
            joints = rng.uniform(0, 500, 2) + rng.normal(0, side / 2, (17, 2))
            joints = joints.round()
            person = annotation(
                image,
                joints,
                area,
                category_id=int(rng.integers(categories)) + 1,
            )
            labels = np.reshape(person["keypoints"], (17, 3))
            labels[rng.random(17) < 0.3, 2] = 0
            kind = rng.random()
            if kind < 0.25:  # without keypoints, and some of them crowds
                labels[:] = 0
                person["iscrowd"] = int(kind < 0.1)
            elif kind < 0.3:
                person["iscrowd"] = 1
            person["keypoints"] = labels.ravel().tolist()
            person["num_keypoints"] = int((labels[:, 2] > 0).sum())
            people.append(person)
            if kind > 0.9:  # twice, so that one detection is as near to both
                people.append(copy.deepcopy(person))
            if image in images[25:30]:
                continue  # nobody looks here
            for _ in range(rng.integers(0, 4)):
                spread = side * SIGMAS[:, None] * rng.exponential(2)
                noisy = joints + spread * rng.normal(size=(17, 2))
                # One digit, so that scores are often equal.
                score = round(float(rng.random()), 1)
                found.append(
                    detection(
                        image,
                        noisy,
                        score,
                        category_id=person["category_id"],
                    )
                )
    crowded = people[0]["image_id"]
    for image in [crowded] * 35 + images[:5] + images[30:35]:
        place = rng.uniform(0, 500, 2)
        size = np.exp(rng.uniform(1, 5))
        score = round(float(rng.random()), 1)
        found.append(
            detection(image, place + rng.normal(0, size, (17, 2)), score)
        )
    found = [found[i] for i in rng.permutation(len(found))]
    named = [{"id": c + 1, "name": str(c)} for c in range(categories)]
    return dataset(images, people, named), found


def require_equal(truth, results, sigmas=SIGMAS):
    """Requires pycocotools' figures of both."""
    official = pycocotools_ap.pycocotools_ap(truth, results, sigmas)
    for score in (metrics.coco_keypoint_ap, metrics.hotcoco_ap):
        got = score(truth, results, sigmas)
        assert list(got) == NAMES
        assert got == pytest.approx(official, rel=0, abs=1e-6)
    return got


@pytest.mark.parametrize("seed", range(12))
def test_equals_pycocotools(seed):
    got = require_equal(*random_set(seed))
    assert 0.05 < got["AP"] < 0.95  # a set that says something


def test_the_random_sets_hold_what_they_should():
    truth, results = random_set(0)
    people = truth["annotations"]
    areas = np.array([person["area"] for person in people])
    assert min(np.histogram(areas, [0, 32**2, 96**2, 1e6])[0]) > 5
    assert {person["iscrowd"] for person in people} == {0, 1}
    assert sum(not person["num_keypoints"] for person in people) > 5
    asked = [row["image_id"] for row in results]
    assert max(map(asked.count, asked)) > 20
    shown = {person["image_id"] for person in people}
    assert set(asked) - shown and shown - set(asked)
    assert len({row["score"] for row in results}) <= 11


@pytest.mark.parametrize("seed", range(3))
def test_equals_pycocotools_over_several_categories(seed):
    require_equal(*random_set(seed, categories=3))


def test_equals_pycocotools_a_few_images_at_a_time(monkeypatch):
    monkeypatch.setattr(coco_arrays, "_BLOCK", 7)
    require_equal(*random_set(2, categories=3))


@pytest.mark.parametrize("joints", [1, 14, 98])
def test_equals_pycocotools_for_another_skeleton(joints):
    truth, results = random_set(0)
    for row in truth["annotations"] + results:
        points = np.tile(np.reshape(row["keypoints"], (17, 3)), (6, 1))[:joints]
        row["keypoints"] = points.ravel().tolist()
        if "num_keypoints" in row:
            row["num_keypoints"] = int((points[:, 2] > 0).sum())
    sigmas = np.random.default_rng(1).uniform(0.02, 0.2, joints)
    got = require_equal(truth, results, sigmas)
    assert 0.05 < got["AP"] < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_equals_pycocotools_where_results_have_boxes(seed):
    truth, results = random_set(seed)
    rng = np.random.default_rng(seed)
    for row in results:
        row["bbox"] = rng.uniform(10, 150, 4).tolist()
    got = require_equal(truth, results)
    assert got != metrics.hotcoco_ap(*random_set(seed))  # they matter


def test_the_truth_finds_everyone(score):
    truth, _ = random_set(1)
    results = [
        {**person, "score": 1.0}
        for person in truth["annotations"]
        if person["num_keypoints"] and not person["iscrowd"]
    ]
    got = score(truth, results)
    assert got == pytest.approx(dict.fromkeys(NAMES, 1))


# 200 px apart, with s = 200: nobody is mistaken for anybody else.
HERE, THERE = (100.0, 100.0), (900.0, 900.0)


def test_precision_worked_by_hand(score):
    # Right, wrong, right: precision 1 at recall 0.5, then 2/3 at recall 1.
    # Of the 101 recalls 0, 0.01, ... 1, the first 51 are up to 0.5.
    truth = dataset([7], [annotation(7, HERE), annotation(7, THERE)])
    results = [
        detection(7, HERE, 0.9),
        detection(7, (900, 100), 0.5),
        detection(7, THERE, 0.3),
    ]
    got = score(truth, results)
    assert got["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert got["AR"] == 1
    assert (got["APM"], got["ARM"]) == (-1, -1)  # both people are large
    # A point has no area, so it is no large person found in vain.
    assert (got["APL"], got["ARL"]) == pytest.approx((1, 1))


def test_thresholds_worked_by_hand(score):
    # 17 joints at 200 sigma sqrt(8 ln(1 / 0.72)) have an OKS of 0.72: right at
    # 0.5, 0.55, 0.6, 0.65 and 0.7, wrong from 0.75 on.
    apart = 200 * SIGMAS * np.sqrt(8 * np.log(1 / 0.72))
    moved = np.array(HERE) + np.stack([apart, 0 * apart], axis=1)
    truth = dataset([7], [annotation(7, HERE)])
    got = score(truth, [detection(7, moved, 1)])
    assert (got["AR50"], got["AR75"], got["AR"]) == (1, 0, 0.5)
    assert (got["AP50"], got["AP75"]) == pytest.approx((1, 0))
    assert got["AP"] == pytest.approx(0.5)


def test_a_threshold_itself_is_reached(score):
    # One of two joints is right, the other nowhere: an OKS of 0.5.
    person = {**annotation(7, HERE), "keypoints": [5, 5, 2, 90, 90, 2]}
    result = {**detection(7, HERE, 1), "keypoints": [5, 5, 1, 1e9, 90, 1]}
    got = score(dataset([7], [person]), [result], (0.1, 0.1))
    assert (got["AR50"], got["AR"]) == pytest.approx((1, 0.1))


def test_both_bounds_belong_to_an_area(score):
    # Medium is 1,024 to 9,216: of each pair only the second has its size.
    areas = {"M": (1023, 1024), "L": (9215, 9216)}
    for name, (smaller, larger) in areas.items():
        for area, expected in ((smaller, -1), (larger, 1)):
            truth = dataset([7], [annotation(7, HERE, area)])
            got = score(truth, [detection(7, HERE, 1)])
            assert got[f"AR{name}"] == expected
    truth = dataset([7], [annotation(7, HERE, 9216)])
    got = score(truth, [detection(7, HERE, 1)])
    assert (got["ARM"], got["ARL"]) == (1, 1)


@pytest.mark.parametrize("side", [31, 32, 96, 97])
def test_equals_pycocotools_where_areas_are_bounds(side):
    people = [annotation(7, HERE, 9216), annotation(7, THERE, 1024)]
    vain = detection(7, (900, 100), 0.9, bbox=[0, 0, side, side])
    found = [
        detection(7, place, 0.5, bbox=[0, 0, 50, 50]) for place in (HERE, THERE)
    ]
    require_equal(dataset([7], people), [vain, *found])


def test_the_twenty_surest_of_an_image_count(score):
    truth = dataset([7, 8], [annotation(7, HERE), annotation(8, HERE)])
    vain = [detection(7, THERE, 0.5) for _ in range(20)]
    found = [detection(7, HERE, 0.4), detection(8, HERE, 0.4)]
    assert score(truth, vain + found)["AR"] == 0.5
    assert score(truth, vain[1:] + found)["AR"] == 1


def test_a_crowd_excuses_many_and_someone_unlabelled_one(score):
    surest, twice = detection(7, HERE, 0.5), detection(7, THERE, 0.9)
    for kind, expected in (({"iscrowd": 1}, 1.0), ({}, 0.5)):
        ignored = annotation(7, THERE, visible=0, **kind)
        truth = dataset([7], [annotation(7, HERE), ignored])
        got = score(truth, [surest, twice, twice])
        assert got["AP"] == pytest.approx(expected)


def test_nobody_to_find_is_minus_one(score):
    for people in ([], [annotation(7, HERE, visible=0)]):
        truth = dataset([7], people)
        for results in ([], [detection(7, HERE, 0.5)]):
            got = score(truth, results)
            assert got == dict.fromkeys(NAMES, -1)


def test_nobody_found_is_zero(score):
    truth = dataset([7, 8], [annotation(7, HERE), annotation(7, HERE, 2000)])
    for results in ([], [detection(8, HERE, 0.5)]):
        got = score(truth, results)
        assert got == dict.fromkeys(NAMES, 0)


def test_an_id_of_zero_can_be_found(score):
    # pycocotools takes the id 0 for "no match".
    truth = dataset([7], [annotation(7, HERE)])
    truth["annotations"][0]["id"] = 0
    got = score(truth, [detection(7, HERE, 0.5)])
    assert got["AP"] == pytest.approx(1)


@pytest.mark.parametrize("first", [0, -3])
def test_ids_may_begin_at_or_below_0(score, first):
    truth, results = random_set(4)
    expected = score(truth, results)
    for row in truth["images"] + truth["annotations"] + results:
        row["image_id" if "image_id" in row else "id"] += first - 500
    for number, row in enumerate(truth["annotations"]):
        row["id"] = first + number
    assert score(truth, results) == pytest.approx(expected, abs=1e-9)


def test_a_joint_that_is_no_number_is_far_away():
    truth = dataset([7], [annotation(7, HERE)])
    got = metrics.coco_keypoint_ap(truth, [detection(7, np.nan, 0.5)])
    assert got["AP"] == 0


def test_another_skeleton_by_its_sigmas(score):
    truth = dataset([7], [annotation(7, HERE)])
    truth["annotations"][0]["keypoints"] = [5, 5, 2, 90, 90, 2]
    result = {**detection(7, HERE, 1), "keypoints": [5, 5, 1, 90, 90, 1]}
    got = score(truth, [result], sigmas=(0.1, 0.1))
    assert got["AP"] == pytest.approx(1)
    with pytest.raises(ValueError, match="here for 17, of which `sigmas`"):
        score(truth, [result])


def test_reads_files_and_changes_nothing(tmp_path, score):
    truth, results = random_set(2)
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "results.json").write_text(json.dumps(results))
    before = copy.deepcopy((truth, results))
    got = score(truth, results)
    assert (truth, results) == before
    assert got == score(tmp_path / "truth.json", str(tmp_path / "results.json"))


def test_more_pairs_than_are_compared_at_once(monkeypatch):
    expected = metrics.coco_keypoint_ap(*random_set(3))
    monkeypatch.setattr(oks, "_BLOCK", 7)
    assert metrics.coco_keypoint_ap(*random_set(3)) == expected


def without(row, key):
    return {k: v for k, v in row.items() if k != key}


TRUTH = dataset([7], [annotation(7, HERE)])
RESULT = detection(7, HERE, 0.5)


@pytest.mark.parametrize(
    "truth, results, message",
    [
        (without(TRUTH, "annotations"), [RESULT], "can only be submitted"),
        ([RESULT], TRUTH, r"`truth` is COCO's .*Received: <class 'list'>"),
        (TRUTH, {"results": [RESULT]}, "`results` is a list"),
        (TRUTH, [{**RESULT, "image_id": 9}], "1 of 1 image_ids .* such as 9"),
        (TRUTH, [{**RESULT, "category_id": 0}], r"\[1\]. Received: \[0\]"),
        (TRUTH, [without(RESULT, "image_id")], "COCO's `image_id`. Received"),
        (TRUTH, [without(RESULT, "score")], "COCO's `score`. Received"),
        (TRUTH, [without(RESULT, "keypoints")], "COCO's `keypoints`"),
        (TRUTH, [{**RESULT, "keypoints": [1, 2, 3]}], "for each joint, here"),
        (TRUTH, [{**RESULT, "score": None}], "Received: 1 without"),
        (TRUTH, [RESULT, [1]], r"COCO's `image_id`. Received: \[1\]"),
    ],
)
def test_says_what_is_wrong(truth, results, message, score):
    with pytest.raises(ValueError, match=message):
        score(truth, results)


def test_weights_of_joints():
    # Two people of whom each is found with one joint right, the nose or the
    # rest: the weight decides which one is found.
    joints = np.full((17, 2), 100.0)
    people = [annotation(1, joints), annotation(2, joints)]
    nose, rest = joints.copy(), joints.copy()
    nose[1:] += 1e4
    rest[0] += 1e4
    found = [detection(1, nose, 0.9), detection(2, rest, 0.9)]
    truth = dataset([1, 2], people)
    plain = metrics.coco_keypoint_ap(truth, found)
    only = metrics.coco_keypoint_ap(truth, found, weights=[1] + [0] * 16)
    others = metrics.coco_keypoint_ap(truth, found, weights=[0] + [1] * 16)
    # 16 of 17 joints are an OKS of 0.94, of 10 thresholds 9.
    assert plain["AR"] == pytest.approx(0.45)
    assert only["AR"] == others["AR"] == pytest.approx(0.5)
    same = metrics.coco_keypoint_ap(truth, found, weights=[2.0] * 17)
    assert same == pytest.approx(plain)


def test_whoever_has_only_joints_of_weight_0_is_not_to_be_found():
    joints = np.full((17, 2), 100.0)
    keypoints = np.zeros((17, 3))
    keypoints[0] = 100, 100, 2
    someone = annotation(1, joints, keypoints=keypoints.ravel().tolist())
    truth = dataset([1], [someone])
    nobody = metrics.coco_keypoint_ap(truth, [], weights=[0] + [1] * 16)["AP"]
    assert nobody == -1
    assert metrics.coco_keypoint_ap(truth, [])["AP"] == 0
