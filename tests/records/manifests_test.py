"""Tests for what readers ask of records: a whole manifest, its own shards."""

import functools
import hashlib
import json
import os
import shutil
import struct

import pytest
import tensorflow as tf

from integral_tf import skeletons
from integral_tf.pipeline import batches
from integral_tf.records import manifests
from integral_tf.records import shards
from integral_tf.records import synthetic
from integral_tf.records.folder import Records


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """12 people to train on in 2 shards of 6, and 4 to validate in 1."""
    out = tmp_path_factory.mktemp("records")
    for seed in (0, 1):
        shards.write(
            [(f"{index:02d}", index) for index in range(16)],
            functools.partial(synthetic.person, seed),
            out / str(seed),
            skeletons.MPII,
            image_size=16,
            split=lambda name: "val" if name > "11" else "train",
            source="drawn",
            shards=2,
        )
    return out


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built / "0", tmp_path / "records")


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def set_in(value, path, new):
    for key in path[:-1]:
        value = value[key]
    if new is None:
        del value[path[-1]]
    else:
        value[path[-1]] = new


SHARD = ("splits", "train", "shards", 0)


@pytest.mark.parametrize(
    "path, value",
    [
        (("skeleton",), None),
        (("skeleton",), 5),
        (("skeleton",), {"name": "x"}),
        (("skeleton",), "nobody"),
        (("window_size",), None),
        (("window_size",), True),
        (("window_size",), "32"),
        (("window_size",), 10**400),
        (("aspect",), float("nan")),
        (("aspect",), -1.0),
        (("aspect",), 10**400),
        (("splits",), []),
        (("splits", "val"), None),
        (("splits", "test"), 1),
        (("splits", "train", "people"), 4900),
        (("splits", "train", "people"), 8),
        (("splits", "train", "dropped"), None),
        (("splits", "train", "dropped"), {"why": "many"}),
        (("splits", "train", "shards"), {}),
        (SHARD, "train-00000-of-00002.tfrecord"),
        ((*SHARD, "file"), "../train-00000-of-00002.tfrecord"),
        ((*SHARD, "file"), "/etc/passwd"),
        ((*SHARD, "file"), ".."),
        ((*SHARD, "file"), "val-00000-of-00001.tfrecord"),
        ((*SHARD, "people"), -6),
        ((*SHARD, "people"), 6.0),
        ((*SHARD, "sha256"), None),
    ],
)
def test_a_damaged_manifest_has_one_sentence(folder, path, value):
    manifest = manifest_of(folder)
    set_in(manifest, path, value)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"is damaged; .*\. Received: data="):
        Records.open(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "\x00", '{"version": [2]}'])
def test_so_has_a_text_that_is_no_manifest(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="(is damaged; |format version)"):
        Records.open(folder)


def first_shard(folder):
    return folder / "train-00000-of-00002.tfrecord"


def lengths(content):
    """Where each record of a shard ends."""
    ends = [0]
    while ends[-1] < len(content):
        (length,) = struct.unpack_from("<Q", content, ends[-1])
        ends.append(ends[-1] + length + 16)
    return ends


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage, what",
    [
        (lambda b: b[: lengths(b)[1]], "1 people, to be 6"),
        (lambda b: b[: lengths(b)[4] + 30], "its record 4, .* is cut"),
        (lambda b: b"", "0 people, to be 6"),
        (lambda b: flipped(b, lengths(b)[2] + 500), "its record 2, .*damaged"),
        (lambda b: flipped(b, lengths(b)[3] + 7), "its record 3, .*damaged"),
        (lambda b: b + b[: lengths(b)[1]], "7 people, to be 6"),
        (
            lambda b: b[lengths(b)[1] :] + b[: lengths(b)[1]],
            "other people",
        ),
    ],
)
def test_a_shard_that_is_not_the_manifests_is_named(folder, damage, what):
    path = first_shard(folder)
    assert len(Records.open(folder).paths("train")) == 2
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ValueError, match=f"A shard is not .*: {what}.*Received: '{path}'"
    ):
        batches.train_batches(Records.open(folder), 4, seed=0, epoch=0)
    # The other split is as it was.
    assert len(list(batches.eval_batches(Records.open(folder), "val", 4))) == 1


def test_shards_of_another_seed_under_their_names_are_found(folder, built):
    shutil.copy(first_shard(built / "1"), first_shard(folder))
    with pytest.raises(ValueError, match="other people; build"):
        Records.open(folder).paths("train")


