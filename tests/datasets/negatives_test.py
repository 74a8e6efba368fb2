"""Tests for pictures without anybody, and for fields that records carry."""

import collections
import csv
import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from integral_tf import builds
from integral_tf import config
from integral_tf import layers
from integral_tf.evaluation import browse
from integral_tf.evaluation import diagnosis
from integral_tf.evaluation import evaluate
from integral_tf.evaluation import predictions
from integral_tf.pipeline import batches
from integral_tf.records import build_coco
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.records.folder import Records
from integral_tf.training import board
from integral_tf.training import objectives
from integral_tf.training import optimizers
from integral_tf.training import trainer
from integral_tf.training import validation
from tests import untrained
from tests.records import coco_files

PEOPLE, EMPTY = 18, 12


def cats(folder):
    """18 pictures of a cat each, and 12 without, two of them of a dog.

    Two further pictures have a damaged cat and a crowd, so they are not empty.
    """
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(PEOPLE + EMPTY + 2):
        noise = rng.integers(0, 256, (50, 60, 3), np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png"})
        if number % 2:
            images[-1]["site"] = "barn"
    for number in range(PEOPLE):
        annotations.append(
            coco_files.row(id=number + 1, image_id=number, site="yard")
        )
        if number % 3:
            del annotations[-1]["site"]
    annotations[0]["site"] = 7
    for number in (PEOPLE, PEOPLE + 1):
        annotations.append(
            coco_files.row(id=90 + number, image_id=number, category_id=3)
        )
    damaged, crowd = PEOPLE + EMPTY, PEOPLE + EMPTY + 1
    annotations += [
        coco_files.row(id=70, image_id=damaged, keypoints=[1, 2]),
        coco_files.row(id=71, image_id=crowd, iscrowd=1),
    ]
    names = {"keypoints": coco_files.NAMES}
    whole = {
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": 2, "name": "cat", **names},
            {"id": 3, "name": "dog", **names},
        ],
    }
    (folder / "cats.json").write_text(json.dumps(whole))
    return folder


def build(folder, out, **changes):
    """Builds `out`; the records, and the manifest."""
    flags = {
        "train_annotations": str(folder / "cats.json"),
        "train_images": str(folder / "images"),
        "category": "cat",
        "out": str(out),
        "image_size": 64,
        **changes,
    }
    manifest = build_coco.build_coco(builds.CocoConfig(**flags))
    return Records.open(out), manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cats(tmp_path_factory.mktemp("cats") / "set")


@pytest.fixture(scope="module")
def records(folder):
    """All 12, parted, with their sites."""
    return build(
        folder, folder / "all", empty_pictures=99, field="site", val_share=0.3
    )[0]


def everyone(records, split="train"):
    people = batches.eval_batches(records, split, 64).as_numpy_iterator()
    return next(people)


@pytest.mark.parametrize(
    "negatives, kept", [(0.25, 3), (0.01, 1), (1, 1), (5, 5), (99, 12)]
)
def test_a_share_or_a_number_of_the_empty_pictures_is_kept(
    folder, tmp_path, negatives, kept
):
    records, manifest = build(
        folder, tmp_path / "new", empty_pictures=negatives
    )
    assert records.negatives("train") == kept
    assert records.people("train") == PEOPLE + kept
    people = everyone(records)
    empty = people["negative"] > 0
    numbers = people["image_id"][empty]
    # Neither the damaged cat's picture nor the crowd's.
    assert set(numbers) <= set(range(PEOPLE, PEOPLE + EMPTY))
    assert len(set(numbers)) == kept
    assert not people["visible"][empty].any()
    assert people["visible"][~empty].all()
    lines = shards.describe(manifest).splitlines()
    assert f"train: {PEOPLE} people kept" in lines
    assert f"train: {kept} kept: a picture without anybody" in lines


def test_the_box_is_a_square_inside_that_depends_on_the_picture_alone(
    records, folder, tmp_path
):
    again, _ = build(folder, tmp_path / "new", empty_pictures=99)
    boxes = {}
    for each in (records, again):
        for split in ("train", "val"):
            if each.people(split):
                people = everyone(each, split)
                for i in np.flatnonzero(people["negative"]):
                    box = tuple(people["image_boxes"][i])
                    assert boxes.setdefault(people["image_id"][i], box) == box
    assert len(boxes) == EMPTY == len(set(boxes.values()))
    x, y, width, height = np.array(list(boxes.values())).T
    assert (width == height).all() and (width >= 50 / 3).all()
    assert min(x.min(), y.min()) >= 0
    assert (x + width <= 60).all() and (y + height <= 50).all()


