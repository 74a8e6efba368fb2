"""Tests for the splits of MPII's people."""

import numpy as np
import pytest

from integral_tf.records import mpii
from integral_tf.records import mpii_annotations
from integral_tf.records import mpii_split
from integral_tf.records import schema
from tests.records import mpii_files


def named(image, centre):
    """A person on a validation list in Simple Baselines' form."""
    return {"image": image, "center": centre}


def crowd():
    """Three people in each of 400 photographs, as `people` lists them."""
    nowhere = np.zeros((16, 2)), np.zeros(16, int)
    people = [
        mpii_annotations.Annotation(
            f"{photograph:09d}.jpg",
            number,
            *nowhere,
            centre=np.array([100.0 * number, photograph]),
        )
        for photograph in range(400)
        for number in (1, 2, 3)
    ]
    return [(annotation.source_id, annotation) for annotation in people]


def test_people_of_a_photograph_share_a_split():
    listed = crowd()
    split = mpii_split.by_share(0.25)
    splits = {}
    for name, annotation in listed:
        splits.setdefault(annotation.image, set()).add(split(name))
    assert all(len(names) == 1 for names in splits.values())
    val = sum(names == {"val"} for names in splits.values())
    assert 70 < val < 130  # a quarter of 400; six standard deviations
    assert {mpii_split.by_share(0.0)(name) for name, _ in listed} == {"train"}
    assert {mpii_split.by_share(1.0)(name) for name, _ in listed} == {"val"}


def test_a_list_of_people_leaves_their_neighbours_out(tmp_path):
    # Simple Baselines' valid.json: their centres count from 1.
    path = mpii_files.write_json(
        tmp_path / "valid.json",
        [
            named("000000007.jpg", (201, 8)),
            named("000000007.jpg", (301, 8)),
            named("000000009.jpg", (101, 10)),
            named("000000009.jpg", (151, 10)),  # nobody's centre
            named("000009999.jpg", (101, 10)),  # no such photograph
        ],
    )
    listed, split, line = mpii_split.by_list(crowd(), path)
    val = [n for n, a in listed if split(n) == "val" and not a.left_out]
    assert val == ["000000007_2", "000000007_3", "000000009_1"]
    out = [name for name, annotation in listed if annotation.left_out]
    assert out == ["000000007_1", "000000009_2", "000000009_3"]
    # Counted as dropped from the validation split.
    assert {split(name) for name in out} == {"val"}
    train = [name for name, _ in listed if split(name) == "train"]
    assert len(train) == 1200 - 6
    assert line == "valid.json, 5 entries for 3 people"
    with pytest.raises(schema.Dropped, match="not on the list"):
        mpii.person(dict(listed)["000000007_1"])


@pytest.mark.parametrize(
    "text, val, out",
    [
        ("000000007.jpg\n\n", "123", ""),
        ("images/000000007.jpg", "123", ""),
        ("000000007", "123", ""),
        ("000000007_2\n", "2", "13"),
    ],
    ids=["name", "path", "stem", "person"],
)
def test_a_list_in_lines_of_text(tmp_path, text, val, out):
    path = tmp_path / "val.txt"
    path.write_text(text)
    listed, split, _ = mpii_split.by_list(crowd(), path)
    chosen = [n for n, a in listed if split(n) == "val" and not a.left_out]
    assert chosen == [f"000000007_{number}" for number in val]
    left = [name for name, annotation in listed if annotation.left_out]
    assert left == [f"000000007_{number}" for number in out]


def test_a_json_list_without_centres_names_photographs(tmp_path):
    path = mpii_files.write_json(
        tmp_path / "val.json", [{"image": "000000007.jpg"}]
    )
    listed, split, _ = mpii_split.by_list(crowd(), path)
    assert sum(split(name) == "val" for name, _ in listed) == 3


@pytest.mark.parametrize(
    "name, contents, message",
    [
        ("val.txt", "000009999.jpg\n", "names nobody"),
        ("val.json", "[]", "names nobody"),
        ("val.json", "[1]", "lines of image names or a JSON list"),
        ("val.json", "{", "lines of image names or a JSON list"),
        ("val.json", '[{"file": 1}]', "lines of image names or a JSON list"),
    ],
)
def test_refuses_other_lists(tmp_path, name, contents, message):
    path = tmp_path / name
    path.write_text(contents)
    with pytest.raises(ValueError, match=f"{message}.*Received: val_list="):
        mpii_split.by_list(crowd(), path)
    with pytest.raises(FileNotFoundError, match="Received: val_list="):
        mpii_split.by_list(crowd(), tmp_path / "nowhere.txt")
