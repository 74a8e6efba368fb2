"""The README's commands, from synthetic records to a drawn picture."""

import json

import cv2
import numpy as np
import pytest

from integral_tf.inference import draw
from integral_tf.records import synthetic
from tests.in_process import run as command


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Records, and a run trained on them for a moment."""
    folder = tmp_path_factory.mktemp("work")
    built = command(
        "build-synthetic", "--people=60", "--image_size=64",
        f"--out={folder / 'data'}", "--val_share=0.3",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "people kept" in built.stdout
    trained = command(
        "train", f"--data={folder / 'data'}", f"--workdir={folder / 'run'}",
        "--method=I1", "--backbone=resnet18", "--width_multiplier=0.125",
        "--image_size=64", "--head_channels=8", "--batch_size=8",
        "--epochs=2", "--heatmap_epochs=1", "--final_epochs=0",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    return folder


@pytest.mark.parametrize("flags", [(), ("--flip_test",)])
def test_evaluate_scores_and_shows_the_run(work, flags):
    out = work / "evaluation"
    done = command("evaluate", f"--workdir={work / 'run'}", f"--out={out}",
                   *flags)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| I1 |" in done.stdout and "| mean pose |" in done.stdout
    figures = json.loads((out / "metrics.json").read_text())
    assert 0 <= figures["@0.1"] <= figures["@0.5"] <= 100
    results = json.loads((out / "predictions.json").read_text())
    assert len(results) == figures["people"]
    assert len(results[0]["keypoints"]) == 3 * 16
    # Predictions are in the image frame: within twice the photographs' size.
    assert np.abs(results[0]["keypoints"]).max() < 600
    for picture in ("sheet.png", "curve.png", "reliability.png"):
        assert cv2.imread(str(out / picture)).std() > 5


def test_evaluate_scores_each_checkpoint(work):
    out = work / "kept"
    done = command("evaluate", f"--workdir={work / 'run'}", f"--out={out}",
                   "--weights=each")  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = done.stdout.splitlines()[-2:]
    assert [line.split()[0] for line in summary] == ["epoch_1", "epoch_2"]
    for name in ("kept-epoch_1", "kept-epoch_2"):
        figures = json.loads((work / name / "metrics.json").read_text())
        assert f"@0.5 {figures['@0.5']:.2f}" in "".join(summary)


def test_predict_draws_and_writes_image_pixels(work, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    person = synthetic.person(1, 0)
    draw.save(person.image, photos / "one.png")
    (photos / "broken.jpg").write_bytes(b"not a picture")
    box = {"file_name": "one.png", "bbox": list(person.box)}
    # A box that the detector doubts, and a dog, are not people.
    boxes = [box, {**box, "score": 0.1}, {**box, "category_id": 18}]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    done = command(
        "predict", f"--model={work / 'run'}", f"--images={photos}",
        f"--boxes={tmp_path / 'boxes.json'}", f"--out={out}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "broken.jpg: not read: image file is no picture" in done.stdout
    assert "1 box of another category than 1 (18)" in done.stdout
    (result,) = json.loads((out / "joints.json").read_text())
    assert result["file_name"] == "one.png"
    joints = np.reshape(result["keypoints"], (16, 3))
    middle = np.array(person.box[:2]) + np.array(person.box[2:]) / 2
    # An expectation over the crop lies inside the crop around the box.
    reach = 1.25 * max(person.box[2:]) / 2
    assert (np.abs(joints[:, :2] - middle) <= reach + 1).all()
    drawn = cv2.imread(str(out / "one.png"))[..., ::-1]
    assert drawn.shape == person.image.shape
    assert (drawn != person.image).any()


def test_predict_draws_a_video_or_says_what_is_wrong(work, tmp_path):
    clip, out = tmp_path / "clip.avi", tmp_path / "out"
    person = synthetic.person(1, 0)
    height, width = person.image.shape[:2]
    writer = cv2.VideoWriter(
        str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 5, (width, height)
    )
    for _ in range(8):
        writer.write(person.image[..., ::-1].copy())
    writer.release()
    box = {"frame": 6, "bbox": list(person.box)}
    (tmp_path / "boxes.json").write_text(json.dumps([box]))
    flags = (
        f"--model={work / 'run'}", f"--images={clip}", f"--out={out}",
        f"--boxes={tmp_path / 'boxes.json'}",
    )  # fmt: skip
    done = command("predict", *flags)
    assert done.returncode == 0, done.stderr
    assert "1 person in 8 frames" in done.stdout
    assert "8/8" in done.stderr and "[0" in done.stderr  # time left
    text = (out / "joints.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [len(line["people"]) for line in lines] == [0] * 6 + [1, 0]
    assert (out / "clip.mp4").is_file()
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    done = command("predict", *flags[:2], f"--out={tmp_path / 'other'}")
    assert done.returncode != 0
    assert "\npredict: The video breaks off before its end" in done.stderr
    assert "Traceback" not in done.stderr
    kept = (tmp_path / "other" / "joints.jsonl").read_text().splitlines()
    assert 0 < len(kept) < 8
    assert f"{len(kept)} whole frames in {tmp_path / 'other'}" in done.stderr


@pytest.mark.parametrize(
    "script, flags, message",
    [
        (
            "train",
            ("--data=nowhere", "--workdir=runs/nowhere"),
            "train: Records are a folder",
        ),
        ("evaluate", ("--workdir=nowhere",), "evaluate: A run is"),
        (
            "predict",
            ("--model=nowhere", "--images=nowhere", "--out=new"),
            "`--images` is",
        ),
        (
            "build-lsp",
            ("--source=nowhere", "--out=new"),
            "build-lsp: LSP and LSP-extended are",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(script, flags, message):
    done = command(script, *flags)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_evaluate_refuses_another_split(work):
    done = command(
        "evaluate", f"--workdir={work / 'run'}", "--split=test",
        f"--out={work / 'other'}",
    )  # fmt: skip
    assert done.returncode != 0
    assert "have the splits train, val. Received: split='test'" in done.stderr
    assert not (work / "other").exists()
