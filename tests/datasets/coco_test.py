"""Tests for a dataset of one's own: a COCO JSON, records, training, a pose."""

import json
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.pipeline import batches
from integral_tf.records import coco_skeleton
from integral_tf.records import shards
from integral_tf.records.folder import Records
from integral_tf.training import logs
from integral_tf.training import trainer
from tests import in_process
from tests import untrained

ROOT = pathlib.Path(__file__).parents[2]
# Neither LSP's joints nor as many as any known skeleton has.
FISH = {
    "id": 3,
    "name": "fish",
    "keypoints": ["mouth", "fin_l", "fin_r", "back", "tail"],
    "skeleton": [[1, 4], [4, 5], [2, 4], [3, 4]],
}
OWN = skeletons.Skeleton(
    "fish",
    ("mouth", "fin_l", "fin_r", "back", "tail"),
    sides=(("fin_l", "fin_r"),),
    limbs=(("mouth", "back"), ("back", "tail"), ("fin_l", "back"),
           ("fin_r", "back")),
    sigmas=(0.1, 0.05, 0.05, 0.025, 0.2),
    categories=(3,),
)  # fmt: skip


def write_fish(folder, count, first=1):
    """`count` images of noise, with a fish each and every third unlabelled."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(first)
    images, annotations = [], []
    for number in range(first, first + count):
        noise = rng.integers(0, 256, (80, 100, 3), np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"fish {number}.png")
        images.append({"id": number, "file_name": f"fish {number}.png"})
        x, y = rng.integers(5, 30, 2)
        points = np.array([(0, 10), (10, 0), (10, 20), (20, 10), (40, 10)])
        keypoints = np.full((5, 3), 2)
        keypoints[:, :2] = points + (x, y)
        if number % 3 == 0:
            keypoints[:] = 0
        annotations.append(
            {
                "id": number, "image_id": number, "category_id": 3,
                "bbox": [int(x), int(y), 41, 21],
                "keypoints": keypoints.ravel().tolist(),
            }
        )  # fmt: skip
    whole = {
        "images": images, "annotations": annotations, "categories": [FISH],
    }  # fmt: skip
    (folder / "fish.json").write_text(json.dumps(whole))
    return folder


def build(*flags):
    return in_process.run("build-coco", *flags)


def flags_of(split, folder):
    return [
        f"--{split}_annotations={folder / 'fish.json'}",
        f"--{split}_images={folder / 'images'}",
    ]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fish")
    train, val = (
        write_fish(folder / "train", 24),
        write_fish(folder / "val", 9, first=100),
    )
    (folder / "sigmas.json").write_text("[0.1, 0.05, 0.05,\n 0.025, 0.2]\n")
    built = build(
        *flags_of("train", train), *flags_of("val", val), "--category=fish",
        f"--sigmas={folder / 'sigmas.json'}", f"--out={folder / 'records'}",
        "--image_size=64",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    # Multiples of 3 are unlabelled: 3 to 24, and 102, 105 and 108.
    assert built.stdout.splitlines()[:5] == [
        "pairs that a mirror exchanges: fin_l and fin_r",
        "train: 16 people kept",
        "train: 8 dropped: no labelled keypoint",
        "val: 6 people kept",
        "val: 3 dropped: no labelled keypoint",
    ]
    return folder / "records"


def test_records_hold_the_skeleton_and_the_ground_truth(records):
    assert Records.open(records).skeleton == OWN
    truth = Records.open(records).annotations()
    assert truth["categories"] == [FISH]
    assert [image["id"] for image in truth["images"]] == list(range(100, 109))
    # The unlabelled too: evaluation may not call what is found there wrong.
    assert len(truth["annotations"]) == 9
    people = batches.eval_batches(
        Records.open(records), "val", 9
    ).as_numpy_iterator()
    (seen,) = people
    wanted = {a["image_id"]: a for a in truth["annotations"]}
    for image_id, area in zip(seen["image_id"], seen["area"]):
        assert area == wanted[image_id]["area"] == 41 * 21
    assert seen["box_score"].tolist() == [1] * 6


def test_a_share_of_the_pictures_becomes_the_validation_split(tmp_path):
    train = write_fish(tmp_path / "train", 24)
    whole = json.loads((train / "fish.json").read_text())
    # A second fish in every picture.
    whole["annotations"] += [
        {**row, "id": 100 + row["id"]} for row in whole["annotations"]
    ]
    (train / "fish.json").write_text(json.dumps(whole))
    out = tmp_path / "records"
    built = build(
        *flags_of("train", train), "--val_share=0.4", f"--out={out}",
        "--image_size=64",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    opened = Records.open(out)
    pictures = {
        split: batches.ids(opened, split)[0].tolist()
        for split in ("train", "val")
    }
    # The rule of the other builders, for each picture; thirds are unlabelled.
    for image in whole["images"]:
        split = shards.split_of(image["file_name"], 0.4)
        fish = 2 * bool(image["id"] % 3)
        assert pictures[split].count(image["id"]) == fish
    assert len(pictures["train"]) + len(pictures["val"]) == 2 * 16
    assert pictures["train"] and pictures["val"]
    # AP counts the validation pictures alone, the unlabelled fish too.
    truth = opened.annotations()
    held = {image["id"] for image in truth["images"]}
    assert set(pictures["val"]) < held
    assert not held & set(pictures["train"])
    assert len(truth["annotations"]) == 2 * len(held)


def test_it_trains_and_the_model_knows_its_joints(records, tmp_path):
    path = trainer.train(
        untrained.settings(
            "I*",
            batch_size=8,
            epochs=1,
            final_epochs=0,
            data=str(records),
            workdir=str(tmp_path / "run"),
        )
    )
    log = logs.read_rows(path.parent / runs.LOG)
    assert 0 <= float(log[0]["val_ap"]) <= 100
    for model in (path, path.parent):
        estimate = integral_tf.PoseEstimator(model, flip_test=True)
        assert estimate.skeleton == OWN
    (pose,) = estimate(np.zeros((80, 100, 3), np.uint8))
    assert pose.joints.shape == (5, 2) and np.isfinite(pose.joints).all()
    other = coco_skeleton.from_category({**FISH, "name": "cod"})
    assert integral_tf.PoseEstimator(path, other).skeleton is other
    (path.parent / "skeleton.json").unlink()
    assert integral_tf.PoseEstimator(path, flip_test=True).skeleton == OWN


def test_a_detectors_boxes_take_the_place_of_the_annotated(tmp_path):
    val = write_fish(tmp_path / "val", 3)
    rows = [
        {"image_id": 1, "category_id": 3, "bbox": [1, 2, 30, 40],
         "score": score}
        for score in (0.75, 0.5, 0.25)
    ]  # fmt: skip
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    out = tmp_path / "records"
    built = build(
        *flags_of("val", val), "--category=fish", f"--out={out}",
        f"--val_boxes={tmp_path / 'boxes.json'}", "--min_box_score=0.3",
        "--image_size=64", "--image_width=48",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines()[1:4] == [
        "train: 0 people kept",
        "val: 2 people kept",
        "val: 1 dropped: box scored below 0.3",
    ]
    manifest = Records.open(out).manifest
    assert manifest["source"] == "fish.json, boxes.json"
    assert manifest["aspect"] == 0.75
    sigmas = (skeletons.DEFAULT_SIGMA,) * 5
    assert Records.open(out).skeleton.sigmas == sigmas
    (seen,) = batches.eval_batches(
        Records.open(out), "val", 9
    ).as_numpy_iterator()
    assert sorted(seen["box_score"]) == [0.5, 0.75]
    assert not seen["visible"].any() and not seen["area"].any()
    assert len(Records.open(out).annotations()["annotations"]) == 3


def test_names_that_may_be_sides_are_told(tmp_path):
    train = write_fish(tmp_path / "train", 2)
    text = (train / "fish.json").read_text()
    named = text.replace("fin_l", "lfin").replace("fin_r", "rfin")
    for extra, told in (('"flip_pairs": [[2, 3]], ', False), ("", True)):
        (train / "fish.json").write_text(
            named.replace('"skeleton"', f'{extra}"skeleton"')
        )
        built = build(
            *flags_of("train", train), f"--out={tmp_path / f'out{told}'}",
            "--image_size=64",
        )  # fmt: skip
        assert ("l and r alone tell them apart: lfin and rfin" in built.stdout
                ) == told, built.stdout + built.stderr  # fmt: skip


@pytest.mark.parametrize(
    "flags, message",
    [
        ([], "Give --train_annotations, --val_annotations or both"),
        (["TRAIN", "--category=fish", "--sigmas=x"], "--sigmas are numbers"),
        (
            ["TRAIN", "SAME", "--val_share=0.5"],
            "without a validation set. Received: --val_share=0.5 and --val_ann",
        ),
        (["OTHER", "TRAIN", "--category=fish"], "have different keypoints"),
        (["MOVED", "--category=fish"], "Nobody is left to train on.*2 dropped"),
    ],
)
def test_says_what_is_wrong_and_writes_nothing(tmp_path, flags, message):
    train = write_fish(tmp_path / "train", 2)
    other = write_fish(tmp_path / "other", 2)
    text = (other / "fish.json").read_text()
    (other / "fish.json").write_text(text.replace('"tail"', '"end"'))
    (tmp_path / "empty").mkdir()
    known = {
        "TRAIN": flags_of("train", train),
        "SAME": flags_of("val", train),
        "OTHER": flags_of("val", other),
        "MOVED": [*flags_of("train", train)[:1],
                  f"--train_images={tmp_path / 'empty'}"],
    }  # fmt: skip
    given = sum((known.get(flag, [flag]) for flag in flags), [])
    built = build(*given, f"--out={tmp_path / 'records'}", "--image_size=64")
    assert built.returncode != 0
    last = built.stderr.splitlines()[-1]
    assert re.match(f"build-coco: .*{message}", last), last
    assert "Traceback" not in built.stderr
    assert not list(tmp_path.glob("records*"))
