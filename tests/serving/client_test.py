"""Tests for the client of TensorFlow Serving, against `server.py` here."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest.mock

import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf import config
from integral_tf import skeletons
from integral_tf.inference import predict
from integral_tf.records import photographs
from tests import in_process
from tests.serving import running

LATE, ENVIRONMENT = running.LATE, running.ENVIRONMENT


def command(*flags):
    start = [sys.executable, "-m", "integral_tf", "client"]
    return [*start, f"--timeout={LATE}", *flags]


def ask(*flags):
    with unittest.mock.patch.dict(os.environ, ENVIRONMENT, clear=True):
        return in_process.run("client", f"--timeout={LATE}", *flags)


def said(done):
    """The client's own lines on stderr; TensorFlow has some of its own."""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    return [line for line in lines if line.startswith("client: ")]


def results(out):
    return json.loads((out / "joints.json").read_text())


def require_keras(model, pictures, rows):
    """Every row is what Keras says of that picture and box."""
    estimate = integral_tf.PoseEstimator(model, "mpii")
    for row in rows:
        image = photographs.read(pictures / row["file_name"])
        (pose,) = estimate(image, [row["bbox"]])
        keypoints = np.reshape(row["keypoints"], (-1, 3))
        np.testing.assert_allclose(keypoints[:, :2], pose.joints, atol=0.02)
        np.testing.assert_allclose(keypoints[:, 2], pose.scores, atol=2e-3)
        assert row["score"] == pytest.approx(pose.score, abs=1e-3)


def test_a_folder_over_grpc_and_over_rest(server, model, pictures, tmp_path):
    common = [f"--images={pictures}", f"--boxes={pictures / 'boxes.json'}"]
    rows = {}
    for protocol in ("grpc", "rest"):
        out = tmp_path / protocol
        draw = "--draw" if protocol == "grpc" else "--nodraw"
        done = ask(*server.flags(protocol), *common, f"--out={out}", draw)
        assert done.returncode == 0, done.stderr
        # 1 + 2 + 3 + 1 + 2 people; the unsure boxes were left out.
        assert (
            "9 people in 5 pictures; left out: 1 file of an ending that is not "
            "read (.json), 5 boxes below --min_box_score=0.5"
        ) in done.stdout
        rows[protocol] = results(out)
    names = [row["file_name"] for row in rows["grpc"]]
    assert names == sorted(names) and len(names) == 9
    require_keras(model, pictures, rows["grpc"])
    for one, other in zip(rows["grpc"], rows["rest"]):
        assert one["bbox"] == other["bbox"]
        np.testing.assert_allclose(
            one["keypoints"], other["keypoints"], atol=2e-3
        )
    names = {path.name for path in pictures.glob("*.[jp]*g")}
    drawn = {path.name for path in (tmp_path / "grpc").glob("*.[jp]*g")}
    assert drawn == names and len(names) == 5
    assert not list((tmp_path / "rest").glob("*.[jp]*g"))
    before = photographs.read(pictures / "2.png")
    after = photographs.read(tmp_path / "grpc" / "2.png")
    assert before.shape == after.shape and (before != after).any()


def test_one_picture_is_one_person(server, model, pictures, tmp_path):
    for attempt in range(2):  # the second into the folder of the first
        done = ask(
            *server.flags("rest"), f"--images={pictures / '0.jpg'}",
            f"--out={tmp_path / 'out'}", "--nodraw", "--version=1",
        )  # fmt: skip
        assert done.returncode == 0, (attempt, done.stderr)
    (row,) = results(tmp_path / "out")
    with Image.open(pictures / "0.jpg") as picture:
        width, height = picture.size
    assert row["bbox"] == [0, 0, width, height]
    require_keras(model, pictures, [row])


