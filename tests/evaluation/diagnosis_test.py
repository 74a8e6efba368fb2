"""Tests for the kinds of errors and for the slices."""

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf import units
from integral_tf.evaluation import diagnosis
from tests.evaluation import cases

# Two pairs and a middle.
FIVE = skeletons.from_dict(
    {
        "name": "five",
        "joints": "left_hand right_hand left_foot right_foot nose".split(),
        "sides": [["left_hand", "right_hand"], ["left_foot", "right_foot"]],
        "limbs": [],
        "in_mean": "left_hand right_hand left_foot right_foot".split(),
    }
)
TRUTH = np.float64([[0, 0], [100, 0], [0, 100], [100, 100], [50, 50]])


def kinds(moved, visible=(1, 1, 1, 1, 1), length=10.0):
    """Names of the kinds if these joints are elsewhere; a head is 10 px."""
    joints = TRUTH.copy()
    for k, point in moved.items():
        joints[k] = point
    (found,) = diagnosis.kinds(
        joints[None], TRUTH[None], np.array([visible]), [length], FIVE
    )
    return [diagnosis.KINDS[kind] if kind >= 0 else "" for kind in found]


@pytest.mark.parametrize(
    "point, kind",
    [
        pytest.param((2.5, 0), "good", id="a quarter of a head"),
        pytest.param((2.6, 0), "jitter", id="more"),
        pytest.param((5, 0), "jitter", id="half a head"),
        pytest.param((5.1, 0), "missing", id="more than half"),
        pytest.param((95, 0), "swapped", id="half a head from the other hand"),
        pytest.param((94, 0), "missing", id="farther from the other hand"),
        pytest.param((0, 100), "missing", id="on a joint of another name"),
        pytest.param((np.nan, 0), "missing", id="nowhere"),
    ],
)
def test_a_joint_is_of_one_kind(point, kind):
    assert kinds({0: point}) == [kind, *["good"] * 4]


def test_a_joint_is_no_swap_onto_an_unlabelled_side():
    assert kinds({0: (100, 0)}, (1, 0, 1, 1, 1))[:2] == ["missing", ""]


def test_a_joint_without_label_or_length_has_no_kind():
    assert kinds({}, (0, 1, 1, 1, 1)) == ["", *["good"] * 4]
    assert kinds({}, length=0) == [""] * 5


def test_a_person_is_mirrored_if_most_pairs_are_swapped():
    hands = {0: (100, 0), 1: (0, 0)}
    feet = {2: (100, 100), 3: (0, 100)}
    # Two of four are not the most; three are.
    assert kinds(hands) == ["swapped"] * 2 + ["good"] * 3
    three = {**hands, 2: (100, 100)}
    assert kinds(three) == ["mirrored"] * 3 + ["good"] * 2
    assert kinds({**hands, **feet}) == ["mirrored"] * 4 + ["good"]
    # One pair alone says nothing of the person.
    labelled = (1, 1, 0, 0, 1)
    assert kinds(hands, labelled) == ["swapped"] * 2 + ["", "", "good"]


def test_a_mirrored_joint_that_is_right_stays_right():
    # Both hands at one place: left and right are the same point.
    truth = TRUTH.copy()
    truth[1] = truth[0]
    order = FIVE.mirrored_order
    (found,) = diagnosis.kinds(
        truth[None, order], truth[None], np.ones((1, 5)), [10.0], FIVE
    )
    assert [diagnosis.KINDS[kind] for kind in found[:2]] == ["good"] * 2


def test_kinds_are_counted_by_joint():
    found = np.array([[0, 0, 0, 4, -1], [0, 1, 4, 4, -1]])
    errors = np.array([[0.1, 0.2, 0, 1, np.nan], [0.3, 0.4, 2, 3, np.nan]])
    scores = np.full((2, 5), 0.5)
    rows = diagnosis.of_joints(found, errors, scores, FIVE)
    assert list(rows) == ["all", *FIVE.joints[:4]]
    assert rows["all"]["joints"] == 8
    assert rows["all"]["good"] == rows["right_hand"]["jitter"] == 50
    assert rows["all"]["missing"] == 37.5
    assert rows["left_hand"]["median"] == pytest.approx(0.2)
    assert rows["left_hand"]["score"] == 0.5
    for row in rows.values():
        assert sum(row[kind] for kind in diagnosis.KINDS) == 100


