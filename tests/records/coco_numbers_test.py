"""Tests for the checks of numbers; values by hand."""

import numpy as np
import pytest

from integral_tf.records import coco_numbers

GOOD = [10, 11, 2, 20, 21, 1]


@pytest.mark.parametrize(
    "value, reason, addition",
    [
        ("x", "keypoints that are no numbers", ""),
        ([float("nan"), 1, 2, 3, 4, 2], "keypoints that are no numbers", ""),
        ([1e9, 1, 2, 3, 4, 2], "keypoints beyond all images", ""),
        (
            [1, 2],
            "keypoints other than 2 times x, y and visibility",
            " with 2 numbers",
        ),
    ],
)
@pytest.mark.parametrize("place", [0, 2])
def test_an_invalid_row_leaves_the_others(value, reason, addition, place):
    values = [GOOD, GOOD]
    values.insert(place, value)
    points, is_odd, reasons = coco_numbers.keypoints(values, 2)
    assert reasons == {place: (reason, addition)} and not is_odd.any()
    others = np.delete(points, place, axis=0).reshape(2, 6)
    np.testing.assert_array_equal(others, [GOOD, GOOD])


def test_nothing_is_nobody_and_lists_may_be_nested():
    values = [None, [], [[10, 11, 2], [20, 21, 0.5]], GOOD]
    points, is_odd, reasons = coco_numbers.keypoints(values, 2)
    assert is_odd.tolist() == [False, False, True, False] and not reasons
    expected = [[0] * 6, [0] * 6, [10, 11, 2, 20, 21, 2], GOOD]
    np.testing.assert_array_equal(points.reshape(4, 6), expected)


def test_whole_numbers_are_integers():
    points = np.array([[[1.0, 2.5, 2]], [[-3.0, 1e300, 0]]])
    assert repr(coco_numbers.plain(points)) == "[[1, 2.5, 2], [-3, 1e+300, 0]]"
    assert repr(coco_numbers.plain(points[:0])) == "[]"


def test_boxes_have_four_numbers_and_an_area():
    values = [
        [1, 2, 3, 4], None, [1, 2, 3], [1, 2, 0, 4], [1e9, 2, 3, 4],
        [[1], [2], [3], [4]], "box", ["1", 2, 3, 4.5],
    ]  # fmt: skip
    expected = np.zeros((8, 4))
    expected[0], expected[7] = (1, 2, 3, 4), (1, 2, 3, 4.5)
    np.testing.assert_array_equal(coco_numbers.usable_boxes(values), expected)
    assert coco_numbers.usable_box([[1], [2], [3], [4]]) is None
