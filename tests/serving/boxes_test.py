"""Tests for the client's boxes and answers: as predict.py has the first."""

import importlib
import pathlib
import types

import pytest

from integral_tf import skeletons
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


@pytest.fixture
def serving():
    """The client's modules."""
    names = ("connections", "boxes")
    modules = {
        name: importlib.import_module(f"integral_tf.serving.{name}")
        for name in names
    }
    return types.SimpleNamespace(**modules)


def test_client_and_predict_take_and_count_the_same_rows(serving):
    paths = [
        pathlib.Path(name)
        for name in ("1.jpg", "000000000002.jpg", "3.png", "5.jpg", "5.png")
    ]
    mine = serving.boxes.LeftOut()
    got = serving.boxes.sort(ROWS, paths, (1, 3), 0.5, mine)
    theirs = left_out.LeftOut()
    skeleton = skeletons.from_dict(
        {**skeletons.to_dict(skeletons.MPII), "categories": [1, 3]}
    )
    want = placement.of_photographs(
        types.SimpleNamespace(min_box_score=0.5, boxes="boxes.json"),
        ROWS,
        paths,
        skeleton,
        theirs,
    )
    assert sum(map(len, got.values())) == 6
    assert {
        name: [(list(each.box), each.category, each.image_id) for each in some]
        for name, some in want.items()
    } == {name: [tuple(each) for each in some] for name, some in got.items()}
    assert sum(mine.counts.values()) == len(ROWS) - 6
    assert mine.counts == theirs.counts and mine.lines == theirs.lines
    assert mine.ending() == theirs.ending()


@pytest.mark.parametrize("text", ["", "{}", "5", "[" * 100_000, "\xff"])
def test_what_is_no_list_is_one_sentence(serving, tmp_path, text):
    path = tmp_path / "boxes.json"
    path.write_text(text, "latin-1")
    with pytest.raises(serving.connections.Stop, match="is a JSON list") as no:
        serving.boxes.read(str(path))
    assert "\n" not in str(no.value) and "Received: --boxes=" in str(no.value)


POINTS, SCORES = [[1.0, 2.0], [3, 4]], [0.5, 1]


def test_a_servers_answer_is_taken_person_by_person(serving):
    poses = serving.connections.poses
    two = {"joints": [POINTS] * 2, "scores": [SCORES] * 2}
    assert poses(two, 2) == [(0, POINTS, SCORES), (1, POINTS, SCORES)]
    kept = {"joints": [POINTS], "scores": [SCORES], "kept": [2]}
    assert poses(kept, 3) == [(2, POINTS, SCORES)]
    none = {"joints": [], "scores": [], "kept": []}
    assert poses(none, 3) == []


@pytest.mark.parametrize(
    "change",
    [
        {"joints": None},
        {"joints": []},
        {"scores": []},
        {"joints": [POINTS] * 2, "scores": [SCORES] * 2},
        {"joints": 5},
        {"joints": [[]], "scores": [[]]},
        {"joints": [POINTS[:1]]},
        {"joints": [[[1, 2, 3], [4, 5, 6]]]},
        {"joints": [[[1, float("nan")], [3, 4]]]},
        {"joints": [[[1, float("inf")], [3, 4]]]},
        {"joints": [[["1", "2"], [3, 4]]]},
        {"joints": [{"x": 1}]},
        {"scores": [[0.5, None]]},
        {"scores": [0.5]},
        {"kept": [1]},
        {"kept": [-1]},
        {"kept": [0.0]},
        {"kept": ["0"]},
        {"kept": []},
        {"kept": None},
    ],
)
def test_an_answer_that_is_none_is_one_sentence(serving, change):
    whole = {"joints": [POINTS], "scores": [SCORES]}
    assert serving.connections.poses(whole, 1)
    with pytest.raises(serving.connections.Refused, match="the server") as no:
        serving.connections.poses({**whole, **change}, 1)
    assert "\n" not in str(no.value) and "Received: " in str(no.value)


@pytest.mark.parametrize("outputs", [None, [], "joints", 5, {}])
def test_an_answer_of_another_form_is_one_sentence(serving, outputs):
    with pytest.raises(serving.connections.Refused, match="did not answer"):
        serving.connections.poses(outputs, 1)
