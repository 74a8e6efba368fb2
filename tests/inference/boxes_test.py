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
    people = boxes.sort(
        rows, lambda row: "here", skeleton.categories, least, left
    )
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


def rows_of(tmp_path, text, name="boxes.json"):
    path = tmp_path / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return boxes.read(path, "file_name or image_id")


def test_cocos_annotations_are_rows_with_their_images_names(tmp_path):
    people = [
        {"id": 1, "image_id": 42, "category_id": 3, "bbox": BOX, "iscrowd": 0},
        {"id": 2, "image_id": "42", "category_id": 3, "bbox": BOX},
        {"id": 3, "image_id": 42, "category_id": 3, "bbox": BOX, "iscrowd": 1},
        {"id": 4, "image_id": 9, "category_id": 3, "bbox": BOX},
        5,
    ]
    images = [{"id": 42.0, "file_name": "val2017/42.jpg"}, "x", {"id": 1}]
    rows = rows_of(tmp_path, {"images": images, "annotations": people})
    names = [row.get("file_name") for row in rows[:4]]
    assert names == ["42.jpg", "42.jpg", "42.jpg", None]
    found, left = sort(rows, skeleton=FISH)
    assert [person.image_id for person in found] == [42, 42, 9]
    assert str(left) == (
        "1 box of a crowd, which is no one person, 1 box without any field"
    )


def test_boxes_alone_may_have_scores(tmp_path):
    rows = rows_of(tmp_path, [BOX, [*BOX, 0.9], [*BOX, 0.4], BOX[:3]])
    people, left = sort(rows)
    assert [list(person.box) for person in people] == [BOX, BOX]
    assert str(left) == (
        "1 box below --min_box_score=0.5, 1 box without four numbers"
    )
    assert left.lines == [
        "skipped boxes[3], {'bbox': [10, 20, 30]}: without four numbers"
    ]


CSV = """file_name,x,y,width,height,score
a.jpg,10,20,30,40,0.9
"b, c.jpg", 10.0 ,2e1,30,40,
a.jpg,10,20,wide,40,0.8
a.jpg,10,20,30
a.jpg,10,20,30,40,low
a.jpg,10,20,30,40,0.1
"""


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_csv_has_a_row_for_each_box(tmp_path, start):
    rows = rows_of(tmp_path, start + CSV, "boxes.csv")
    people, left = sort(rows)
    assert [list(person.box) for person in people] == [BOX, BOX]
    assert [row["file_name"] for row in rows[:2]] == ["a.jpg", "b, c.jpg"]
    assert str(left) == (
        "2 boxes without four numbers, 1 box whose score is no number, "
        "1 box below --min_box_score=0.5"
    )
    assert "boxes[2], " in left.lines[0] and "'wide'" in left.lines[0]
    assert "boxes[3], " in left.lines[1] and "boxes[4], " in left.lines[2]


def test_a_csv_may_have_frames_ids_and_categories(tmp_path):
    text = "frame,image_id,category_id,x,y,width,height\n7,42,3,10,20,30,40\n"
    (row,) = rows_of(tmp_path, text, "boxes.CSV")
    assert boxes.whole_number(row["frame"]) == 7
    (person,), _ = sort([row], skeleton=FISH)
    assert (person.image_id, person.category) == (42, 3)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "its header '' has no x, y, width, height"),
        (
            "file_name,x,y,w,h\n",
            "its header 'file_name,x,y,w,h' has no width, h",
        ),
    ],
)
def test_a_csv_of_other_columns_is_refused(tmp_path, text, reason):
    with pytest.raises(ValueError, match=f"{reason}.*Received: --boxes=") as no:
        rows_of(tmp_path, text, "boxes.csv")
    assert "file_name,x,y,width,height,score" in str(no.value)


def test_a_csv_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "boxes.csv").write_bytes(b"x,y,width,height\n\xff\xfe,1,2,3\n")
    with pytest.raises(ValueError, match="`--boxes` is COCO's"):
        boxes.read(tmp_path / "boxes.csv", "frame")


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
