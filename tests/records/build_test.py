"""Tests for the builders of records from published sets."""

import json

from tests import in_process
from tests.records import mpii_files


def build(*flags):
    return in_process.run("build-mpii", "--image_size=16", *flags)


def test_the_script_counts_whom_it_drops(tmp_path):
    """Two photographs: one to train on, one whose first person is listed."""
    mpii_files.write_release(
        tmp_path / "mpii_human_pose_v1_u12_1.mat",
        [
            ("000000010.jpg", 1, [1], [mpii_files.WHOLE, mpii_files.ONLY_HEAD]),
            ("000000020.jpg", 1, [1], [mpii_files.WHOLE, mpii_files.BARE]),
            ("000000030.jpg", 0, [1], [mpii_files.TESTED]),
        ],
    )
    names = ("000000010.jpg", "000000020.jpg")
    mpii_files.write_photographs(tmp_path / "images", names)
    path = mpii_files.write_json(
        tmp_path / "v.json", [mpii_files.entry(names[1])]
    )

    out = tmp_path / "records"
    built = build(f"--source={tmp_path}", f"--out={out}", f"--val_list={path}")

    assert built.returncode == 0, built.stderr
    manifest = json.loads((out / "manifest.json").read_text())
    train, val = (manifest["splits"][name] for name in ("train", "val"))
    assert (train["people"], val["people"]) == (1, 1)
    assert train["dropped"] == {"no joint annotated": 1}
    left = "in a validation image, but not on the list"
    assert val["dropped"] == {left: 1}
    assert manifest["skeleton"] == "mpii"
    assert "0.6 of the head box's diagonal" in manifest["source"]
    assert "validation: v.json, 1 entries for 1 people" in built.stdout
    assert f"val: 1 dropped: {left}" in built.stdout


def test_the_script_says_one_sentence_and_fails(tmp_path):
    mpii_files.json_folder(tmp_path, mpii_files.entry(j0=(9, 9)))
    out = tmp_path / "records"
    built = build(f"--source={tmp_path}", f"--out={out}", "--people=single")
    assert built.returncode != 0
    assert "build-mpii: Only the official .mat says" in built.stderr
    assert "Received: people='single'" in built.stderr
    assert "Traceback" not in built.stderr
    assert not out.exists() and not list(tmp_path.glob(".*.partial*"))
