"""Tests for evaluation: COCO's figures, test sets, and what cannot be scored.

The model is not trained: what is tested is what becomes of its joints.
"""

import json
import sys

import numpy as np
import pytest
import scipy.io
from PIL import Image

from integral_tf import config
from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.evaluation import comparison
from integral_tf.evaluation import evaluate
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import mpii
from integral_tf.records import shards
from integral_tf.training import trainer
from tests import drawn
from tests import untrained
from tests.records import mpii_files

CATEGORY = {
    "id": 1,
    "name": "person",
    "keypoints": skeletons.COCO.joints,
    "skeleton": skeletons.COCO.limbs,
}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Four images, two people each; true boxes, and a detector's, twice."""
    folder = tmp_path_factory.mktemp("coco")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    images, annotations, boxes = [], [], []
    for i in (1, 2, 3, 4):
        noise = rng.integers(0, 256, (90, 120, 3), np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"{i}.png")
        images.append({"id": i, "file_name": f"{i}.png"})
        for x in (0, 60):
            box = [x, 5, 55, 80]
            keypoints = np.full((17, 3), 2.0)
            keypoints[:, :2] = (x, 5) + rng.uniform((0, 0), box[2:], (17, 2))
            keypoints[rng.random(17) < 0.3] = 0
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": 1,
                    "bbox": box,
                    "area": 3000.0,
                    "iscrowd": 0,
                    "keypoints": keypoints.ravel().tolist(),
                }
            )
            row = {"image_id": i, "category_id": 1, "bbox": box}
            boxes += [{**row, "score": 0.9}, {**row, "score": 0.5}]
    truth = {
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "boxes.json").write_text(json.dumps(boxes))
    known = coco.read(folder / "truth.json")
    people = {
        "true": coco.people(known, folder / "images", "val"),
        "found": coco.detections(
            known, folder / "images", folder / "boxes.json", "val"
        ),
    }
    for name, some in people.items():
        shards.write(
            some, coco.person, folder / name, skeletons.COCO, 64,
            split=coco.split_of, source="", shards=1, annotations=known,
        )  # fmt: skip
    untrained.run(folder / "run", data=folder / "true", skeleton=skeletons.COCO)
    return folder


def settings(work, records="true", **kwargs):
    return config.EvaluateConfig(
        workdir=str(work / "run"),
        data=str(work / records),
        out=str(work / "out"),
        **kwargs,
    )


def predicted(work):
    return json.loads((work / "out" / "predictions.json").read_text())


def test_true_boxes_are_scored_by_hotcoco(work, capsys, monkeypatch):
    for name in list(sys.modules):
        if name.partition(".")[0] == "pycocotools":
            monkeypatch.delitem(sys.modules, name)
    figures = evaluate.evaluate(settings(work, flip_test=True))
    assert not any(name.startswith("pycocotools") for name in sys.modules)
    assert figures["metric"] == "PCK" and figures["people"] == 8
    table = (work / "out" / "table.md").read_text()
    assert f"rescored: yes, by {figures['coco_engine']}\n" in table
    assert "paper's I1, test-dev | 67.8 | 88.2 | 74.8 | 63.9 | 74.0 |" in table
    assert "to submit" not in capsys.readouterr().out
    variants = ["uncalibrated", "as_given", "cross_fitted"]
    assert list(figures["scores"]) == variants
    assert all(
        f"| {variant.replace('_', ' ')} | " in table for variant in variants
    )
    assert (work / "out" / "reliability.png").exists()


def test_weights_and_sigmas_of_joints_are_in_the_figures(work):
    text = "wrist=2,Face=0"
    figures = evaluate.evaluate(
        settings(work, joint_weights=text, sigmas="0.5")
    )
    weights = np.array([0.0] * 5 + [1.0] * 4 + [2.0] * 2 + [1.0] * 6)
    assert [*figures["joint_weights"].values()] == weights.tolist()
    assert figures["sigmas"] == dict.fromkeys(skeletons.COCO.joints, 0.5)
    assert figures["protocol"]["joint_weights"] == text
    table = (work / "out" / "table.md").read_text()
    assert "weights: nose 0, left_eye 0" in table
    assert f"--joint_weights={text}, --sigmas=0.5" in table
    assert "paper's" not in table and "by integral_tf" in table
    # The same by hand: the share of the labelled joints' hits, by weight.
    errors = comparison.read(work / "out").errors
    shares = weights * ~np.isnan(errors)
    assert figures["joints"] == (shares > 0).sum() < (errors >= 0).sum()
    share = (shares * (errors <= 0.5)).sum() / shares.sum()
    assert figures["@0.5"] == pytest.approx(100 * share)
    of_truth = json.loads((work / "truth.json").read_text())
    assert figures["coco"] == metrics.coco_keypoint_ap(
        of_truth, predicted(work), [0.5] * 17, weights=weights
    )


