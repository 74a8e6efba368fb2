"""Tests for windows, shards, and what the manifest counts of them."""

import concurrent.futures
import hashlib
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.records import listed
from integral_tf.records import lsp
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.records import writing
from integral_tf.records.folder import Records
from tests import full_disk
from tests.records import noise


def annotated(image, box):
    """A `schema.Person` of whom only picture and box matter."""
    return schema.Person(
        image, 1, "1", np.zeros((14, 2)), np.zeros(14, int), np.array(box)
    )


def cut(image, box, size=440):
    jpeg, to_image = shards.cut_window(annotated(image, box), size)
    return np.asarray(Image.open(io.BytesIO(jpeg))), to_image


@pytest.mark.parametrize(
    "image_size, side",
    # 256 * 1.25 * 1.37 = 438.4, 64 * 1.7125 = 109.6, 128 * 1.7125 = 219.2
    [(256, 440), (64, 112), (128, 224)],
)
def test_a_crop_is_not_enlarged_from_a_window_of_this_size(image_size, side):
    assert shards.window_size(image_size) == side


@pytest.mark.parametrize("x, y", [(250, 250), (200, 340), (331.25, 120.5)])
def test_dots_lie_where_the_matrix_says(x, y):
    row, column = np.mgrid[:500, :600]
    dot = 255 * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 3.0**2))
    image = np.repeat(np.rint(dot).astype(np.uint8)[..., None], 3, axis=-1)

    window, to_image = cut(image, (200.0, 150.0, 100.0, 200.0))

    mass = np.where(window > 20, window, 0.0).sum(axis=-1)
    found = [
        (mass.sum(axis=axis) * np.arange(440)).sum() / mass.sum()
        for axis in (0, 1)
    ]
    # The window is 200 * 1.25 * 1.7125 = 428.125 image pixels wide and its
    # middle is the box's, the edges (250, 250).
    corner, pixel = 250 - 428.125 / 2, 428.125 / 440
    expected = (np.array([x, y]) + 0.5 - corner) / pixel - 0.5
    np.testing.assert_allclose(found, expected, atol=0.5)
    from_matrix = coordinates.apply(coordinates.invert(to_image), [[x, y]])[0]
    np.testing.assert_allclose(from_matrix, expected, atol=1e-9)


def test_black_outside_the_image():
    window, _ = cut(np.full((300, 300, 3), 255, np.uint8), (-20, 100, 100, 100))
    # 214.0625 pixels wide from x = 30 - 107.03: the image's edge is at 158.3.
    assert window[:, :150].max() < 8
    assert window[:, 167:].min() > 247


def test_all_black_when_the_box_is_elsewhere():
    window, _ = cut(np.full((50, 50, 3), 255, np.uint8), (500, -900, 40, 60))
    assert window.max() == 0


