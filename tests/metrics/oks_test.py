"""Tests for OKS. The numbers follow from its formula in one's head."""

import math

import numpy as np
import pytest

from integral_tf.metrics import oks

# With sigma 0.5, 2 sigma is 1; with area 100, s is 10. A joint at distance d
# then adds exp(-d^2 / 200).
SIGMAS = [0.5, 0.5]
AREAS = [100.0]
HALF, ONE = math.exp(-0.5), math.exp(-1)  # at distances 10 and 10 sqrt(2)


def similarity(predicted, visible=(2, 2), truth=((5, 5), (7, 7)), **kwargs):
    return oks.similarity(
        [predicted], [truth], [visible], AREAS, SIGMAS, **kwargs
    )[0]


@pytest.mark.parametrize(
    "predicted, visible, expected",
    [
        pytest.param([(5, 5), (7, 7)], (2, 2), 1, id="the truth"),
        pytest.param([(15, 5), (7, 7)], (2, 2), (1 + HALF) / 2, id="10 to x"),
        pytest.param([(5, 5), (-3, 7)], (2, 2), (1 + HALF) / 2, id="10 from x"),
        pytest.param([(5, 15), (17, 17)], (2, 2), (HALF + ONE) / 2, id="both"),
        pytest.param([(5, 15), (7, 7)], (1, 0), HALF, id="unlabelled"),
        pytest.param([(5, 5), (7, 7)], (1, 1), 1, id="hidden, but labelled"),
        pytest.param([(5, 5), (1e6, 7)], (2, 2), 1 / 2, id="one far away"),
        pytest.param([(5, 5), (np.nan, 7)], (2, 2), 1 / 2, id="no number"),
        pytest.param([(5, 5), (np.inf, 7)], (2, 2), 1 / 2, id="infinite"),
    ],
)
def test_worked_by_hand(predicted, visible, expected):
    assert similarity(predicted, visible) == pytest.approx(expected)


def test_sigma_and_area_widen_it():
    # Distances 20 and 40 with 2 sigma of 2 and 4: both as 10 with 1. Then a
    # quarter of the area, with half of the distances.
    for factor, area in ((1, 100), (0.5, 25)):
        points = factor * np.array([[[20.0, 0.0], [0.0, 40.0]]])
        got = oks.similarity(points, 0 * points, [[1, 1]], [area], [1, 2])
        assert got == pytest.approx(HALF)


@pytest.mark.parametrize(
    "point, expected",
    [
        pytest.param((40, 50), 1, id="within the box"),
        pytest.param((-20, 100), 1, id="a corner of the doubled box"),
        pytest.param((80, 50), HALF, id="10 to its right"),
        pytest.param((-30, 50), HALF, id="10 to its left"),
        pytest.param((40, -30), HALF, id="10 above"),
        pytest.param((40, 110), HALF, id="10 below"),
        pytest.param((80, 110), ONE, id="off a corner"),
    ],
)
def test_someone_unlabelled_is_a_box(point, expected):
    # From (10, 20) to (40, 60): one box more on each side is from (-20, -20)
    # to (70, 100). The other joint is within.
    got = similarity([point, (20, 30)], (0, 0), boxes=[(10, 20, 30, 40)])
    assert got == pytest.approx((expected + 1) / 2)


def test_a_box_is_read_only_where_nothing_is_labelled():
    boxes = [(10, 20, 30, 40)]
    expected = (1 + HALF) / 2
    got = similarity([(15, 5), (7, 7)], boxes=boxes)
    assert got == pytest.approx(expected)
    assert math.isnan(similarity([(15, 5), (7, 7)], (0, 0)))


def test_an_area_of_nothing_forgives_nothing():
    points = np.array([[[5.0, 5.0], [7.0, 7.001]]])
    truth = np.array([[[5.0, 5.0], [7.0, 7.0]]])
    assert oks.similarity(points, truth, [[1, 1]], [0], SIGMAS) == 0.5


def test_pairs_do_not_mix():
    rng = np.random.default_rng(0)
    points, truth = rng.uniform(0, 30, (2, 6, 2, 2))
    visible = rng.integers(0, 2, (6, 2))
    areas = rng.uniform(50, 200, 6)
    boxes = rng.uniform(0, 5, (6, 4))
    both = oks.similarity(points, truth, visible, areas, SIGMAS, boxes)
    for i in range(6):
        one = slice(i, i + 1)
        alone = oks.similarity(
            points[one],
            truth[one],
            visible[one],
            areas[one],
            SIGMAS,
            boxes[one],
        )
        assert both[i] == alone[0]


def test_a_weighted_mean():
    # Similarities of 1 and of e^-0.5, with weights 3 and 1.
    there, aside = (5, 5), (7, 17)
    wanted = (3 + HALF) / 4
    given = {"weights": [3, 1]}
    assert similarity([there, aside], **given) == pytest.approx(wanted)
    assert similarity([there, aside], (2, 0), **given) == pytest.approx(1)
    # A joint of weight 0 is as one without a label.
    given = {"weights": [0, 2]}
    assert similarity([there, aside], **given) == pytest.approx(HALF)
    assert np.isnan(similarity([there, aside], (2, 0), **given))
    box = np.array([[0, 0, 10, 10]])
    # 10 beyond the enlarged box, whose right edge is 20; one joint counts.
    far = similarity([there, (30, 5)], (2, 0), boxes=box, **given)
    assert far == pytest.approx(HALF)