def test_nms_finds_a_detectors_second_look(work, capsys):
    # Every box is there twice, so the same network says the same twice: half
    # of the sixteen go, and the surer box stays.
    evaluate.evaluate(settings(work, "found"))
    assert "8 of 16 people kept" in capsys.readouterr().out
    kept = predicted(work)
    assert len(kept) == 8
    evaluate.evaluate(settings(work, "found", oks_nms="none", rescore=False))
    everyone = predicted(work)
    evaluate.evaluate(settings(work, "found", oks_nms="soft"))
    # Lowered scores still go by turns: nobody is dropped below 20 people.
    assert len(predicted(work)) == 16
    assert sorted(row["score"] for row in everyone) == [0.5] * 8 + [0.9] * 8
    # No joint is known, so AP alone is scored, and the sheet goes by scores.
    figures = json.loads((work / "out" / "metrics.json").read_text())
    assert "coco" in figures and "@0.5" not in figures
    assert (work / "out" / "sheet.png").exists()
    assert not (work / "out" / "curve.png").exists()
    assert not (work / "out" / "reliability.png").exists()
    page = (work / "out" / evaluate.REPORT).read_text()
    assert "by the mean score" in page and "Errors per joint" not in page


def test_rescoring_multiplies_by_the_mean_of_sure_joints(work):
    evaluate.evaluate(settings(work, "found", rescore_threshold=0.0))
    for row in predicted(work):
        joints = np.reshape(row["keypoints"], (17, 3))
        # Kept are the boxes scored 0.9; three digits of a joint are written.
        assert row["score"] == pytest.approx(
            0.9 * joints[:, 2].mean(), abs=1e-3
        )


@pytest.mark.parametrize("records", ["true", "found"])
def test_the_truth_scores_full_marks(work, records, capsys):
    evaluate.self_test(settings(work, records, self_test=True))
    printed = capsys.readouterr().out
    assert "AP: 1.0000, to be 1" in printed
    assert ("PCK@0.1: 100.0000, to be 100" in printed) == (records == "true")


def changed(work, tmp_path, change):
    """The ground truth after a change, as a file."""
    truth = json.loads((work / "truth.json").read_text())
    change(truth)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(truth))
    return str(path)


def of_another_split(truth):
    for row in [*truth["images"], *truth["annotations"]]:
        key = "id" if "file_name" in row else "image_id"
        row[key] += 100


def without_labels(truth):
    for row in truth["annotations"]:
        row["keypoints"] = [0] * 51


def in_another_order(truth):
    truth["categories"][0]["keypoints"].reverse()
    truth["categories"][0]["skeleton"] = []


@pytest.mark.parametrize(
    "change, message",
    [
        (of_another_split, "of another split.* 4 of 4 image ids.*such as 1$"),
        (without_labels, "nobody with labelled keypoints.*8 annotations"),
        (in_another_order, "other keypoints than the records' skeleton coco"),
    ],
)
def test_ground_truth_that_does_not_fit_is_refused(
    work, tmp_path, change, message
):
    path = changed(work, tmp_path, change)
    with pytest.raises(ValueError, match=message):
        evaluate.evaluate(settings(work, annotations=path))


def test_people_without_a_record_are_counted(work, tmp_path, capsys):
    def with_one_more(truth):
        truth["images"].append({"id": 9, "file_name": "9.png"})
        truth["annotations"].append(
            {**truth["annotations"][0], "id": 99, "image_id": 9}
        )

    path = changed(work, tmp_path, with_one_more)
    evaluate.evaluate(settings(work, annotations=path))
    assert "1 of the 9 people to find are in images without a record" in (
        capsys.readouterr().out
    )


def test_more_people_than_coco_counts_fail_the_self_test(work, tmp_path):
    def crowded(truth):
        truth["annotations"] = [
            {**truth["annotations"][0], "id": i} for i in range(1, 26)
        ]

    path = changed(work, tmp_path, crowded)
    with pytest.raises(ValueError, match="more than 20 people"):
        evaluate.self_test(settings(work, annotations=path))


def test_records_that_lie_elsewhere_fail_the_self_test(work, tmp_path):
    def moved(truth):
        for row in truth["annotations"]:
            row["keypoints"][::3] = [x + 0.5 for x in row["keypoints"][::3]]

    path = changed(work, tmp_path, moved)
    with pytest.raises(ValueError, match="does not score as it must"):
        evaluate.self_test(settings(work, annotations=path))


def test_a_limit_limits_the_people_to_find(work, capsys):
    figures = evaluate.evaluate(settings(work, limit=3))
    images = len({row["image_id"] for row in predicted(work)})
    assert f"over the {images} images of these people" in (
        capsys.readouterr().out
    )
    assert f"OKS over {images} images" in (work / "out/table.md").read_text()
    assert figures["protocol"]["limit"] == 3


def test_a_folder_of_something_else_is_never_replaced(work):
    for folder in (work / "run", work / "true"):
        with pytest.raises(FileExistsError, match="which is neither"):
            evaluate.evaluate(
                config.EvaluateConfig(
                    workdir=str(work / "run"), out=str(folder)
                )
            )
    assert (work / "run" / "model.keras").exists()


