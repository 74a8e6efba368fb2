"""Tests for figures of errors in a named length, from build to report.

The network is not trained: what is tested is what becomes of its joints.
"""

import json

import numpy as np
import pytest
from PIL import Image

from integral_tf import config
from integral_tf import units
from integral_tf.evaluation import browse
from integral_tf.evaluation import evaluate
from integral_tf.evaluation import predictions
from integral_tf.models import loading
from integral_tf.records.folder import Records
from integral_tf.training import trainer
from integral_tf.training import validation
from tests import in_process
from tests import untrained

JOINTS = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
# In a picture of 60 pixels; the eyes are 20 apart, the mouth's corners 10.
POINTS = [[20, 22], [40, 22], [30, 32], [25, 42], [35, 42]]
FACES, HIDDEN = 6, 4  # the fifth face's right eye is not labelled


def annotation(number):
    points = np.c_[POINTS, np.full(5, 2)].astype(float)
    points[:, :2] += number
    if number == HIDDEN:
        points[1] = 0
    return {
        "id": number + 1,
        "image_id": number,
        "category_id": 1,
        "bbox": [12, 16, 36, 36],
        "keypoints": points.ravel().tolist(),
    }


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Records of faces in eye distances, and a run of these."""
    folder = tmp_path_factory.mktemp("faces")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(FACES):
        noise = rng.integers(0, 256, (60, 60, 3), np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"{number}.png")
    truth = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(FACES)],
        "annotations": [annotation(i) for i in range(FACES)],
        "categories": [{"id": 1, "name": "face", "keypoints": JOINTS}],
    }
    (folder / "faces.json").write_text(json.dumps(truth))
    built = build(folder, "records", "left_eye,right_eye")
    assert built.returncode == 0, built.stderr
    (folder / "said.txt").write_text(built.stdout)
    records = Records.open(folder / "records")
    untrained.run(folder / "run", data=records.folder,
                  skeleton=records.skeleton)  # fmt: skip
    return folder


def build(folder, out, unit):
    files = (f"{folder}/faces.json", f"{folder}/images")
    return in_process.run(
        "build-coco", f"--out={folder / out}", "--image_size=64",
        f"--normalise_by={unit}",
        *(f"--{split}_annotations={files[0]}" for split in ("train", "val")),
        *(f"--{split}_images={files[1]}" for split in ("train", "val")),
    )  # fmt: skip


def evaluated(work, **changes):
    asked = config.EvaluateConfig(
        workdir=str(work / "run"), data=str(work / "records"),
        out=str(work / "out"), **changes,
    )  # fmt: skip
    return evaluate.evaluate(asked)


def test_the_builder_counts_who_lacks_the_length(work):
    said = (work / "said.txt").read_text()
    assert "val: 1 kept: no distance of left_eye,right_eye" in said
    records = Records.open(work / "records")
    assert records.manifest["normalise_by"] == "left_eye,right_eye"
    assert records.unit == units.named("left_eye,right_eye", records.skeleton)
    asked = config.EvaluateConfig(data=str(work / "records"))
    seen = predictions.truth(asked, records)
    order = np.argsort(seen.image_id)
    np.testing.assert_allclose(
        seen.lengths[order], [20.0] * HIDDEN + [0, 20], rtol=1e-6
    )


@pytest.mark.parametrize("unit", ["left_eye,chin", "head", "left_eye"])
def test_a_length_that_is_none_is_refused(work, unit):
    built = build(work, "none", unit)
    assert built.returncode != 0 and not (work / "none").exists()
    assert "distance of two joints" in built.stderr
    assert f"Received: --normalise_by={unit}" in built.stderr


def test_the_figures_are_in_the_records_length(work):
    figures = evaluated(work)
    assert figures["metric"] == "PCK"
    assert figures["unit"] == "left_eye-right_eye distances"
    # By hand, from the predictions as they are written.
    rows = json.loads((work / "out" / "predictions.json").read_text())
    found = []
    for row in rows:
        number = row["image_id"]
        if number != HIDDEN:
            joints = np.reshape(row["keypoints"], (5, 3))[:, :2]
            aside = joints - (np.array(POINTS) + number)
            found.append(np.hypot(*aside.T) / 20)
    found = np.array(found)
    assert len(found) == figures["people"] == FACES - 1
    assert figures["NME"] == pytest.approx(100 * found.mean(), rel=1e-3)
    above = 100 * (found.mean(axis=1) > 0.1).mean()
    assert figures["FR@0.1"] == pytest.approx(above)
    for alpha in (0.1, 0.05):
        share = 100 * (found <= alpha).mean()
        assert figures[f"@{alpha}"] == pytest.approx(share, abs=0.01)
    assert {"NME", "FR@0.1", "AUC@0.1"} <= set(figures["mean_pose"])
    table = (work / "out" / "table.md").read_text()
    assert "PCK in left_eye-right_eye distances over 5 people" in table
    assert "1 people without this length left out" in table
    assert "| | NME | FR@0.1 | AUC@0.1 |" in table
    assert "PCKh" not in table and "paper's" not in table


def test_the_page_names_the_length(work):
    evaluated(work)
    page = (work / "out" / "report.html").read_text()
    for words in (
        "PCK@0.1 is the percentage of labelled joints whose prediction is at "
        "most 0.1 left_eye-right_eye distances away",
        "PCK@0.05 at most 0.05",
        "People over their mean error",
        "mean error of a person, left_eye-right_eye distances",
        "alpha: distance from the truth, left_eye-right_eye distances",
        "jitter: within 0.1",
        "median error, left_eye-right_eye distances",
    ):
        assert words in page, words
    assert "heads" not in page and "PCKh" not in page


def test_another_length_and_thresholds_for_the_same_records(work):
    eyes = evaluated(work)
    figures = evaluated(
        work, normalise_by="left_mouth,right_mouth", alpha="0.4,0.2,0.1"
    )
    # The mouth is half as long as the eyes, and everyone has one.
    assert figures["people"] == FACES
    assert figures["unit"] == "left_mouth-right_mouth distances"
    assert list(figures["mean_pose"])[:4] == ["@0.4", "@0.2", "@0.1", "AUC"]
    assert figures["protocol"]["alpha"] == "0.4,0.2,0.1"
    assert figures["groups@0.4"] == {}
    by_box = evaluated(work, normalise_by="box")
    assert by_box["unit"] == "box sizes"
    # All boxes are 36 pixels a side, so one NME is a multiple of another.
    assert by_box["NME"] * 36 == pytest.approx(figures["NME"] * 10)
    assert eyes["NME"] > by_box["NME"]


def test_two_evaluations_are_compared_in_their_length(work, tmp_path):
    first = evaluated(work)
    asked = config.EvaluateConfig(
        workdir=str(work / "run"), data=str(work / "records"),
        out=str(tmp_path / "again"), compare=str(work / "out"),
    )  # fmt: skip
    figures = evaluate.evaluate(asked)
    compared = figures["comparison"]["figures"]
    assert list(compared) == ["@0.1", "@0.05", "AUC"]
    assert compared["AUC"]["difference"] == 0
    assert compared["AUC"]["this"] == pytest.approx(first["AUC"])
    page = (tmp_path / "again" / "report.html").read_text()
    assert page.count(f": NME {first['NME']:.2f}") == 2


def test_the_truth_has_no_error_in_any_length(work, capsys):
    asked = config.EvaluateConfig(
        data=str(work / "records"), normalise_by="box", alpha="0.01"
    )
    evaluate.self_test(asked)
    assert "PCK@0.01: 100.0000, to be 100" in capsys.readouterr().out


def test_the_log_has_the_figures_of_the_length(work):
    records = Records.open(work / "records")
    model = loading.load(work / "run")
    observer = predictions.Observer(model, records.skeleton, (64, 64))
    settings = config.TrainConfig(
        method="H1", image_size=64, data=str(records.folder)
    )
    figures = validation.Validator(settings, observer, records).read().figures
    assert list(figures)[:4] == ["pck@0.1", "pck@0.05", "auc", "nme"]
    asked = config.EvaluateConfig(data=str(work / "records"))
    seen = predictions.predict(model, asked, records)
    assert figures["nme"] == pytest.approx(seen.nme().nme)


def test_training_wants_someone_with_the_length(work, tmp_path):
    # The face whose right eye is not labelled, alone.
    truth = json.loads((work / "faces.json").read_text())
    truth["annotations"] = [annotation(HIDDEN)]
    (tmp_path / "faces.json").write_text(json.dumps(truth))
    (tmp_path / "images").symlink_to(work / "images")
    assert build(tmp_path, "records", "left_eye,right_eye").returncode == 0
    settings = untrained.settings(
        data=str(tmp_path / "records"), workdir=str(tmp_path / "run")
    )
    with pytest.raises(ValueError, match="None of the first validation people"):
        trainer.train(settings)
    assert not (tmp_path / "run").exists()


def test_browsing_says_the_length(work, tmp_path):
    evaluated(work)
    page = tmp_path / "page.html"
    browse.write(str(work / "records"), page, 3, str(work / "out"))
    text = page.read_text()
    assert "from the truth in left_eye-right_eye distances." in text