def test_what_is_wrong_is_one_line_and_the_rest_is_answered(
    server, model, pictures, tmp_path
):
    wrong = tmp_path / "pictures"
    shutil.copytree(pictures, wrong)
    whole = (wrong / "0.jpg").read_bytes()
    (wrong / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    (wrong / "text.jpg").write_text("not a picture")
    rows = json.loads((wrong / "boxes.json").read_text())
    rows += [
        {"file_name": name, "bbox": [10, 10, 50, 50]}
        for name in ("broken.jpg", "text.jpg")
    ]
    rows.append({"file_name": "1.jpg", "bbox": [5, 5, -20, 30]})
    (wrong / "boxes.json").write_text(json.dumps(rows))
    done = ask(
        *server.flags("rest"), f"--images={wrong}",
        f"--boxes={wrong / 'boxes.json'}", f"--out={tmp_path / 'out'}",
        "--nodraw",
    )  # fmt: skip
    assert done.returncode == 1
    broken, text = said(done)
    assert "skipped boxes[16], " in done.stdout
    assert "broken.jpg: " in broken and "decode_image_bytes" in broken
    assert "text.jpg: `image_bytes` is an encoded JPEG or PNG" in text
    assert (
        "9 people in 5 pictures; left out: 1 file of an ending that is not "
        "read (.json), 5 boxes below --min_box_score=0.5, 1 box without a "
        "positive width and height, 2 pictures refused, 2 boxes of such a "
        "picture"
    ) in done.stdout
    rows = results(tmp_path / "out")
    assert {row["file_name"][0] for row in rows} == set("01234")
    require_keras(model, pictures, rows[:2])


def test_pictures_are_shown_counted_and_drawn_as_predict_has_them(
    server, model, pictures, tmp_path, capsys
):
    folder, boxes = tmp_path / "pictures", tmp_path / "boxes.json"
    (folder / "sub").mkdir(parents=True)
    (folder / "notes.txt").write_text("")
    tag = Image.Exif()
    tag[0x0112] = 6
    upright = Image.open(pictures / "0.jpg")
    upright.crop((0, 0, 90, 60)).save(folder / "7.jpg", exif=tag)
    upright.save(folder / "7.png")
    upright.save(folder / "12.jpg")
    skeleton = tmp_path / "skeleton.json"
    fields = skeletons.to_dict(skeletons.MPII)
    skeleton.write_text(json.dumps({**fields, "categories": [3, 4]}))
    rows = [
        {"file_name": "7.jpg", "bbox": [5, 10, 40, 60], "category_id": 4},
        {"file_name": "7.png", "bbox": [20, 10, 80, 99], "image_id": "seven"},
        {"image_id": 12, "bbox": [20, 10, 80, 99], "category_id": 3},
        {"image_id": 12, "bbox": [20, 10, 80, 99], "category_id": 1},
        {"image_id": 7, "bbox": [20, 10, 80, 99]},
        {"image_id": 12, "bbox": [20, 10, 0, 99]},
    ]
    boxes.write_text(json.dumps(rows))
    model.save(tmp_path / "model.keras")
    for given in ([], [f"--boxes={boxes}"]):
        shutil.rmtree(tmp_path / "asked", ignore_errors=True)
        common = [f"--images={folder}", f"--skeleton={skeleton}", *given]
        done = ask(
            *server.flags("rest"), *common, f"--out={tmp_path / 'asked'}"
        )
        assert done.returncode == 0, done.stderr
        predict.predict(
            config.PredictConfig(
                model=str(tmp_path / "model.keras"),
                images=str(folder),
                out=str(tmp_path / "predicted"),
                skeleton=str(skeleton),
                boxes=str(boxes) if given else "",
            )
        )
        drawn = {path.name for path in (tmp_path / "asked").glob("*.[jp]*g")}
        assert drawn == {"7.jpg", "7.png.png", "12.jpg"}
        for name in drawn:
            shapes = [
                photographs.read(tmp_path / out / name).shape
                for out in ("asked", "predicted")
            ]
            assert shapes[0] == shapes[1]
        got, want = results(tmp_path / "asked"), results(tmp_path / "predicted")
        assert len(got) == 3
        for one, other in zip(got, want):
            np.testing.assert_allclose(
                one.pop("keypoints"), other.pop("keypoints"), atol=0.02
            )
            assert one.pop("score") == pytest.approx(other.pop("score"), 1e-3)
            other.pop("sure")  # which the server does not say
        assert got == want
        told = capsys.readouterr().out.replace("in 3 images", "in 3 pictures")
        # The client draws what the server answers.
        told = told.replace("; no sure joint in 3 pictures, not drawn", "")
        for line in told.splitlines():
            if line.startswith(("skipped", "3 people")):
                assert line in done.stdout.splitlines()
    assert [row.get("image_id") for row in got] == [12, 7, "seven"]
    assert [row["category_id"] for row in got] == [3, 4, 3]


def test_killed_in_the_middle_and_back(folder, model, pictures, tmp_path):
    server = running.Server(folder).start(killed_at=4)
    clients = {
        protocol: subprocess.Popen(
            command(
                *server.flags(protocol), f"--images={pictures}",
                f"--boxes={pictures / 'boxes.json'}", "--nodraw",
                f"--out={tmp_path / protocol}", f"--retry_for={LATE}",
            ),
            env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
        )
        for protocol in ("grpc", "rest")
    }  # fmt: skip
    try:
        assert server.process.wait(LATE) == -signal.SIGKILL
        server.stop()
        server.start()
        for protocol, client in clients.items():
            _, errors = client.communicate(timeout=LATE)
            assert client.returncode == 0, errors
            rows = results(tmp_path / protocol)
            assert len(rows) == 9
            require_keras(model, pictures, rows)
    finally:
        server.stop()
        for client in clients.values():
            client.kill()
            client.communicate()


def test_a_server_that_is_not_there_is_one_line(folder, pictures, tmp_path):
    nowhere = running.Server(folder)  # not started
    common = [*nowhere.flags("rest"), "--retry_for=0.2", "--nodraw"]
    done = ask(*common, f"--images={pictures / '0.jpg'}", f"--out={tmp_path}")
    assert done.returncode == 1
    (line,) = said(done)
    assert "the server was away for 0.2 s (--retry_for)" in line
    done = ask(*common, "--health")
    assert done.returncode == 1 and "no server" in said(done)[0]


def test_the_health_of_a_model(server):
    done = ask(*server.flags("rest"), "--health")
    assert done.returncode == 0
    assert done.stdout == "pose version 1: AVAILABLE\n"


def test_the_flags_are_checked_in_one_line(pictures, tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text('[{"file_name": "0.jpg", "bbox": [1, 2, 3]}]')
    none = tmp_path / "none.json"
    none.write_text("[]")
    image, out = f"--images={pictures / '0.jpg'}", f"--out={tmp_path / 'out'}"
    for flags, message in (
        ([out], "`--images` is a picture or a folder"),
        ([f"--images={tmp_path}", out], "`--images` is a picture or a folder"),
        ([image], "`--out` is a new folder"),
        ([image, f"--out={pictures}"], "`--out` is a new folder"),
        ([image, out, f"--boxes={wrong}"], "1 box without four numbers"),
        ([image, out, "--skeleton=nowhere.json"], "`--skeleton` is a name"),
        ([image, out, f"--boxes={none}"], "No box belongs to any"),
        ([image, out, "--boxes=nowhere"], "`--boxes` is a file of boxes"),
    ):
        done = ask("--protocol=rest", *flags)
        assert done.returncode == 1
        (line,) = said(done)
        assert message in line and "Received: " in line


ALONE = """
import sys
from integral_tf import commands
for name in ("tensorflow", "keras", "tensorflow_serving", "cv2"):
    sys.modules[name] = None  # cannot be imported
sys.exit(commands.main(["client", *sys.argv[1:]]))
"""


def test_rest_needs_no_tensorflow(server, pictures, tmp_path):
    def alone(*flags):
        return subprocess.run(
            [sys.executable, "-c", ALONE, *flags],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=LATE,
        )

    out = f"--out={tmp_path / 'out'}"
    image = f"--images={pictures / '0.jpg'}"
    boxes = f"--boxes={pictures / 'boxes.json'}"
    done = alone(*server.flags("rest"), image, boxes, out)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/0.jpg").is_file()
    assert len(results(tmp_path / "out")) == 1
    done = alone(*server.flags("grpc"), image, boxes, out)
    assert done.returncode == 1
    assert "pip install tensorflow-serving-api" in said(done)[0]