def test_hrnets_reading_is_for_mpii(work):
    with pytest.raises(ValueError, match="Received: --compat=hrnet for coco"):
        evaluate.evaluate(settings(work, compat="hrnet"))


def test_training_wants_labelled_validation_people(work, tmp_path):
    with pytest.raises(ValueError, match="no labelled joints.*detector's"):
        trainer.train(
            config.TrainConfig(
                data=str(work / "found"), workdir=str(tmp_path / "run")
            )
        )
    assert not (tmp_path / "run").exists()


def test_a_run_of_other_joints_is_refused(work, tmp_path):
    swapped = skeletons.from_dict(
        {
            **skeletons.to_dict(skeletons.COCO),
            "joints": ("left_eye", "nose", *skeletons.COCO.joints[2:]),
        }
    )
    untrained.run(tmp_path / "run", data=work / "true", skeleton=swapped)
    with pytest.raises(ValueError, match="left_eye for nose, nose for left_e"):
        evaluate.evaluate(config.EvaluateConfig(workdir=str(tmp_path / "run")))


def test_cocos_test_set_becomes_a_submission(work, tmp_path):
    def secret(truth):
        del truth["annotations"]
        # As in image_info_test-dev2017.json.
        truth["categories"] = [
            {"id": 1, "name": "person", "supercategory": "person"},
            {"id": 2, "name": "bicycle", "supercategory": "vehicle"},
        ]

    path = changed(work, tmp_path, secret)
    truth = coco.read(path)
    assert coco_skeleton.from_category(truth["categories"][0]) == skeletons.COCO
    with pytest.raises(ValueError, match="give a detector's boxes"):
        coco.people(truth, work / "images", "val")
    people = coco.detections(
        truth, work / "images", work / "boxes.json", "val", 0.6
    )
    shards.write(
        people, coco.person, tmp_path / "test", skeletons.COCO, 64,
        split=coco.split_of, source="", shards=1, annotations=truth,
    )  # fmt: skip
    out = tmp_path / "out"
    figures = evaluate.evaluate(
        config.EvaluateConfig(
            workdir=str(work / "run"), data=str(tmp_path / "test"),
            out=str(out),
        )
    )  # fmt: skip
    assert "coco" not in figures and "@0.5" not in figures
    rows = json.loads((out / evaluate.COCO_SUBMISSION).read_text())
    assert sorted(row["image_id"] for row in rows) == [1, 1, 2, 2, 3, 3, 4, 4]
    with pytest.raises(ValueError, match="hold no truth"):
        evaluate.self_test(config.EvaluateConfig(data=str(tmp_path / "test")))


def test_mpiis_test_set_becomes_a_submission(tmp_path):
    def alone(x, y):
        return mpii_files.person(objpos=(x, y), scale=0.25)

    release = mpii_files.write_release(
        tmp_path / "mpii_human_pose_v1_u12_1.mat",
        [("000000020.jpg", 0, [1, 2], [alone(9, 8), alone(30, 20)])],
    )
    mpii_files.write_photographs(tmp_path / "images", ["000000020.jpg"])
    shards.write(
        mpii.test_people(release), mpii.tested_person, tmp_path / "test",
        skeletons.MPII, 64, split=1.0, source="", shards=1,
    )  # fmt: skip
    run = untrained.run(tmp_path / "run", data=tmp_path / "test")
    evaluate.evaluate(
        config.EvaluateConfig(workdir=str(run), annotations=str(release))
    )
    out = run / "evaluation"
    pred = scipy.io.loadmat(out / evaluate.MPII_SUBMISSION)["pred"].ravel()
    results = json.loads((out / "predictions.json").read_text())
    found = sorted(
        point["x"].item() - 1  # MATLAB counts from 1
        for rect in pred[0]["annorect"].ravel()
        for point in rect["annopoints"][0, 0]["point"].ravel()
    )
    wanted = sorted(x for row in results for x in row["keypoints"][::3])
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    with pytest.raises(ValueError, match="all 2 of them. Received: 1 of these"):
        evaluate.evaluate(
            config.EvaluateConfig(
                workdir=str(run), annotations=str(release), limit=1
            )
        )
    with pytest.raises(FileNotFoundError, match="nowhere.mat"):
        evaluate.evaluate(
            config.EvaluateConfig(
                workdir=str(run), annotations=str(tmp_path / "nowhere.mat")
            )
        )


def test_hrnets_reading_stands_beside_ours(tmp_path):
    data = drawn.records(tmp_path / "data", 8, 0.5)
    run = untrained.run(tmp_path / "run", data=data)
    figures = evaluate.evaluate(
        config.EvaluateConfig(workdir=str(run), compat="hrnet")
    )
    # 0.11 of a head, called 0.1.
    assert figures["hrnet"]["@0.1"] == pytest.approx(
        figures["curve"][11], abs=1e-4
    )
    assert (
        "I1, as HRNet prints it"
        in (run / "evaluation" / "table.md").read_text()
    )
