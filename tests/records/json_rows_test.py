"""Tests for large JSON files, read row by row; `json` itself is the judge."""

import json
import random
import tempfile
import tracemalloc

import numpy as np
import pytest

from integral_tf import whole
from integral_tf.records import json_file
from integral_tf.records import json_rows
from tests import full_disk

PICKS = {"rows": lambda row: row}


def read(path):
    return json_rows.read(path, "source", PICKS)


@pytest.fixture(params=[1, 3, 64, 1 << 20])
def part(request, monkeypatch):
    """Characters that are read at a time: values are cut everywhere."""
    monkeypatch.setattr(json_rows, "_CHARACTERS", request.param)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        ' \n{ "a" : 12345 ,"rows":[ ]} \t',
        '{"rows": [{"a": [1, 2.5e3, -7]}, "x\\u00e9\\n", 12, null], "b": []}',
        '{"rows": [1], "b": {"rows": [2]}, "rows": [3, 4], "b": "last"}',
        '{"rows": [NaN, Infinity, -Infinity], "b": [[], {}]}',
        '{"rows": {"no": "list"}, "é\\ud834\\udd1e": ["ö", "\U0001f600"]}',
        "[1, 2]",
        "12",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_content_is_that_of_json(text, encoding, part, tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode(encoding))
    expected = json.loads(path.read_bytes())
    if isinstance(expected, dict) and encoding != "utf-16":
        # It is not read as a whole.
        monkeypatch.delattr(json_file, "read")
    found = read(path)
    assert repr(plain(found)) == repr(expected)  # NaN is not equal to NaN
    if isinstance(expected, dict) and isinstance(expected.get("rows"), list):
        assert isinstance(found["rows"], json_rows.Rows)


def plain(content):
    """The content with lists for `Rows`."""
    if not isinstance(content, dict):
        return content
    return {
        name: list(value) if isinstance(value, json_rows.Rows) else value
        for name, value in content.items()
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"rows": [1, 2',
        '{"rows": [1, 2,]}',
        '{"rows": [1 2]}',
        '{"rows": [{"a": 1]}',
        '{"rows": []} {}',
        '{"rows": []',
        "{1: 2}",
        '{"rows": [1],}',
        '{"rows": ["\n"]}',
        '{"rows": [' + "[" * 100000,
    ],
)
def test_a_fault_is_told_as_json_tells_it(text, part, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises((ValueError, RecursionError)) as theirs:
        json.loads(text)
    with pytest.raises(ValueError, match="not a JSON file .* source=") as ours:
        read(path)
    assert str(theirs.value) in str(ours.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="source='.*none.json'"):
        read(tmp_path / "none.json")


def test_rows_are_reduced_where_they_are_read(part, tmp_path):
    path = tmp_path / "a.json"
    rows = [{"id": number, "outline": [0.5] * 99} for number in range(50)]
    path.write_text(json.dumps({"others": rows, "rows": rows}))
    seen = []

    def pick(row):
        seen.append(row)
        return {"id": row["id"]}

    found = json_rows.read(path, "source", {"rows": pick})
    assert seen == rows == found["others"]
    assert found["rows"] == [{"id": number} for number in range(50)]


def test_memory_does_not_grow_with_what_is_left_out(tmp_path):
    # 8,000 rows of 4 kB are 32 MB. `tracemalloc` counts Python's objects.
    path = tmp_path / "a.json"
    row = json.dumps({"id": 1, "outline": "x" * 4000})
    path.write_text(f'{{"rows": [{", ".join([row] * 8000)}]}}')
    picks = {"rows": lambda row: {"id": row["id"]}}
    tracemalloc.start()
    try:
        found = json_rows.read(path, "source", picks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found["rows"]) == 8000
    assert peak < 8 * 2**20


def any_value(rng, depth=0):
    """A value of JSON; `rng` says what it is and how deep."""
    kinds = 9 if depth < 3 else 7
    kind = rng.randrange(kinds)
    if kind < 7:
        texts = "", "é\U0001f600\u2028", '"\\\n'
        return (
            None, True, rng.randint(-(10**20), 10**20), rng.random() * 1e9,
            1e300, rng.choice(texts), rng.randrange(256),
        )[kind]  # fmt: skip
    some = [any_value(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind == 7:
        return some
    names = rng.sample(["id", "é", "", "a b", "bbox"], len(some))
    return dict(zip(names, some))


@pytest.mark.parametrize("seed", range(8))
def test_rows_are_those_of_json(seed, tmp_path, monkeypatch):
    # Parts of the file and of the list end within rows, and between them.
    rng = random.Random(seed)
    monkeypatch.setattr(json_rows, "_CHARACTERS", rng.choice([7, 200, 1 << 20]))
    monkeypatch.setattr(json_rows, "_IN_MEMORY", rng.choice([1, 5000]))
    rows = [any_value(rng) for _ in range(rng.choice([7, 8, 9, 200]))]
    path = tmp_path / "a.json"
    for content in ({"b": rows, "rows": rows, "a": 1}, rows):
        path.write_text(json.dumps(content, ensure_ascii=rng.random() < 0.5))
        picks = {None: lambda row: row, **PICKS}
        found = json_rows.read(path, "source", picks)
        found = found["rows"] if isinstance(content, dict) else found
        assert isinstance(found, json_rows.Rows)
        # Dicts that are equal may have another order, texts not.
        expected = json.loads(path.read_text())
        expected = expected["rows"] if isinstance(content, dict) else expected
        assert json.dumps(list(found)) == json.dumps(expected)
        places = rng.sample(range(len(rows)), len(rows))
        assert [found[i] for i in places] == [rows[i] for i in places]
        assert found[3:-2:2] == rows[3:-2:2]


@pytest.mark.parametrize("space", ["", "\n "])
def test_outlines_are_left_out_and_nothing_else(part, space, tmp_path):
    other = {"note": ', "segmentation": [1]', 'b"segmentation': [2], "a": [[3]]}
    outlines = [
        [[1.5, -2, 3e-5], [4, 5]], [], {"counts": [6]}, ["7", 8], None, [9],
    ]  # fmt: skip
    rows = [{**other, "segmentation": each, "id": 1} for each in outlines]
    rows += [{"segmentation": each} for each in outlines]
    separators = (f",{space}", f"{space}:{space}")
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"rows": rows}, separators=separators))
    found = json_rows.read(path, "source", PICKS, outlines=False)
    for outline, row in zip(outlines * 2, rows):
        if outline and outline in ([[1.5, -2, 3e-5], [4, 5]], [9]):
            row["segmentation"] = []
    assert found["rows"] == rows