def test_without_the_flags_the_bytes_are_as_ever(folder, tmp_path):
    records, manifest = build(folder, tmp_path / "new")
    keys = {"version", "skeleton", "source", "window_size", "aspect", "splits"}
    assert manifest.keys() == keys
    assert "negatives" not in manifest["splits"]["train"]
    assert records.fields == () and records.negatives("train") == 0
    for path in records.paths("train"):
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            found = tf.train.Example.FromString(record).features.feature
            assert not [k for k in found if "field" in k or "negative" in k]


def test_a_field_is_the_annotations_or_else_the_images(records, capsys):
    found = {}
    for split in ("train", "val"):
        for path in records.paths(split):
            for record in tf.data.TFRecordDataset(path):
                person = schema.parse(record, 3)
                site = schema.field(record, "site").numpy().decode()
                found[int(person["image_id"])] = site
    for number in range(PEOPLE + EMPTY):
        site = "barn" if number % 2 else ""
        if number < PEOPLE and number % 3 == 0:
            site = "yard" if number else "7"
        assert found[number] == site, number
    assert records.fields == ("site",)


def test_people_without_the_field_are_told(folder, tmp_path, capsys):
    build(folder, tmp_path / "new", field="site")
    # Of 0 to 17 those with neither: 2, 4, 8, 10, 14 and 16; and the crowd's
    # picture, 31, has one.
    assert "6 of 19 annotations have no site" in capsys.readouterr().out


@pytest.mark.parametrize("field", ["sight", "category", "site,sight"])
def test_a_field_that_nobody_has_is_refused(folder, tmp_path, field):
    out = tmp_path / "records"
    with pytest.raises(ValueError, match=f"--field={field}, and none has"):
        build(folder, out, field=field)
    assert not out.exists()


def test_only_empty_pictures_are_nobody_to_train_on(folder, tmp_path):
    whole = json.loads((folder / "cats.json").read_text())
    whole["annotations"] = [coco_files.row(keypoints=[0] * 9, image_id=0)]
    path = tmp_path / "none.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match="Nobody is left to train on"):
        build(
            folder,
            tmp_path / "new",
            empty_pictures=0.5,
            train_annotations=str(path),
        )


@pytest.mark.parametrize("method", ["H1", "H3"])
def test_negatives_lower_the_maximum_of_their_maps(records, method):
    people = everyone(records)
    empty = np.flatnonzero(people["negative"])[:4]
    people = batches.for_device({k: people[k][empty] for k in people})
    crops = layers.PersonCrop(64, 64, [0, 2, 1])(people)
    keras.utils.set_random_seed(0)
    network = untrained.network(method, joints=3)
    (empty,) = [
        each
        for name, each in objectives.objectives(
            untrained.settings(method), "main", negatives=True
        ).items()
        if name == "empty"
    ]
    # Maps that say that somebody is there.
    network.get_layer("heatmap_head").weights[-1].assign([1.0, 1.0, 1.0])
    optimizer = keras.optimizers.Adam(0.1)
    tops = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            outputs = network(crops["images"], training=True)
            cost = tf.reduce_mean(empty.costs(people, crops, outputs))
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(cost, variables), variables)
        tops.append(np.max(outputs["heatmaps"], axis=(1, 2)))
    assert (tops[-1] < tops[0] - 0.1).all()


def test_validation_has_no_false_alarm_of_nobody(records):
    # Whatever is said on pictures without anybody is surer than of people.
    crop = layers.PersonCrop(64, 64, [0, 2, 1])

    def observe(records, split, batch_size):
        for people in batches.eval_batches(records, split, batch_size):
            crops = crop(batches.for_device(people))
            sure = 0.5 + 0.4 * people["negative"][:, None]
            outputs = {"scores": sure + tf.zeros_like(crops["visible"])}
            yield people, crops, {**outputs, "joints": crops["joints"]}

    settings = untrained.settings("R1")
    validator = validation.Validator(settings, observe, records)
    losses = objectives.objectives(settings, "main", negatives=True)
    figures = validator.read(losses).figures
    assert figures["ap"] == pytest.approx(100)
    assert figures["pck@0.1"] == 100 and figures["loss"] < 1e-3


