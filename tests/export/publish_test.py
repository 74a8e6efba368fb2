"""Tests for exports as a whole: checked, numbered, whole or not there."""

import dataclasses
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import integral_tf
from integral_tf import config
from integral_tf import flagfiles
from integral_tf import ownership
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.export import parity
from integral_tf.export import publish
from integral_tf.inference import backends
from integral_tf.inference import predict
from integral_tf.records import photographs
from integral_tf.records import synthetic
from integral_tf.records.folder import Records
from tests import in_process
from tests.export import cases

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture
def settings(run, tmp_path):
    return config.ExportConfig(
        workdir=str(run), out=str(tmp_path / "models"), compare_people=6
    )


def versions(out):
    """What a server could load: folders with a number for a name."""
    return sorted(
        str(path.relative_to(out))
        for path in pathlib.Path(out).rglob("*")
        if path.is_dir() and path.name.isdigit()
    )


@pytest.mark.parametrize("text", [b"[" * 60_000, b"\xff", b"5", b"{"])
def test_damaged_figures_are_one_sentence(run, settings, text):
    evaluation = run / "evaluation"
    evaluation.mkdir()
    (evaluation / "metrics.json").write_bytes(text)
    try:
        with pytest.raises(ValueError, match="evaluate the run again.*Receiv"):
            publish.export(settings)
    finally:
        shutil.rmtree(evaluation)
    assert not versions(settings.out)


def test_versions_follow_each_other_and_have_a_card(run, settings, capsys):
    evaluation = run / "evaluation"
    evaluation.mkdir()
    figures = {"metric": "PCK", "unit": "a-b distances", "@0.2": 12.5}
    figures |= {"AUC": 3.0, "NME": 9.5, "FR@0.2": 40.0, "AUC@0.2": 2.5}
    more = {"curve": [0, 1], "mean_pose": {"@0.2": 1.0}}
    (evaluation / "metrics.json").write_text(json.dumps(figures | more))
    try:
        (first,) = publish.export(settings)
        (second,) = publish.export(settings)
    finally:
        shutil.rmtree(evaluation)
    assert versions(settings.out) == ["saved_model/1", "saved_model/2"]
    assert not (pathlib.Path(settings.out) / ".lock").exists()
    assert (first.name, second.name) == ("1", "2")
    assert "published" in capsys.readouterr().out
    card = json.loads((first / "card.json").read_text())
    assert (card["format"], card["precision"]) == ("saved_model", "float32")
    assert (
        card["method"] == "I*" and card["network"]["width_multiplier"] == 0.125
    )
    assert card["network"]["beta"] == 1.0  # of the layer, not the flag 0
    assert card["skeleton"] == "mpii" and len(card["joints"]) == 16
    assert card["metrics"] == figures
    assert card["input"]["shape"] == [None, 64, 64, 3]
    assert 0 <= card["parity"]["typical_px"] <= card["parity"]["largest_px"]
    assert card["parity"]["largest_px"] < 0.01
    assert card["versions"]["tensorflow"] == tf.__version__
    assert card["files"]["saved_model.pb"] > 100_000
    assert card["files"].keys() == card["sha256"].keys()
    assert "skeleton.json" in card["files"]
    assert card["skeleton_from"] == "the run"
    skeleton = json.loads((first / "skeleton.json").read_text())
    assert skeleton["categories"] == [1]


def test_what_moves_joints_is_not_published(run, settings):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    strict = dataclasses.replace(
        settings,
        formats="onnx,saved_model",
        precisions="float16,float32",
        max_pixel_error=1e-3,
    )
    with pytest.raises(
        parity.Refused, match=r"onnx float16: .*moved by up to 0\.\d+ px"
    ):
        publish.export(strict)
    # The others were: one that is refused does not keep them back.
    assert versions(strict.out) == ["onnx/1", "saved_model/1"]
    assert not (pathlib.Path(strict.out) / ".partial").exists()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"formats": "onnxx"}, "`--formats` is a list of saved_model"),
        ({"formats": ""}, "`--formats` is"),
        ({"precisions": "int4"}, "`--precisions` is a list of float32"),
        ({"out": ""}, "Name a folder"),
        ({"split": "test"}, "have the splits"),
    ],
)
def test_refuses_in_one_sentence(settings, change, message):
    with pytest.raises(ValueError, match=message):
        publish.export(dataclasses.replace(settings, **change))


