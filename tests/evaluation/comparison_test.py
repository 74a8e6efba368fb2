"""Tests for the difference of two evaluations."""

import json

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.evaluation import comparison
from tests.evaluation import cases

ONE = skeletons.from_dict(
    {"name": "one", "joints": ["nose"], "sides": [], "limbs": []}
)


def test_equal_predictions_have_no_difference():
    errors = np.random.default_rng(0).uniform(0, 1, (30, 4))
    rows = comparison.bootstrap(errors, errors, np.arange(30) // 2)
    for row in rows.values():
        assert row["difference"] == row["low"] == row["high"] == 0


def test_a_gain_that_all_images_share_has_no_width():
    # In each person one of two joints gets right: 50 percent everywhere.
    errors = np.tile([0.0, 0.0], (12, 1))
    others = np.tile([0.0, 9.0], (12, 1))
    for row in comparison.bootstrap(errors, others, np.arange(12)).values():
        assert row["this"] == 100 and row["other"] == 50
        assert row["difference"] == row["low"] == row["high"] == 50


def test_the_interval_is_that_of_a_binomial():
    # A quarter of 400 images gains a joint each: the gain's standard error is
    # sqrt(0.25 * 0.75 / 400) = 2.165 percent, its interval +-1.96 of these.
    errors = np.zeros((400, 1))
    others = np.where(np.arange(400) % 4 == 0, 9.0, 0.0)[:, None]
    row = comparison.bootstrap(errors, others, np.arange(400))["@0.5"]
    assert row["difference"] == 25
    assert row["low"] == pytest.approx(25 - 4.24, abs=0.6)
    assert row["high"] == pytest.approx(25 + 4.24, abs=0.6)


def test_images_are_drawn_and_not_people():
    # The same people, four to an image, who gain together: half the images,
    # twice the error.
    gain = np.where(np.arange(100) % 4 == 0, 9.0, 0.0)
    apart = np.repeat(gain, 4)[:, None]
    row = comparison.bootstrap(
        np.zeros((400, 1)), apart, np.repeat(np.arange(100), 4)
    )["@0.5"]
    assert row["high"] - row["low"] == pytest.approx(4 * 4.24, abs=2)


def test_a_joint_that_one_lacks_does_not_count():
    errors = np.array([[0.0, np.nan], [0.0, 0.0]])
    others = np.array([[9.0, 9.0], [0.0, np.nan]])
    row = comparison.bootstrap(errors, others, np.arange(2))["@0.5"]
    assert (row["this"], row["other"]) == (100, 50)


def evaluated(folder, seen, **changes):
    folder.mkdir()
    figures = {"method": "I1", "metric": "PCKh", **changes}
    (folder / "metrics.json").write_text(json.dumps(figures))
    comparison.write(seen, ONE, folder / comparison.ERRORS)
    return folder


def test_people_are_found_by_name_in_any_order(tmp_path):
    truth = np.zeros((3, 1, 2))
    # Errors of 0, 1 and 9 heads, one person not labelled.
    there = cases.predicted(
        [[[0, 0]], [[10, 0]], [[90, 0]]], truth, np.array([[1], [1], [0]])
    )
    other = comparison.read(evaluated(tmp_path / "other", there))
    np.testing.assert_array_equal(other.errors, [[0], [1], [np.nan]])
    here = cases.predicted(
        truth, truth, source_id=np.array([b"person 1", b"new", b"person 0"])
    )
    compared = comparison.compare(here, other, ONE)
    assert compared["people"] == compared["images"] == 2
    row = compared["figures"]["@0.5"]
    assert (row["this"], row["other"], row["difference"]) == (100, 50, 50)
    text = comparison.table(compared, "I2", "PCKh")
    assert "| @0.5 | 100.0 | 50.0 | +50.00 | +0.00 to +100.00 |" in text
    assert text.count("I1 of") == 2


def test_what_cannot_be_compared_is_refused(tmp_path):
    truth = np.zeros((2, 1, 2))
    seen = cases.predicted(truth, truth)
    with pytest.raises(FileNotFoundError, match=r"has metrics.json and errors"):
        comparison.read(tmp_path)
    folder = evaluated(tmp_path / "other", seen)
    other = comparison.read(folder)
    # The same people in tenths of the box, and at another threshold.
    boxed = cases.predicted(truth, truth, head_size=np.zeros(2))
    words = "PCK in tenths of the box, @0.5, @0.1, AUC, of 2 people, 2 of them"
    with pytest.raises(ValueError, match=words):
        comparison.compare(boxed, other, ONE)
    with pytest.raises(ValueError, match="PCKh in heads, @0.3, AUC, of 2"):
        comparison.compare(seen.measured(ONE, alpha="0.3"), other, ONE)
    strangers = cases.predicted(truth, truth, source_id=np.array([b"a", b"b"]))
    with pytest.raises(ValueError, match="2 people, 0 of them the same"):
        comparison.compare(strangers, other, ONE)
    (folder / comparison.ERRORS).write_text("source_id,image_id,nose\nx,y,z\n")
    with pytest.raises(ValueError, match="is damaged.*Received: --compare"):
        comparison.read(folder)


def test_evaluations_in_a_named_unit_are_compared(tmp_path):
    # Hands 100 pixels apart; the nose is 4 pixels aside in the one, 8 in the
    # other: both are within 0.1, one is within 0.05.
    joints = ("nose", "left_hand", "right_hand")
    skeleton = skeletons.Skeleton("s", joints, (), ())
    truth = np.float64([[[50, 50], [0, 0], [100, 0]]])
    both = [
        cases.predicted(truth + [[aside, 0], [0, 0], [0, 0]], truth).measured(
            skeleton, "left_hand,right_hand"
        )
        for aside in (4, 8)
    ]
    folder = tmp_path / "other"
    folder.mkdir()
    unit = both[1].unit
    figures = {"method": "I1", "metric": "PCK", "unit": unit.words}
    figures["alphas"] = list(unit.alphas)
    (folder / "metrics.json").write_text(json.dumps(figures))
    comparison.write(both[1], skeleton, folder / comparison.ERRORS)
    compared = comparison.compare(both[0], comparison.read(folder), skeleton)
    found = compared["figures"]
    assert list(found) == ["@0.1", "@0.05", "AUC"]
    assert found["@0.1"]["difference"] == 0
    assert found["@0.05"]["difference"] == pytest.approx(100 / 3)


def test_a_joints_weight_is_in_both_figures():
    # The first joint is right in this, the second in the other; weights 3, 1.
    errors, others = np.tile([0.0, 9.0], (6, 1)), np.tile([9.0, 0.0], (6, 1))
    row = comparison.bootstrap(errors, others, np.arange(6), [3, 1])["@0.5"]
    assert (row["this"], row["other"], row["difference"]) == (75, 25, 50)
    row = comparison.bootstrap(errors, others, np.arange(6), [0, 1])["@0.5"]
    assert (row["this"], row["other"]) == (0, 100)