def test_a_run_is_balanced_with_negatives_and_figures_leave_them_out(
    records, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        optimizers, "Adam", lambda rate, *_: keras.optimizers.SGD(rate)
    )
    seen = []
    real = batches.train_batches

    def watched(*args, **division):
        found = real(*args, **division)
        for batch in found.as_numpy_iterator():
            seen.extend(batch["image_id"].tolist())
        return found

    monkeypatch.setattr(batches, "train_batches", watched)
    settings = untrained.settings(
        "H1", batch_size=8, epochs=1, final_epochs=0, tensorboard=False,
        data=str(records.folder), workdir=str(tmp_path / "run"),
        balance="site",
    )  # fmt: skip
    trainer.train(settings)
    said = capsys.readouterr().out
    negatives = records.negatives("train")
    assert "each value of site is drawn equally often" in said
    assert (
        f"{negatives} of the training records show nobody: their maps" in said
    )
    people = everyone(records)
    paths = records.paths("train")
    sites = {
        int(schema.parse(record, 3)["image_id"]): schema.field(record, "site")
        for path in paths
        for record in tf.data.TFRecordDataset(path)
    }
    counts = collections.Counter(sites[n].numpy() for n in seen).values()
    assert len(seen) == len(people["negative"])
    assert max(counts) - min(counts) <= 1
    with (tmp_path / "run" / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["train_empty"]) > 0 and float(row["val_empty"]) > 0
    total = float(row["val_heatmap"]) + float(row["val_empty"])
    assert float(row["val_loss"]) == pytest.approx(total, rel=1e-5)
    figures = evaluate.evaluate(config.EvaluateConfig(workdir=settings.workdir))
    nobody = everyone(records, "val")["negative"] > 0
    assert figures["negatives"]["pictures"] == nobody.sum() > 0
    assert figures["people"] == (~nobody).sum()
    results = tmp_path / "run" / "evaluation" / "predictions.json"
    assert len(json.loads(results.read_text())) == (~nobody).sum()
    evaluate.self_test(
        config.EvaluateConfig(data=str(records.folder), self_test=True)
    )


def test_the_board_draws_people_with_their_own_predictions(records):
    settings = untrained.settings("H1", data=str(records.folder))
    model = untrained.network("H1", joints=3)
    observe = predictions.Observer(model, records.skeleton)
    validator = validation.Validator(settings, observe, records)
    validator.read()
    people = board.Watched(validator, observe)
    assert len(people.names) == min(8, len(validator.predicted.joints))
    places = [
        validator.predicted.source_id.tolist().index(n) for n in people.names
    ]
    assert people._places == places
    people.sheet()


def test_charts_of_the_records_leave_empty_pictures_out(records):
    people = (everyone(records)["negative"] == 0).sum()
    sides, labelled, _ = browse._measure(records, "train")
    assert (
        len(sides)
        == people
        == records.people("train") - records.negatives("train")
    )
    assert labelled[0] == 0


def test_scores_of_nobody_stand_beside_those_of_people():
    seen = predictions.Predictions(
        joints=np.zeros((3, 2, 2)),
        scores=np.array([[0.8, 0.6], [0.2, 0.0], [0.9, 0.7]]),
        truth=np.zeros((3, 2, 2)),
        visible=np.ones((3, 2)),
        head_size=np.ones(3),
        box=np.ones((3, 4)),
        box_score=np.ones(3),
        image_id=np.arange(3),
        source_id=np.array([b"a", b"b", b"c"]),
        negative=np.array([0.0, 1.0, 0.0]),
    )
    assert diagnosis.nobody(seen)["negatives"] == {
        "pictures": 1,
        "score": pytest.approx(0.1),
        "score_of_people": pytest.approx(0.75),
    }
    assert seen.of_people().image_id.tolist() == [0, 2]
    people = dataclasses.replace(seen, negative=np.zeros(3))
    assert diagnosis.nobody(people) == {}