def test_refuses_a_run_that_has_no_model(settings, tmp_path):
    empty = dataclasses.replace(settings, workdir=str(tmp_path))
    with pytest.raises(FileNotFoundError, match="model.keras"):
        publish.export(empty)


def test_the_command_says_the_figure_and_fails(run, tmp_path):
    done = in_process.run(
        "export", f"--workdir={run}", f"--out={tmp_path / 'out'}",
        "--people=4", "--max_pixel_error=1e-9",
    )  # fmt: skip
    assert done.returncode == 1
    assert "export: saved_model float32: not published" in done.stderr
    assert "Traceback" not in done.stderr
    assert versions(tmp_path / "out") == []


def test_a_killed_export_leaves_nothing_to_load(run, settings):
    out = pathlib.Path(settings.out)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "integral_tf", "export",
            f"--workdir={run}", f"--out={out}", "--people=6",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # As soon as the network itself is being written.
    written = out / ".partial" / "saved_model" / "saved_model.pb"
    until = time.monotonic() + 600  # a busy machine takes minutes
    while not written.exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert written.exists() and versions(out) == []
    # The same command again is whole, and tidies up.
    (folder,) = publish.export(settings)
    assert versions(out) == ["saved_model/1"] and not written.exists()
    assert backends.find(folder) == folder


def test_a_second_export_into_a_folder_is_refused_in_one_sentence(
    run, settings
):
    with ownership.of(settings.out):
        done = in_process.run(
            "export", f"--workdir={run}", f"--out={settings.out}"
        )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "export: Another process is writing this folder" in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "saved_model.pb"),
        tf.errors.ResourceExhaustedError(
            None, None, "saved_model.pb; No space left on device"
        ),
    ],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    settings, monkeypatch, error
):
    def full(*args):
        raise error

    monkeypatch.setattr(publish.saved_model, "write", full)
    with pytest.raises(parity.Refused) as caught:
        publish.export(settings)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("saved_model float32: not published: ")
    assert "The disk is full (No space left on device)" in line
    assert line.endswith(f"Received: '{settings.out}/saved_model'")
    assert not pathlib.Path(settings.out).exists()


def test_records_of_other_joints_are_refused(run, settings, tmp_path):
    other = tmp_path / "data"
    shutil.copytree(run.parent / "data", other)
    manifest = json.loads((other / "manifest.json").read_text())
    stored = skeletons.to_dict(skeletons.MPII)
    # Left and right knees have traded names; there are as many as before.
    stored["joints"] = [
        {"left_knee": "right_knee", "right_knee": "left_knee"}.get(name, name)
        for name in stored["joints"]
    ]
    manifest["skeleton"] = {**stored, "name": "mirrored"}
    (other / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ValueError, match="other joints than the run.*records of mirrored"
    ):
        publish.export(dataclasses.replace(settings, data=str(other)))
    assert not pathlib.Path(settings.out).exists()


def test_records_that_changed_since_the_training_are_refused(
    run, settings, tmp_path
):
    kept = tmp_path / "run"
    shutil.copytree(run, kept)
    flags = flagfiles.read(config.TrainConfig, kept / "flags.cfg")
    flags = dataclasses.replace(flags, workdir=str(kept))
    runs.claim_records(flags, Records.open(flags.data))
    path = kept / runs.RECORDS
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    changed = dataclasses.replace(settings, workdir=str(kept))
    with pytest.raises(ValueError, match="holds a run on other records"):
        publish.export(changed)
    assert not pathlib.Path(settings.out).exists()


@pytest.fixture(scope="module")
def artifacts(run, tmp_path_factory):
    """The run in every format whose packages are here."""
    needed = {
        "onnx": ("onnxruntime", "tf2onnx"),
        "litert": ("ai_edge_litert",),
        "openvino": ("openvino", "tf2onnx"),
    }
    formats = ["saved_model"]
    for name, packages in needed.items():
        try:
            for package in packages:
                __import__(package)
            formats.append(name)
        except ImportError:
            pass
    out = tmp_path_factory.mktemp("artifacts")
    return publish.export(
        config.ExportConfig(
            workdir=str(run),
            out=str(out),
            formats=",".join(formats),
            compare_people=4,
        )
    )