@pytest.mark.parametrize(
    "key, value, what",
    [
        ("window_size", 120, "side of its records is 32, not 120"),
        ("skeleton", "coco", "joints of its records is 16, not 17"),
    ],
)
def test_a_manifest_that_belies_its_records_is_found(folder, key, value, what):
    manifest = manifest_of(folder) | {key: value}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=f"damaged.*{what}"):
        Records.open(folder).paths("val")


def test_a_shard_is_read_once_while_it_stays_as_it_is(folder, monkeypatch):
    opened = []
    real = manifests.open if hasattr(manifests, "open") else open

    def counting(path, *args):
        opened.append(path)
        return real(path, *args)

    monkeypatch.setattr(manifests, "open", counting, raising=False)
    for _ in range(3):
        Records.open(folder).paths("train")
    assert len(opened) == 2
    os.utime(first_shard(folder), ns=(1, 1))
    Records.open(folder).paths("train")
    assert len(opened) == 3


def test_damage_while_reading_is_named(folder):
    Records.open(folder).paths("train")
    path = first_shard(folder)
    with pytest.raises(ValueError, match=f"record 1, .*Received: '{path}'"):
        with Records.open(folder).reading("train"):
            people = batches.eval_batches(Records.open(folder), "train", 1)
            content = path.read_bytes()
            path.write_bytes(content[: lengths(content)[1] + 30])
            list(people)


def test_damaged_shards_can_be_left_out(folder):
    cut, gone = (folder / f"train-0000{i}-of-00002.tfrecord" for i in (0, 1))
    whole = Records.open(folder)
    assert whole.without_damaged("train").left_out == {}
    cut.write_bytes(cut.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train without it by --skip_damaged"):
        whole.paths("train")
    records = whole.without_damaged("train")
    assert records.left_out == {
        cut.name: f"{cut}, 6 people: it is not what the manifest says: its "
        "record 5, counted from 0, is cut or damaged"
    }
    assert records.paths("train") == [str(gone)]
    assert records.people("train") == 6 and whole.people("train") == 12
    assert records.people("val") == 4
    # Still the same records to a run.
    assert records.digest == whole.digest
    gone.unlink()
    with pytest.raises(FileNotFoundError, match="names is missing; build"):
        records.paths("train")
    with pytest.raises(ValueError, match="No shard of this split is whole"):
        whole.without_damaged("train")


def test_the_digest_is_that_of_people_joints_and_windows(folder, built):
    ours = Records.open(folder)
    assert ours.digest == Records.open(built / "0").digest
    # Where they came from, and why others were dropped, is not trained on.
    ours.manifest["source"] = "elsewhere"
    same = ours.digest
    assert same == Records.open(built / "0").digest
    assert same != Records.open(built / "1").digest
    for path, value in [
        (("skeleton",), "coco"),
        (("window_size",), 40),
        ((*SHARD, "sha256"), "00"),
    ]:
        other = Records.open(folder)
        set_in(other.manifest, path, value)
        assert other.digest != same


def write_shard(folder, change):
    """Rewrites the first shard and its digest, the second record changed."""
    path, manifest = first_shard(folder), manifest_of(folder)
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(path))]
    example = tf.train.Example.FromString(records[1])
    change(example.features.feature)
    records[1] = example.SerializeToString()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    set_in(manifest, (*SHARD, "sha256"), digest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return path


def no_score(feature):
    del feature["image/object/score"]


def no_number(feature):
    feature["image/object/bbox/xywh"].float_list.value[0] = float("nan")


def no_size(feature):
    feature["image/object/bbox/xywh"].float_list.value[2] = 0.0


def no_picture(feature):
    feature["image/encoded"].bytes_list.value[0] = b"\xffno JPEG"


@pytest.mark.parametrize("change", [no_score, no_number, no_size, no_picture])
def test_a_record_that_was_written_damaged_is_named(folder, change):
    path = write_shard(folder, change)
    records = Records.open(folder)
    with pytest.raises(ValueError, match=f"Record 1 .*Received: '{path}'"):
        with records.reading("train"):
            list(batches.eval_batches(records, "train", 4))


def test_an_error_that_is_not_the_records_stays(folder):
    records = Records.open(folder)
    with pytest.raises(tf.errors.InvalidArgumentError):
        with records.reading("train"):
            tf.reshape([1, 2], [3])
