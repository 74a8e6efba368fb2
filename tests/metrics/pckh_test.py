"""Tests for PCKh."""

import math

import numpy as np
import pytest

from integral_tf import metrics
from integral_tf import skeletons

PAIR = skeletons.Skeleton(
    name="pair",
    joints=("hand", "foot"),
    sides=(),
    limbs=(),
    groups=(("Hand", ("hand",)), ("Foot", ("foot",))),
)


def score(distances, head_size, skeleton=PAIR, visible=None, **kwargs):
    """Scores points that lie this far to the right of the truth."""
    distances = np.asarray(distances, float)
    truth = np.full((*distances.shape, 2), 7.0)
    predicted = truth.copy()
    predicted[..., 0] += distances
    if visible is None:
        visible = np.ones(distances.shape)
    return metrics.pckh(
        predicted, truth, visible, head_size, skeleton, **kwargs
    )


def percent(hits):
    return 100 * sum(hits) / len(hits) if hits else math.nan


def by_loops(predicted, truth, visible, head_size, joints, alpha):
    """PCKh as a sentence: joint by joint, in Python floats."""
    hits = []
    for i in range(len(head_size)):
        for k in joints:
            if visible[i, k] and head_size[i] > 0:
                x = float(predicted[i, k, 0]) - float(truth[i, k, 0])
                y = float(predicted[i, k, 1]) - float(truth[i, k, 1])
                # False where x or y is NaN.
                hits.append(math.hypot(x, y) <= alpha * float(head_size[i]))
    return percent(hits)


def test_worked_by_hand():
    # Head lengths 10 and 20. The hands are 0.5 and 0.05 heads away, the feet
    # 0.51 and 0.25.
    result = score([[5.0, 5.1], [1.0, 5.0]], [10, 20])
    assert result.at == {0.5: 75.0, 0.1: 25.0}
    assert result.groups[0.5] == {"Hand": 100.0, "Foot": 50.0}
    assert result.groups[0.1] == {"Hand": 50.0, "Foot": 0.0}
    assert (result.joints, result.people) == (4, 2)


def test_weights_worked_by_hand():
    # As above, the hands with weight 3: hits of 3 + 3 + 0 + 1 of 8.
    given = [[5.0, 5.1], [1.0, 5.0]], [10, 20]
    result = score(*given, weights=[3, 1])
    assert result.at == {0.5: 100 * 7 / 8, 0.1: 100 * 3 / 8}
    # At 0.25 the foot and the hand of the second, 4 of 8; below, 3 of 8.
    assert result.curve[25] == 50 and result.curve[24] == 37.5
    assert result.groups[0.5] == {"Hand": 100.0, "Foot": 50.0}
    same = score(*given, weights=[3, 3])
    np.testing.assert_array_equal(same.curve, score(*given).curve)
    alone = score(*given, weights=[0, 2])
    assert (alone.at[0.5], alone.joints, alone.people) == (50, 2, 2)
    assert math.isnan(alone.groups[0.5]["Hand"])


@pytest.mark.parametrize("hundredths", range(0, 51))
def test_the_threshold_itself_is_a_hit(hundredths):
    result = score([[hundredths, hundredths + 1e-6]], [100])
    assert result.curve[hundredths] == 50.0


def test_auc_is_the_mean_over_51_thresholds():
    assert len(metrics.ALPHAS) == 51
    assert metrics.ALPHAS[0] == 0 and metrics.ALPHAS[-1] == 0.5
    # One hand is a hit from 0.2 on, the other never.
    result = score([[20.0, 60.0]], [100])
    assert result.auc == pytest.approx(50 * 31 / 51)
    assert score([[0.0, 0.0]], [100]).auc == 100


def test_the_curve_may_end_elsewhere():
    # One hand is a hit from 0.05 on, the other never: at 25 of 50 steps.
    result = score([[5.0, 60.0]], [100], alphas=(0.1, 0.04), up_to=0.1)
    assert result.at == {0.1: 50, 0.04: 0}
    assert result.curve[24] == 0 and result.curve[25] == result.curve[50] == 50
    assert result.auc == pytest.approx(50 * 26 / 51)