def altered(file):
    """Changes one bit in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_an_altered_artifact_is_refused_and_a_copied_one_is_not(
    artifacts, tmp_path
):
    for number, folder in enumerate(artifacts):
        copy = tmp_path / str(number)
        shutil.copytree(folder, copy)
        integral_tf.PoseEstimator(copy)
        card = json.loads((copy / "card.json").read_text())
        for name in card["sha256"]:
            whole = (copy / name).read_bytes()
            altered(copy / name)
            with pytest.raises(
                ValueError, match=f"{name} is not the file that was published"
            ):
                integral_tf.PoseEstimator(copy)
            (copy / name).write_bytes(whole)
        # As of before there were digests, and as a file that was copied alone.
        del card["sha256"]
        (copy / "card.json").write_text(json.dumps(card))
        altered(copy / "skeleton.json")
        backends.load(backends.find(copy))
        (copy / "card.json").unlink()
        (copy / "skeleton.json").unlink()
        backends.load(backends.find(copy))


def test_a_damaged_card_is_one_sentence(artifacts, tmp_path):
    copy = tmp_path / "1"
    shutil.copytree(artifacts[0], copy)
    for text in ("", "{", "[]", '{"sha256": 1}', "[" * 100_000):
        (copy / "card.json").write_text(text)
        with pytest.raises(ValueError, match="card.json is damaged; copy"):
            integral_tf.PoseEstimator(copy)


def test_every_artifact_is_a_model_to_the_estimator(run, artifacts):
    image = photographs.read(run.parent / "photographs" / "3.jpg")
    boxes = [synthetic.person(0, 3).box, [20, 10, 60, 90]]
    for flip_test in (False, True):
        keras_poses = integral_tf.PoseEstimator(run, flip_test=flip_test)(
            image, boxes
        )
        for folder in artifacts:
            estimate = integral_tf.PoseEstimator(folder, flip_test=flip_test)
            assert estimate.skeleton.name == "mpii"
            for pose, want in zip(estimate(image, boxes), keras_poses):
                np.testing.assert_allclose(pose.joints, want.joints, atol=0.02)
                np.testing.assert_allclose(pose.scores, want.scores, atol=1e-3)
            assert estimate(image, []) == []


def test_predict_takes_an_artifact(run, artifacts, tmp_path):
    results = predict.predict(
        config.PredictConfig(
            model=str(artifacts[-1]),
            images=str(run.parent / "photographs" / "3.jpg"),
            out=str(tmp_path / "out"),
        )
    )
    assert len(results) == 1 and (tmp_path / "out" / "3.jpg").is_file()


def test_a_heatmap_method_is_flip_tested_inside_or_not_at_all(tmp_path):
    onnx = pytest.importorskip("integral_tf.export.onnx")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    model = cases.model("H1")
    onnx.write(cases.frozen(model, flip_test=True), tmp_path)
    card = {"method": "H1", "flip_test": True}
    (tmp_path / "card.json").write_text(json.dumps(card))
    image = np.tile(cases.crops(1)[0].astype("uint8"), (2, 2, 1))
    with pytest.warns(UserWarning, match="taken for those of mpii"):
        estimate = integral_tf.PoseEstimator(tmp_path, flip_test=True)
    (got,) = estimate(image)
    (want,) = integral_tf.PoseEstimator(model, "mpii", True)(image)
    np.testing.assert_allclose(got.joints, want.joints, atol=0.02)
    card["flip_test"] = False
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="export it with --flip_test"):
        integral_tf.PoseEstimator(tmp_path, "mpii", flip_test=True)
    with pytest.raises(ValueError, match="A flip test swaps left and right"):
        integral_tf.PoseEstimator(tmp_path, flip_test=True)


def test_a_damaged_artifact_is_one_sentence(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_text("not a network")
    with pytest.raises(ValueError, match="model.onnx is not a pose network"):
        integral_tf.PoseEstimator(tmp_path)


def test_a_keras_model_is_no_artifact(run):
    assert backends.find(run) is None
    assert backends.find(run / "model.keras") is None
    assert backends.find(keras.Model()) is None
