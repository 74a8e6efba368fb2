"""Tests for OKS-NMS, hard and soft."""

import math

import numpy as np
import pytest

from integral_tf import inference
from integral_tf import skeletons

# As in the tests of OKS: a joint 10 px away adds exp(-0.5), or 0.61, where
# 2 sigma is 1 and the mean area is 100.
SIGMA = [0.5]
AREA = 100.0


def column(*xs):
    """People of one joint, at these x."""
    return np.array([[[x, 0.0]] for x in xs])


def nms(xs, scores, threshold=0.6, **kwargs):
    areas = kwargs.pop("areas", [AREA] * len(xs))
    kept = inference.oks_nms(
        column(*xs), scores, areas, SIGMA, threshold, **kwargs
    )
    return kept.tolist()


def test_worked_by_hand():
    # 0 and 10 are one person at 0.6, 0 and 20 (exp(-2)) are not.
    assert nms([0, 10, 20], [0.9, 0.8, 0.7]) == [0, 2]
    assert nms([0, 10, 20], [0.8, 0.9, 0.7]) == [1]
    assert nms([0, 10, 20], [0.7, 0.8, 0.9]) == [2, 0]
    assert nms([0, 10, 20], [0.9, 0.8, 0.7], threshold=0.61) == [0, 1, 2]


def test_who_was_dropped_drops_nobody():
    # 10 is dropped by 0, so 20 stays, though it is as near to 10.
    assert nms([0, 10, 20, 30], [0.9, 0.8, 0.7, 0.6]) == [0, 2]


def test_the_threshold_itself_is_kept():
    assert nms([0, 0], [0.9, 0.8], threshold=1) == [0, 1]
    assert nms([0, 0], [0.9, 0.8], threshold=0.999) == [0]


def test_the_area_is_the_mean_of_both():
    # 300 and 100 make 200: exp(-0.25) is 0.78.
    both = {"areas": [300.0, 100.0]}
    assert nms([0, 10], [0.9, 0.8], threshold=0.77, **both) == [0]
    assert nms([0, 10], [0.9, 0.8], threshold=0.79, **both) == [0, 1]


def test_of_equal_scores_the_last_is_kept():
    assert nms([0, 1, 2], [0.5, 0.5, 0.5]) == [2]


def test_only_people_of_one_image_are_compared():
    # Image 3 has people 0 and 2, image 8 has 1 and 3; all in one place.
    got = nms([0, 0, 0, 0], [0.6, 0.7, 0.9, 0.8], image_ids=[3, 8, 3, 8])
    assert got == [2, 3]
    names = ["b", "a", "b", "a"]
    assert nms([0, 0, 0, 0], [0.6, 0.7, 0.9, 0.8], image_ids=names) == [3, 2]


def test_soft_worked_by_hand():
    # The second is where the first is, the third is elsewhere.
    kept, scores = inference.soft_oks_nms(
        column(0, 0, 999), [0.9, 0.8, 0.5], [AREA] * 3, SIGMA, threshold=0.5
    )
    assert kept.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [0.9, 0.8 * math.exp(-2), 0.5])


def test_soft_keeps_the_best_of_each_image():
    kept, scores = inference.soft_oks_nms(
        column(0, 0, 0, 999, 0),
        [0.9, 0.8, 0.7, 0.6, 0.1],
        [AREA] * 5,
        SIGMA,
        threshold=0.5,
        image_ids=[1, 1, 1, 1, 0],
        max_people=2,
    )
    assert kept.tolist() == [4, 0, 3]
    # Those that the two kept are not near to were lowered once.
    lowered = [0.9, 0.8 * math.exp(-2), 0.7 * math.exp(-2), 0.6, 0.1]
    np.testing.assert_allclose(scores, lowered)


