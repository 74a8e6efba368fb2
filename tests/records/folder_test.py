"""Tests for a folder of records, opened and checked."""

import json
import shutil

import pytest

from integral_tf import skeletons
from integral_tf.records.folder import Records
from tests.records import noise

OWN = skeletons.Skeleton(
    "lsp",  # the name of a known one, but not its limbs
    skeletons.LSP.joints,
    skeletons.LSP.sides,
    limbs=(("neck", "head_top"),),
    sigmas=(0.05,) * 14,
)


def test_a_skeleton_of_ones_own_comes_back_whole(people, tmp_path):
    out = tmp_path / "records"
    noise.write(people[7:], out=out, skeleton=OWN)
    assert Records.open(out).skeleton == OWN
    assert Records.open(out, "lsp").manifest["skeleton"]["name"] == "lsp"
    with pytest.raises(ValueError, match="joints of mpii, these .* of lsp"):
        Records.open(out, "mpii")


def test_ground_truth_is_kept_beside_the_shards(people, folder, tmp_path):
    truth = {"images": [{"id": 1}], "annotations": [], "categories": []}
    noise.write(people[7:], out=tmp_path / "records", annotations=truth)
    assert (tmp_path / "records" / "annotations-val.json").is_file()
    assert Records.open(tmp_path / "records").annotations() == truth
    assert Records.open(folder).annotations() is None
    path = tmp_path / "records" / "annotations-val.json"
    whole = path.read_text()
    for text in ("", whole[:-4], whole.replace("1", "2"), None):
        path.unlink() if text is None else path.write_text(text)
        what = "missing" if text is None else "altered or damaged"
        with pytest.raises(ValueError, match=f"{what}.*Received: '{path}'"):
            Records.open(path.parent).annotations()
    # Of before there was a digest.
    edit(path.parent, annotations_sha256=None)
    assert Records.open(path.parent).annotations() is None
    path.write_text(whole[:-4])
    with pytest.raises(ValueError, match="damaged"):
        Records.open(path.parent).annotations()


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def edit(folder, **changes):
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(manifest))


def test_reads_what_was_written(folder):
    assert Records.open(folder, "lsp").manifest["skeleton"] == "lsp"
    assert Records.open(folder).skeleton is skeletons.LSP
    train = Records.open(folder).paths("train")
    assert [path.rpartition("/")[2] for path in train] == [
        "train-00000-of-00002.tfrecord",
        "train-00001-of-00002.tfrecord",
    ]


def test_refuses_a_folder_without_manifest(tmp_path):
    with pytest.raises(FileNotFoundError, match="with a manifest.json.*data="):
        Records.open(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1'])
def test_refuses_a_damaged_manifest(copy, text):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="is damaged; build.*Received: data="):
        Records.open(copy)


def test_refuses_another_version(copy):
    edit(copy, version=99)
    with pytest.raises(ValueError, match="version 99, this package reads 2;"):
        Records.open(copy)


def test_refuses_another_skeleton(folder):
    with pytest.raises(ValueError, match="joints of mpii, these .* of lsp"):
        Records.open(folder, "mpii")


def test_refuses_a_missing_shard(copy):
    (copy / "train-00001-of-00002.tfrecord").unlink()
    with pytest.raises(FileNotFoundError, match="missing; .*00001-of-00002"):
        Records.open(copy).paths("train")


@pytest.mark.parametrize("split", ["test", ""])
def test_refuses_another_split(folder, split):
    with pytest.raises(ValueError, match="splits train, val. Received: split="):
        Records.open(folder).paths(split)


def test_other_sigmas_leave_the_records_as_they_are(folder):
    records = Records.open(folder)
    assert records.with_sigmas(records.skeleton.sigmas) is records
    other = records.with_sigmas((0.1,) * 14)
    assert other.skeleton.sigmas == (0.1,) * 14
    assert other.skeleton.joints == records.skeleton.joints
    assert other.digest == records.digest
    assert records.skeleton.sigmas == ()


def test_refuses_damaged_fields_and_negatives(copy):
    edit(copy, fields=["site", 5])
    with pytest.raises(ValueError, match="its fields"):
        Records.open(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["splits"]["val"]["negatives"] = 10**6
    edit(copy, fields=["site"], splits=manifest["splits"])
    with pytest.raises(ValueError, match="the negatives of val"):
        Records.open(copy)