def test_a_large_photograph_is_no_attack(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    cut(np.zeros((50, 50, 3), np.uint8), (10, 10, 30, 30), size=8)


def test_the_split_is_by_name_alone():
    names = [f"im{i:05d}" for i in range(4000)]
    splits = [shards.split_of(name, 0.1) for name in names]
    assert set(splits) == {"train", "val"}
    # Binomial: 400 with a standard deviation of 19.
    assert abs(splits.count("val") - 400) < 80
    # A larger share only adds to the validation split.
    for name, split in zip(names, splits):
        if split == "val":
            assert shards.split_of(name, 0.2) == "val"
    assert {shards.split_of(name, 0.0) for name in names} == {"train"}
    assert {shards.split_of(name, 1.0) for name in names} == {"val"}


@pytest.mark.parametrize("share", [float("nan"), -0.1, 1.1])
def test_a_share_is_from_0_to_1(share):
    with pytest.raises(ValueError, match=f"Received: val_share={share}"):
        shards.split_of("im00001", share)


@pytest.mark.parametrize(
    "image_size, image_width",
    [(0, 0), (-64, 0), (7, 0), (4097, 0), (64, -32), (64, 5000)],
)
def test_a_networks_input_has_a_size(image_size, image_width):
    assert shards.aspect_of(64) == 1
    assert shards.aspect_of(64, 48) == 0.75
    with pytest.raises(ValueError, match="Received: image_"):
        shards.aspect_of(image_size, image_width)


def test_a_function_of_the_name_may_choose_the_split():
    assert shards.split_of("b7", {"a": "val", "b7": "train"}.get) == "train"


def test_people_of_one_hash_are_sorted_by_name(monkeypatch, tmp_path):
    names = ["d", "a", "c", "b", "e"]
    hashes = {"a#": 7, "b#": 3, "c#": 7, "d#": 7, "e#": 1}
    monkeypatch.setattr(shards, "number_of", hashes.get)
    given = {}

    def stop(people, divided, *rest):
        given.update(divided)
        raise InterruptedError

    monkeypatch.setattr(writing, "write", stop)
    people = listed.Listed(5, lambda place: (names[place], None))
    with pytest.raises(InterruptedError):
        shards.write(
            people, None, tmp_path / "out", skeletons.LSP, 8,
            split=lambda name: "val" if name in "bc" else "train", source="",
        )  # fmt: skip
    found = {name: [names[i] for i in given[name]] for name in given}
    assert found == {"train": ["e", "a", "d"], "val": ["b", "c"]}


def names_in(path):
    return [
        schema.parse(record, 14)["source_id"].numpy().decode()
        for record in tf.data.TFRecordDataset(str(path))
    ]


def test_manifest_counts_what_is_there(folder, people):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["version"] == schema.VERSION
    assert manifest["skeleton"] == "lsp"
    assert manifest["source"] == "noise"
    assert manifest["window_size"] == 32  # 16 * 1.7125 = 27.4
    files, kept = {"manifest.json"}, []
    for name, split in manifest["splits"].items():
        listed = []
        for shard in split["shards"]:
            path = folder / shard["file"]
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert shard["sha256"] == digest
            assert len(names_in(path)) == shard["people"]
            listed += names_in(path)
            files.add(shard["file"])
        assert len(listed) == split["people"]
        assert {shards.split_of(person, 0.3) for person in listed} == {name}
        kept += listed
    assert {path.name for path in folder.iterdir()} == files
    expected = {name for name, person in people}
    expected -= {"im00003", "im00005", "im00006"}
    assert sorted(kept) == sorted(expected)
    splits = manifest["splits"].values()
    dropped = sum((list(s["dropped"].items()) for s in splits), [])
    total = {}
    for reason, count in dropped:
        total[reason] = total.get(reason, 0) + count
    assert total == {
        "image file missing": 2,
        "no labelled joint inside the image": 1,
    }
    assert sum(split["joints_outside"] for split in splits) == 1
    assert "1 joints outside the image" in shards.describe(manifest)


def test_same_people_in_any_order_by_processes_same_bytes(
    folder, people, tmp_path, monkeypatch
):
    monkeypatch.setattr(writing, "_FEW", 0)
    noise.write(people[::-1], out=tmp_path / "again")
    for path in folder.iterdir():
        again = tmp_path / "again" / path.name
        assert again.read_bytes() == path.read_bytes(), path.name


def test_refuses_an_existing_folder(tmp_path):
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(FileExistsError, match="never overwritten.*Received:"):
        noise.write([("a", "1")], out=tmp_path)
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.mark.parametrize(
    "make, error",
    [
        pytest.param(int, "invalid literal", id="a bug in make"),
        pytest.param(None, "Nobody is left to train on", id="all dropped"),
    ],
)
def test_a_failure_leaves_nothing(make, error, tmp_path):
    everyone = [(f"{i}", f"no{i}") for i in range(20)]
    if make is None:
        everyone = [
            (name, lsp.Annotation(path, 0, np.zeros((14, 2)), np.ones(14)))
            for name, path in everyone
        ]
    with pytest.raises(ValueError, match=error):
        noise.write(everyone, out=tmp_path / "records", make=make or lsp.person)
    assert not list(tmp_path.iterdir())


def test_a_worker_that_was_killed_has_one_sentence(
    people, tmp_path, monkeypatch
):
    class Broken(concurrent.futures.ThreadPoolExecutor):
        def submit(self, *_):
            raise concurrent.futures.process.BrokenProcessPool("terminated")

    monkeypatch.setattr(writing, "_workers", Broken)
    with pytest.raises(OSError, match="ended from outside.*Received: "):
        noise.write(people, out=tmp_path / "records")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_names_a_shard_and_leaves_nothing(people, tmp_path):
    with full_disk.of(tmp_path / "small", 8192) as folder:
        with pytest.raises(
            whole.DiskFull, match=r"-00000-of-0000\d.tfrecord'$"
        ):
            noise.write(people, out=folder / "records")
        assert not list(folder.iterdir())


def test_the_second_builder_of_a_folder_is_refused(people, tmp_path):
    out = tmp_path / "records"
    partial = tmp_path / ".records.partial"

    def second(key):
        # The first one's shards stay while it writes them.
        before = set(partial.iterdir())
        with pytest.raises(BlockingIOError, match=f"'{out}', which process"):
            noise.write(people[7:], out=out)
        assert before and before <= set(partial.iterdir())
        return lsp.person(key)

    noise.write(people[7:], out=out, make=second, shards=1)
    assert [path.name for path in tmp_path.iterdir()] == ["records"]
    Records.open(out).paths("train")


@pytest.mark.parametrize("full, empty", [("train", "val"), ("val", "train")])
def test_one_split_may_be_empty(people, tmp_path, full, empty):
    out = tmp_path / "records"
    noise.write(people[7:], out=out, split=lambda name: full, shards=3)
    splits = Records.open(out).manifest["splits"]
    assert splits[full]["people"] == 17
    assert splits[empty] == {
        "people": 0, "joints_outside": 0, "dropped": {}, "examples": {},
        "notes": {}, "shards": [],
    }  # fmt: skip
    assert len(Records.open(out).paths(full)) == 3
    assert len(list(out.iterdir())) == 4
    with pytest.raises(ValueError, match=f"the splits {full}. Received:"):
        Records.open(out).paths(empty)


@pytest.mark.parametrize(
    "alone, purpose", [("train", "train"), ("val", "validate")]
)
def test_no_split_loses_everyone(people, tmp_path, alone, purpose):
    # im00005 and im00006 have no photograph, as in a wrong folder.
    other = {"train": "val", "val": "train"}[alone]
    with pytest.raises(ValueError, match=f"Nobody is left to {purpose} on.*2 "):
        noise.write(
            people[5:],
            out=tmp_path / "records",
            split=lambda name: alone if name < "im00007" else other,
        )
    assert not list(tmp_path.iterdir())


def test_nobody_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Nobody is left to train on"):
        noise.write([], out=tmp_path / "records")


def test_each_split_has_its_share_of_the_shards(people, tmp_path):
    # 3 in val, 14 in train: 8 * 3 / 14 = 1.7 shards, rounded up.
    out = tmp_path / "records"
    later = people[-3][0]
    noise.write(
        people[7:],
        out=out,
        split=lambda name: "val" if name >= later else "train",
        shards=8,
    )
    assert len(Records.open(out).paths("train")) == 8
    assert len(Records.open(out).paths("val")) == 2


def test_what_an_interrupted_run_left_does_not_stay(people, tmp_path):
    left = tmp_path / ".records.partial"
    left.mkdir()
    (left / "half.tfrecord").write_bytes(b"half")
    noise.write(people[7:], out=tmp_path / "records")
    assert not left.exists()
    assert not (tmp_path / "records" / "half.tfrecord").exists()


def test_a_list_makes_people_when_their_shard_is_written(
    people, tmp_path, monkeypatch
):
    monkeypatch.setattr(writing, "_AHEAD", 1)
    made, written = [], []

    def make(place):
        made.append(place)
        return people[place]

    def person(key):
        written.append(len(made))
        return lsp.person(key)

    some = listed.Listed(len(people), make)
    noise.write(some, out=tmp_path / "listed", make=person)
    noise.write(people, out=tmp_path / "list")
    for path in sorted((tmp_path / "list").iterdir()):
        other = tmp_path / "listed" / path.name
        assert path.read_bytes() == other.read_bytes()
    # Once for the names; then all of a shard, before it is written.
    assert len(made) == 2 * len(people)
    files = list((tmp_path / "list").glob("*.tfrecord"))
    assert written == sorted(written)
    assert len(set(written)) == len(files) > 1


def test_lists_are_joined():
    some = listed.joined(["ab", "", "cde"])
    assert list(some) == list("abcde") and len(some) == 5
    assert some[-1] == "e" and some[1:3] == ["b", "c"]
    with pytest.raises(IndexError):
        some[5]