@pytest.mark.parametrize("skeleton", [skeletons.MPII, skeletons.LSP, PAIR])
def test_agrees_with_loops(skeleton):
    rng = np.random.default_rng(len(skeleton))
    people, joints = 40, len(skeleton)
    truth = rng.uniform(0, 256, (people, joints, 2)).astype("float32")
    predicted = truth + rng.normal(0, 10, truth.shape).astype("float32")
    predicted[rng.uniform(size=(people, joints)) < 0.1] = np.nan
    visible = rng.integers(0, 3, (people, joints))
    head_size = rng.uniform(10, 40, people).astype("float32")
    head_size[rng.uniform(size=people) < 0.2] = 0
    arrays = predicted, truth, visible, head_size

    result = metrics.pckh(*arrays, skeleton, alphas=(0.5, 0.1, 1.0))

    pooled = skeleton.mean_indices
    for alpha in (0.5, 0.1, 1.0):
        expected = by_loops(*arrays, pooled, alpha)
        assert result.at[alpha] == pytest.approx(expected)
        for name, names in skeleton.groups:
            some = [skeleton.joints.index(joint) for joint in names]
            expected = by_loops(*arrays, some, alpha)
            assert result.groups[alpha][name] == pytest.approx(expected)
    curve = [by_loops(*arrays, pooled, i / 100) for i in range(51)]
    np.testing.assert_allclose(result.curve, curve)
    assert result.auc == pytest.approx(sum(curve) / 51)
    assert result.people == np.count_nonzero(head_size)
    counted = visible[head_size > 0][:, pooled]
    assert result.joints == np.count_nonzero(counted)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_no_number_is_a_miss(value):
    result = score([[0.0, value]], [100])
    assert result.at == {0.5: 50.0, 0.1: 50.0}
    assert result.auc == 50


def test_unlabelled_joints_and_unmeasured_people_do_not_count():
    truth = np.zeros((3, 2, 2))
    truth[0, 1] = np.nan  # where an annotation is missing
    predicted = np.zeros((3, 2, 2))
    predicted[2] = 99.0
    visible = [[2, 0], [1, 0], [1, 1]]
    result = metrics.pckh(predicted, truth, visible, [10, 10, 0], PAIR)
    assert (result.at[0.5], result.joints, result.people) == (100.0, 2, 2)
    assert math.isnan(result.groups[0.5]["Foot"])


def test_nothing_labelled_is_not_a_number():
    result = score([[1.0, 1.0]], [10], visible=np.zeros((1, 2)))
    assert math.isnan(result.at[0.5]) and math.isnan(result.auc)
    assert result.joints == 0


def test_mpiis_mean_leaves_out_pelvis_and_thorax():
    distances = np.zeros((1, 16))
    distances[0, [6, 7]] = 99  # pelvis and thorax in MPII's order
    result = score(distances, [10], skeletons.MPII)
    assert result.at[0.5] == 100
    assert result.joints == 14
    distances[0, 9] = 99  # head_top
    assert score(distances, [10], skeletons.MPII).at[0.5] == 100 * 13 / 14


def test_rejects_arrays_of_another_skeleton():
    with pytest.raises(ValueError, match=r"2 joints of pair. Received: \(1, 3"):
        score([[0.0, 0.0, 0.0]], [10])


# x, y, width, height: the longer sides are 200 and 300.
BOXES = [[5.0, 5.0, 200.0, 80.0], [0.0, 9.0, 100.0, 300.0]]


def test_the_reference_is_the_head_where_one_is_known():
    lengths, name = metrics.reference_lengths([0.0, 30.0], BOXES)
    np.testing.assert_array_equal(lengths, [0, 30])
    assert name == "PCKh"


