"""Tests for rescoring; the numbers are worked out in one's head."""

import numpy as np
import pytest

from integral_tf import inference

JOINTS = [[0.9, 0.7, 0.2, 0.1], [0.1, 0.2, 0.0, 0.1]]


@pytest.mark.parametrize(
    "options, expected",
    [
        # Above 0.2 are 0.9 and 0.7 of the first, and none of the second.
        pytest.param({}, [0.5 * 0.8, 0], id="Simple Baselines"),
        pytest.param({"threshold": 0.8}, [0.5 * 0.9, 0], id="one joint"),
        # 1.9 / 4, and 0.4 / 4 with its joint at 0.
        pytest.param({"threshold": 0}, [0.5 * 0.475, 0.9 * 0.1], id="G-RMI"),
    ],
)
def test_worked_by_hand(options, expected):
    got = inference.rescore([0.5, 0.9], JOINTS, **options)
    np.testing.assert_allclose(got, expected)


def test_agrees_with_a_loop():
    rng = np.random.default_rng(0)
    boxes = rng.uniform(size=30)
    joints = rng.uniform(0, 0.4, (30, 4))
    expected = []
    for box, person in zip(boxes, joints):
        sure = [score for score in person if score > 0.2]
        expected.append(box * sum(sure) / len(sure) if sure else 0)
    assert 0 in expected  # someone without a sure joint
    np.testing.assert_allclose(inference.rescore(boxes, joints), expected)


def test_nobody():
    assert inference.rescore([], np.zeros((0, 17))).shape == (0,)


def test_rejects_scores_of_other_people():
    with pytest.raises(ValueError, match=r"Received: \(3,\), \(2, 4\)"):
        inference.rescore([0.5, 0.9, 0.1], JOINTS)
    with pytest.raises(ValueError, match=r"Received: \(2,\), \(2,\)"):
        inference.rescore([0.5, 0.9], [0.1, 0.1])
