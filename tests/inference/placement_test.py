"""Tests for which box is of which photograph."""

import pathlib
import types

from integral_tf.inference import left_out
from integral_tf.inference import placement

GOOD = {"file_name": "1.jpg", "bbox": [1, 2, 3.5, 4]}
ROWS = [
    GOOD,
    {"image_id": 2, "bbox": [1, 2, 3, 4], "category_id": 3, "score": 0.5},
    {"image_id": 2.0, "bbox": [-1e4, 2, 3, 99_999], "category_id": None},
    {"image_id": "a", "file_name": "3.png", "bbox": [0, 0, 1, 1]},
    {**GOOD, "category_id": "1", "image_id": "7"},
    {"image_id": "2", "bbox": [1, 2, 3, 4]},
    # Passed over, each for its reason.
    {**GOOD, "score": 0.49},
    {**GOOD, "score": "high"},
    {**GOOD, "score": float("nan")},
    {**GOOD, "category_id": 2},
    {**GOOD, "category_id": [1]},
    {**GOOD, "category_id": "01"},
    {"image_id": "02", "bbox": [1, 2, 3, 4]},
    {**GOOD, "file_name": "9.jpg"},
    {**GOOD, "file_name": 7},
    {"bbox": [1, 2, 3, 4]},
    {"image_id": True, "bbox": [1, 2, 3, 4]},
    {"image_id": 9, "bbox": [1, 2, 3, 4]},
    {"image_id": 5, "bbox": [1, 2, 3, 4]},
    *(
        {**GOOD, "bbox": box}
        for box in (
            None, 5, "abcd", [], [1, 2, 3], [1, 2, 3, 4, 5], [[1], 2, 3, 4],
            ["1", "2", "3", "4"], [1, 2, 0, 4], [1, 2, 3, -4],
            [1, 2, float("nan"), 4], [1, float("inf"), 3, 4],
            [1, 2, 3, 1e5], [-1e5, 2, 3, 4], [1, 2, 3, 10**400],
            [None, 1, 2, 3], {"x": 1},
        )
    ),
    *({**GOOD, "bbox": [0, 0, 0, n]} for n in range(12)),
    None,
    [1, 2, 3, 4],
    "x" * 500,
]  # fmt: skip


def test_rows_of_every_kind_are_taken_or_counted():
    paths = [
        pathlib.Path(name)
        for name in ("1.jpg", "000000000002.jpg", "3.png", "5.jpg", "5.png")
    ]
    left = left_out.LeftOut()
    found = placement.of_photographs(
        types.SimpleNamespace(min_box_score=0.5, boxes="boxes.json"),
        ROWS,
        paths,
        (1, 3),
        left,
    )
    people = {
        name: [(list(each.box), each.category, each.image_id) for each in some]
        for name, some in found.items()
    }
    # The first six rows, as they stand there.
    assert people == {
        "1.jpg": [([1, 2, 3.5, 4], 1, None), ([1, 2, 3.5, 4], 1, 7)],
        "000000000002.jpg": [
            ([1, 2, 3, 4], 3, 2),
            ([-1e4, 2, 3, 99_999], 1, 2),
            ([1, 2, 3, 4], 1, 2),
        ],
        "3.png": [([0, 0, 1, 1], 1, "a")],
    }
    assert sum(left.counts.values()) == len(ROWS) - 6
    # The others, counted by hand.
    assert left.ending() == (
        "; left out: 1 box below --min_box_score=0.5, 2 boxes whose score is "
        "no number, 3 boxes of another category than 1 or 3 (2, [1], '01'), 4 "
        "boxes without a file_name or an image_id, 2 boxes of another image "
        "('9.jpg', 9), 1 box whose image_id several images have: 5.jpg, 5.png, "
        "11 boxes without four numbers, 14 boxes without a positive width and "
        "height, 2 boxes with a number that is not finite, 2 boxes beyond "
        "100000 pixels, 3 boxes without any field"
    )