def crowd(seed, people=300, images=12):
    """Joints, scores, areas and image ids; many are seen twice or more."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, 400, (people, 1, 2))
    joints = joints + rng.normal(0, 40, (people, 17, 2))
    image_ids = rng.integers(0, images, people) * 7
    for i in range(1, people):
        if rng.random() < 0.6:
            j = rng.integers(i)
            moved = rng.normal(0, rng.uniform(0, 12), (17, 2))
            joints[i], image_ids[i] = joints[j] + moved, image_ids[j]
    areas = rng.uniform(5e3, 2e4, people)
    return joints, rng.uniform(size=people), areas, image_ids


def loop_oks(joints, areas, i, j, sigmas):
    total = 0.0
    for k, sigma in enumerate(sigmas):
        x, y = joints[i, k] - joints[j, k]
        mean_area = (areas[i] + areas[j]) / 2
        total += math.exp(-(x * x + y * y) / (2 * mean_area * (2 * sigma) ** 2))
    return total / len(sigmas)


def loop_nms(joints, scores, areas, sigmas, threshold, image_ids):
    """The usual way: one image and one person after the other."""
    kept = []
    for image in sorted(set(image_ids)):
        left = np.flatnonzero(image_ids == image)
        left = sorted(left, key=lambda i: -scores[i])
        while left:
            surest, *left = left
            kept.append(surest)
            left = [
                i
                for i in left
                if loop_oks(joints, areas, surest, i, sigmas) <= threshold
            ]
    return kept


def loop_soft_nms(joints, scores, areas, sigmas, threshold, image_ids, most):
    kept, scores = [], scores.copy()
    for image in sorted(set(image_ids)):
        left = list(np.flatnonzero(image_ids == image))
        for _ in range(min(most, len(left))):
            surest = max(left, key=lambda i: scores[i])
            left.remove(surest)
            kept.append(surest)
            for i in left:
                near = loop_oks(joints, areas, surest, i, sigmas)
                scores[i] *= math.exp(-(near**2) / threshold)
    return kept, scores


@pytest.mark.parametrize("threshold", [0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_loop(seed, threshold):
    joints, scores, areas, image_ids = crowd(seed)
    sigmas = skeletons.COCO.sigmas
    got = inference.oks_nms(
        joints, scores, areas, threshold=threshold, image_ids=image_ids
    )
    expected = loop_nms(joints, scores, areas, sigmas, threshold, image_ids)
    assert got.tolist() == expected
    assert 0.1 < len(got) / len(scores) < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_soft_agrees_with_the_loop(seed):
    joints, scores, areas, image_ids = crowd(seed)
    before = scores.copy()
    sigmas = skeletons.COCO.sigmas
    kept, lowered = inference.soft_oks_nms(
        joints, scores, areas, image_ids=image_ids, max_people=9
    )
    expected, expected_scores = loop_soft_nms(
        joints, scores, areas, sigmas, 0.9, image_ids, 9
    )
    assert kept.tolist() == expected
    np.testing.assert_allclose(lowered, expected_scores)
    np.testing.assert_array_equal(scores, before)


def test_more_pairs_than_are_compared_at_once():
    # All are where the surest is, but one far down the list.
    xs, scores = np.zeros(5001), np.linspace(1, 0.5, 5001)
    xs[4500] = 999
    assert nms(xs, scores) == [0, 4500]


def test_nobody():
    empty = np.zeros((0, 17, 2)), [], []
    assert inference.oks_nms(*empty).tolist() == []
    kept, scores = inference.soft_oks_nms(*empty)
    assert kept.tolist() == [] and scores.shape == (0,)


@pytest.mark.parametrize("way", [inference.oks_nms, inference.soft_oks_nms])
def test_rejects_what_does_not_fit(way):
    joints = np.zeros((2, 17, 2))
    with pytest.raises(ValueError, match=r"Received: \(2, 17, 2\), \(3,\)"):
        way(joints, [0.1, 0.2, 0.3], [1, 1])
    with pytest.raises(ValueError, match=r"\(2,\) and \(16,\)"):
        way(joints, [0.1, 0.2], [1, 1], sigmas=[0.1] * 16)
    with pytest.raises(ValueError, match="Received: 1 that are not"):
        way(joints, [0.1, np.nan], [1, 1])