def test_the_reference_is_a_tenth_of_the_box_where_no_head_is_known():
    lengths, name = metrics.reference_lengths([0.0, 0.0], BOXES)
    np.testing.assert_array_equal(lengths, [20, 30])
    assert name == "PCK"


def as_hrnet_prints_it(predicted, truth, visible, head_size):
    """One row of HRNet's table, in plain Python, joint by joint.

    The indices are MPII's: head top 9, pelvis 6, thorax 7.
    """
    people = range(len(head_size))

    def hits_and_count(joint, threshold):
        hits = count = 0
        for i in people:
            if visible[i][joint]:
                distance = math.dist(predicted[i][joint], truth[i][joint])
                hits += distance / head_size[i] <= threshold
                count += 1
        return hits, count

    def joint(k):
        hits, count = hits_and_count(k, 0.5)
        return 100 * hits / count

    def mean(threshold):
        both = [
            hits_and_count(k, threshold) for k in range(16) if k not in (6, 7)
        ]
        total = sum(count for _, count in both)
        return sum(100 * h / n * (n / total) for h, n in both)

    return {
        "Head": joint(9),
        "Sho.": 0.5 * (joint(13) + joint(12)),
        "Elb.": 0.5 * (joint(14) + joint(11)),
        "Wri.": 0.5 * (joint(15) + joint(10)),
        "Hip": 0.5 * (joint(3) + joint(2)),
        "Knee": 0.5 * (joint(4) + joint(1)),
        "Ank.": 0.5 * (joint(5) + joint(0)),
        "Mean": mean(0.5),
        "Mean@0.1": mean(0.11),
    }


@pytest.mark.parametrize("seed", range(3))
def test_compat_agrees_with_hrnet(seed):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 256, (60, 16, 2))
    predicted = truth + rng.normal(0, 5, truth.shape)
    # Each joint is labelled another number of times, so that weights matter.
    visible = rng.uniform(size=(60, 16)) < np.linspace(0.3, 1, 16)
    arrays = predicted, truth, visible, rng.uniform(10, 40, 60)
    result = metrics.pckh(*arrays, compat="hrnet")
    printed = {
        **result.groups[0.5],
        "Mean": result.at[0.5],
        "Mean@0.1": result.at[0.1],
    }
    assert printed == pytest.approx(as_hrnet_prints_it(*arrays))
    plain = metrics.pckh(*arrays)
    assert result.at[0.1] > plain.at[0.1] and result.auc == plain.auc
    assert result.groups[0.5] != plain.groups[0.5]


def test_compat_worked_by_hand():
    # Three people with heads of 100. Of the left ankle two are labelled and
    # both are hits, of the right three and one is: 100 % and 33 %.
    distances = np.zeros((3, 16))
    visible = np.zeros((3, 16))
    visible[:2, 5] = visible[:, 0] = 1
    distances[:2, 0] = 51
    # Head top 11 away, neck far off.
    visible[0, [8, 9]] = 1
    distances[0, [8, 9]] = 99, 11
    result = score(
        distances, [100] * 3, skeletons.MPII, visible, compat="hrnet"
    )
    assert result.groups[0.5]["Ank."] == pytest.approx((100 + 100 / 3) / 2)
    assert result.groups[0.5]["Head"] == 100
    # 4 of 7 joints; the head top at 0.11 is one of them at "0.1".
    assert result.at == pytest.approx({0.5: 400 / 7, 0.1: 400 / 7})
    plain = score(distances, [100] * 3, skeletons.MPII, visible)
    assert plain.groups[0.5]["Ank."] == pytest.approx(60)
    assert plain.groups[0.5]["Head"] == 50
    assert plain.at == pytest.approx({0.5: 400 / 7, 0.1: 300 / 7})


def test_compat_is_hrnet_or_none_and_of_mpii():
    with pytest.raises(ValueError, match="Received: compat='mmpose'"):
        score([[0.0, 0.0]], [10], compat="mmpose")
    with pytest.raises(ValueError, match="Received: skeleton='pair'"):
        score([[0.0, 0.0]], [10], compat="hrnet")