def test_people_are_divided_by_size_labels_and_edge():
    box = np.array(
        [
            [10, 10, 20, 30],  # inside
            [0, 10, 20, 60],  # at the left edge
            [10, 10, 90, 50],  # to the right edge of 100
        ]
    )
    visible = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]])
    found = diagnosis.slices(box, visible, np.full((3, 2), 100))
    sizes, labels, edges = (
        [mask.tolist() for mask in each.values()] for each in found.values()
    )
    one = np.eye(3, dtype=bool).tolist()
    assert sizes == one
    # One of four joints is fewer than half, two are half.
    assert labels == [one[1], one[2], one[0]]
    assert edges == [[True, False, False], [False, True, True]]
    assert "box" not in diagnosis.slices(box, visible)


def test_the_mean_of_shares_is_pckh():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, (50, 5, 2))
    joints = truth + rng.normal(0, 4, truth.shape)
    # On the thresholds: 1 and 5 pixels of a head of 10.
    joints[0] = truth[0] + [[1, 0], [5, 0], [0, 0], [np.nan, 0], [2, 0]]
    visible = rng.random((50, 5)) < 0.8
    seen = cases.predicted(joints, truth, visible)
    score, _ = seen.pckh(FIVE)
    everyone = {
        "people": {"all": np.ones(50, bool), "none": np.zeros(50, bool)}
    }
    rows = diagnosis.of_slices(seen.errors(), everyone, FIVE)["people"]
    assert list(rows) == ["all"]
    assert rows["all"]["joints"] == score.joints
    assert [rows["all"][name] for name in units.HEAD.figures] == pytest.approx(
        [score.at[0.5], score.at[0.1], score.auc]
    )
    weights = (0.0, 3.0, 1.0, 1.0, 0.5)
    score, _ = seen.pckh(FIVE, weights=weights)
    rows = diagnosis.of_slices(seen.errors(), everyone, FIVE, weights)
    assert rows["people"]["all"]["joints"] == score.joints
    assert [rows["people"]["all"][n] for n in units.HEAD.figures] == (
        pytest.approx([score.at[0.5], score.at[0.1], score.auc])
    )


def test_kinds_and_slices_are_by_the_units_own_thresholds():
    # Joints 0 and 2 are 100 pixels apart: the distance of 0.1 is 10 pixels.
    # Errors of 4, 7 and 20 pixels are good, jitter and missing.
    aside = np.zeros((1, 5, 2))
    aside[0, :3, 1] = 4, 7, 20
    truth = np.float64([[[0, 0], [300, 0], [100, 0], [600, 0], [900, 0]]])
    ends = f"{FIVE.joints[0]},{FIVE.joints[2]}"
    seen = cases.predicted(truth + aside, truth).measured(FIVE, ends)
    found = diagnosis.figures(seen, FIVE)
    rows = [found["kinds"][joint] for joint in FIVE.joints[:3]]
    assert [row["good"] for row in rows] == [100, 0, 0]
    assert [row["jitter"] for row in rows] == [0, 100, 0]
    assert [row["missing"] for row in rows] == [0, 0, 100]
    part = found["slices"]["labelled joints"]["all 5"]
    # Of the four joints in the mean, which the last is not.
    assert (part["@0.1"], part["@0.05"]) == (75, 50)


def test_slices_keep_the_metric_of_all_people():
    # The small person has no head: it is not counted, not counted by another
    # length.
    seen = cases.predicted(
        TRUTH[None].repeat(3, 0), TRUTH[None].repeat(3, 0),
        head_size=np.array([0.0, 10.0, 10.0]),
        box=np.array([[0, 0, 9, 9], [0, 0, 50, 50], [0, 0, 99, 99]]),
    )  # fmt: skip
    sizes = diagnosis.figures(seen, FIVE)["slices"]["longer side of the box"]
    assert [row["people"] for row in sizes.values()] == [1, 1]