@pytest.mark.parametrize("outline", ["[1, 2", "[[1, 2]", "[1, 2]]", "[1, x]"])
def test_an_outline_without_its_end_is_a_fault(part, outline, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(f'{{"rows": [{{"segmentation": {outline}, "id": 1}}]}}')
    with pytest.raises(ValueError, match="not a JSON file"):
        json_rows.read(path, "source", PICKS, outlines=False)


def test_rows_may_be_read_while_others_are_added():
    rows = json_rows.Rows()
    for number in range(20):
        rows.append([number])
        assert rows[number] == rows[-1] == [number]
        assert rows[0] == [0] and len(rows) == number + 1


def test_long_lists_are_in_a_file_and_not_in_memory(monkeypatch):
    # 20,000 texts of 200 characters are 4 MB; 1 MB of a list is in memory.
    monkeypatch.setattr(json_rows, "_IN_MEMORY", 1 << 20)
    tracemalloc.start()
    try:
        rows = json_rows.Rows(f"{number:0200}" for number in range(20_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows[19_999] == "19999".zfill(200)
    assert peak < 3 << 20


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"rows": ["x" * 1000] * 500}))
    monkeypatch.setattr(json_rows, "_IN_MEMORY", 1)
    with full_disk.of(tmp_path / "small", 64 * 1024) as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        with pytest.raises(whole.DiskFull, match="The disk is full.*small"):
            read(path)


def test_rows_are_a_list_whose_rows_are_copies():
    rows = json_rows.Rows([{"id": 0}, "a", None])
    rows[0]["id"] = 5
    assert rows == [{"id": 0}, "a", None] == list(rows)
    assert rows[-1] is None and rows[:2] == [{"id": 0}, "a"]
    assert rows != [{"id": 0}, "a"] and rows != "a"
    with pytest.raises(IndexError):
        rows[3]
    # NumPy's floats are written by `json`, too.
    assert json_rows.Rows([[np.float64(0.5)]]) == [[0.5]]


@pytest.mark.parametrize(
    "content", [{}, {"a": 1, "rows": [], "b": [{"ö": 0.5}, 2]}]
)
def test_what_is_written_is_the_text_of_json(content, tmp_path):
    path = tmp_path / "a.json"
    json_rows.write(content, path)
    assert path.read_text() == json.dumps(content) + "\n"
    rows = {
        name: json_rows.Rows(value) if isinstance(value, list) else value
        for name, value in content.items()
    }
    json_rows.write(rows, path)
    assert path.read_text() == json.dumps(content) + "\n"
    json_rows.write(json_rows.Rows(content.get("b", [])), path)
    assert path.read_text() == json.dumps(content.get("b", [])) + "\n"
