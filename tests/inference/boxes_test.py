"""Tests for boxes of people: what one is, and files of them."""

import dataclasses
import json
import random

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.inference import boxes
from integral_tf.inference import left_out

FISH = dataclasses.replace(skeletons.LSP, name="fish", categories=(3, 7))
BOX = [10, 20, 30, 40]


def sort(rows, least=0.5, skeleton=skeletons.LSP):
    left = left_out.LeftOut()
    people = boxes.sort(rows, lambda row: "here", skeleton, least, left)
    return people.get("here", []), left


@pytest.mark.parametrize(
    "box", [BOX, tuple(BOX), np.array(BOX, "float32"), [0.5, -3, 1e-3, 99999]]
)
def test_a_box_is_four_numbers(box):
    np.testing.assert_array_equal(
        boxes.checked(box), np.asarray(box, np.float64)
    )


@pytest.mark.parametrize(
    "box, reason",
    [
        (None, "without four numbers"),
        ([1, 2, 3], "without four numbers"),
        ([1, 2, 3, 4, 5], "without four numbers"),
        ([BOX], "without four numbers"),
        ([1, 2, [3], 4], "without four numbers"),
        ([1, 2, "3", 4], "without four numbers"),
        ([1, 2, None, 4], "without four numbers"),
        ([1, 2, 10**400, 4], "without four numbers"),
        ("1234", "without four numbers"),
        ({"x": 1, "y": 2, "w": 3, "h": 4}, "without four numbers"),
        ([1, 2, float("nan"), 4], "not finite"),
        ([1, 2, 3, float("inf")], "not finite"),
        ([1, 2, 0, 4], "without a positive width"),
        ([1, 2, 3, -4], "without a positive width"),
        ([1, 2, 3, 1e5], "beyond 100000 pixels"),
        ([-1e6, 2, 3, 4], "beyond 100000 pixels"),
    ],
)
def test_what_is_no_box_says_why(box, reason):
    with pytest.raises(boxes.Unfit, match=reason):
        boxes.checked(box)


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"score": 0.4}, "below --min_box_score=0.5"),
        ({"score": "high"}, "whose score is no number"),
        ({"score": float("nan")}, "whose score is no number"),
        ({"category_id": 1}, "of another category than 3 or 7 (1)"),
        ({"category_id": "fish"}, "of another category than 3 or 7 ('fish')"),
        ({"category_id": [3]}, "of another category than 3 or 7 ([3])"),
        ({"bbox": [1, 2, 0, 4]}, "without a positive width and height"),
        ({"bbox": None}, "without four numbers"),
    ],
)
def test_a_row_that_is_left_out_is_counted(change, reason):
    rows = [{"bbox": BOX}, {"bbox": BOX, "score": 0.9, **change}]
    people, left = sort(rows, skeleton=FISH)
    assert len(people) == 1
    assert str(left) == f"1 box {reason}"


@pytest.mark.parametrize(
    "image_id, read",
    [("42", 42), (42.0, 42), ("0042", "0042"), ("a", "a"), ("²", "²"),
     ("9" * 5000, "9" * 5000), (None, None)],
)  # fmt: skip
def test_ids_may_be_texts_as_in_the_builders(image_id, read):
    row = {"bbox": BOX, "category_id": "7", "image_id": image_id}
    (person,), left = sort([row], skeleton=FISH)
    assert (person.category, person.image_id) == (7, read)
    first = dataclasses.replace(FISH, categories=(0,))
    (person,), _ = sort([{"bbox": BOX, "category_id": "0"}], skeleton=first)
    assert person.category == 0
    assert str(left) == ""


def test_a_bad_row_is_named_by_its_position():
    rows = [{"bbox": BOX}] * 3 + [{"bbox": BOX[:3]}]
    _, left = sort(rows)
    assert left.lines == [
        "skipped boxes[3], {'bbox': [10, 20, 30]}: without four numbers"
    ]


def test_many_bad_rows_do_not_fill_the_screen():
    _, left = sort([{}] * 500)
    assert len(left.lines) == 11
    assert str(left) == "500 boxes without four numbers"


def test_many_categories_do_not_fill_the_line():
    rows = [{"bbox": BOX, "category_id": i} for i in range(1, 91)]
    people, left = sort(rows)
    assert len(people) == 1
    assert str(left) == (
        "89 boxes of another category than 1 (2, 3, 4, 5, 6, ...)"
    )


def test_a_row_keeps_its_category_and_its_image():
    rows = [
        {"bbox": BOX, "category_id": 7, "image_id": 42.0},
        {"bbox": BOX, "category_id": None, "image_id": "a", "score": None},
        {"bbox": BOX},
    ]
    people, left = sort(rows, skeleton=FISH)
    assert [person.category for person in people] == [7, 3, 3]
    assert [person.image_id for person in people] == [42, "a", None]
    assert not left.counts


def junk(rng, depth=0):
    """A JSON value of any kind."""
    kind = rng.randrange(12 if depth < 3 else 9)
    if kind > 8:
        inner = [junk(rng, depth + 1) for _ in range(rng.randrange(6))]
        return inner if kind < 11 else {str(i): v for i, v in enumerate(inner)}
    return [
        None, True, False, "3", rng.randrange(-9, 99), rng.uniform(-9, 9),
        float("nan"), float("inf"), 10**400,
    ][kind]  # fmt: skip


def test_whatever_the_rows_are_each_comes_out_or_is_counted():
    rng = random.Random(0)
    names = ["bbox", "score", "category_id", "image_id"]
    for _ in range(2000):
        row = {"bbox": list(BOX), "score": 0.9, "category_id": 1}
        for name in rng.sample(names, rng.randrange(3)):
            row[name] = junk(rng)
        if rng.random() < 0.3:
            row["bbox"] = [junk(rng, 3) for _ in range(4)]
        rows = json.loads(json.dumps([row, junk(rng)]))
        people, left = sort(rows)
        assert len(people) + sum(left.counts.values()) == 2
        for person in people:
            json.dumps([person.image_id, person.category])
            assert np.isfinite(person.box).all()


@pytest.mark.parametrize(
    "text, reason",
    [
        ("[" * 100_000 + "]" * 100_000, "recursion"),
        ("[1, 2", "Expecting"),
        ("", "Expecting value"),
        ('{"annotations": []}', "it is a dict"),
        ("3", "it is a int"),
        ("[" + "9" * 5000 + "]", "limit"),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path, text, reason):
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"(?s)JSON list of.*{reason}"):
        boxes.read(path, "file_name or image_id")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_bytes(b"\xff\xfe\x00[")
    with pytest.raises(ValueError, match="JSON list of"):
        boxes.read(path, "frame")
