"""Tests for the warm-up requests, replayed as a server would: without Python.

`replay.c` is built against the TensorFlow that is installed, and loads what the
exporter wrote through TensorFlow's C API.
"""

import io
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import integral_tf
from integral_tf import config
from integral_tf import coordinates
from integral_tf.export import publish
from integral_tf.export import saved_model
from integral_tf.export import warmup
from tests.export import cases

SOURCE = pathlib.Path(__file__).with_name("replay.c")
SIGNATURES = (
    "serving_default", "serving_uint8", "predict_image", "predict_bytes",
)  # fmt: skip


@pytest.fixture(scope="module")
def logs():
    return pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2",
        reason="tensorflow-serving-api is not installed",
    )


@pytest.fixture(scope="module")
def model():
    return cases.calm_model()


@pytest.fixture(scope="module")
def folder(model, logs, tmp_path_factory):
    path = tmp_path_factory.mktemp("pose") / "1"
    frozen = cases.frozen(model)
    saved_model.write(frozen, path)
    assert "tensorflow-serving-api" in warmup.write(frozen, path)
    return path


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    """Runs the C program on a SavedModel; returns its exit code and lines."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    library = pathlib.Path(tf.sysconfig.get_lib())
    program = tmp_path_factory.mktemp("c") / "replay"
    subprocess.run(
        [
            "gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1",
            str(SOURCE), "-o", str(program),
            "-I", tf.sysconfig.get_include(), "-L", str(library),
            "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2",
            f"-Wl,-rpath,{library}",
        ],
        check=True,
    )  # fmt: skip
    linked = subprocess.run(
        ["ldd", str(program)], capture_output=True, text=True, check=True
    )
    assert "libtensorflow_cc" in linked.stdout
    assert "libpython" not in linked.stdout

    def run(folder, requests=None):
        requests = requests or folder / warmup.FILE
        done = subprocess.run(
            [str(program), str(folder), str(requests)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done, [line.split(" ", 3) for line in done.stdout.splitlines()]

    return run


def answers(lines):
    """What the C program printed: record -> output -> array."""
    records = {}
    for record, _, output, rest in lines:
        shape, *values = rest.split()
        shape = [int(length) for length in shape.split(",")]
        array = np.reshape([float(value) for value in values], shape)
        records.setdefault(int(record), {})[output] = array
    return [records[i] for i in range(len(records))]


def read(logs, path):
    return [
        logs.PredictionLog.FromString(record).predict_log
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]


def keras(model, inputs):
    """Keras's joints and scores for one request."""
    if "images" in inputs:
        return cases.answer(model, inputs["images"].astype("float32"))
    image = inputs.get("image")
    if image is None:
        image = np.asarray(Image.open(io.BytesIO(inputs["image_bytes"].item())))
    poses = integral_tf.PoseEstimator(model, "mpii")(image, inputs["boxes"])
    return {
        "joints": np.stack([pose.joints for pose in poses]),
        "scores": np.stack([pose.scores for pose in poses]),
    }


def arrays(tensors):
    return {name: tf.make_ndarray(value) for name, value in tensors.items()}


def crop_pixel(inputs):
    """Sides of a crop's pixel in the picture's: `(N, 1)`, or 1 for crops."""
    if "images" in inputs:
        return 1.0
    regions = [coordinates.region_around(box) for box in inputs["boxes"]]
    return np.float64(regions)[:, 2:3] / 64


def require_near(got, want, inputs):
    assert got["joints"].shape == want["joints"].shape
    apart = np.linalg.norm(got["joints"] - want["joints"], axis=-1)
    assert (apart / crop_pixel(inputs)).max() < 0.01
    np.testing.assert_allclose(got["scores"], want["scores"], atol=1e-3)


def test_every_signature_is_asked_for_one_person_and_for_several(logs, folder):
    records = read(logs, folder / warmup.FILE)
    asked = [
        (log.request.model_spec.signature_name, len(joints))
        for log in records
        for joints in [arrays(log.response.outputs)["joints"]]
    ]
    assert sorted(asked) == sorted(
        (name, people) for name in SIGNATURES for people in warmup.BATCHES
    )
    # People, not noise or plain colours: their answers differ.
    joints = arrays(records[-1].response.outputs)["joints"]
    assert np.ptp(joints, axis=0).max() > 5


def test_the_same_requests_each_time(model, folder, tmp_path):
    frozen = cases.frozen(model)
    saved_model.write(frozen, tmp_path)
    warmup.write(frozen, tmp_path)
    again = (tmp_path / warmup.FILE).read_bytes()
    # The answers are floats, the requests are whole.
    assert len(again) == len((folder / warmup.FILE).read_bytes())


def test_the_c_program_gives_keras_joints(model, logs, folder, replay):
    done, lines = replay(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    got = answers(lines)
    records = read(logs, folder / warmup.FILE)
    assert len(got) == len(records) == 2 * len(SIGNATURES)
    for record, answer in zip(records, got):
        inputs = arrays(record.request.inputs)
        require_near(answer, keras(model, inputs), inputs)
        require_near(answer, arrays(record.response.outputs), inputs)


def request(logs, image_bytes, boxes):
    log = logs.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "predict_bytes"
    inputs = {"image_bytes": image_bytes, "boxes": np.float32(boxes)}
    for name, value in inputs.items():
        proto = tf.make_tensor_proto(value)
        log.predict_log.request.inputs[name].CopyFrom(proto)
    return log.SerializeToString()


def test_the_c_program_goes_on_after_what_is_refused(
    model, logs, folder, replay, tmp_path
):
    *_, sound = warmup.requests(64, 64)
    data = sound[1]["image_bytes"]
    boxes = [[10, 10, 50, 100], [-20, 30, 77.5, 40], [500, 500, 20, 20]]
    path = tmp_path / "requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(request(logs, b"no picture", boxes))
        writer.write(request(logs, data[: len(data) // 2], boxes))
        writer.write(request(logs, data, [[0, 0, -1, 5]]))
        writer.write(request(logs, data, boxes))
    done, lines = replay(folder, path)
    assert done.returncode == 1
    refused = [rest for _, _, output, rest in lines if output == "error"]
    assert len(refused) == 3
    assert "`image_bytes` is an encoded JPEG" in refused[0]
    assert "decode_image_bytes" in refused[1]
    assert "`boxes` are (N, 4)" in refused[2]
    (answer,) = [
        {output: rest for record, _, output, rest in lines if record == "3"}
    ]
    got = answers([["0", "", *pair] for pair in answer.items()])[0]
    inputs = {"image_bytes": np.array(data, object), "boxes": boxes}
    require_near(got, keras(model, inputs), inputs)


def test_a_published_version_has_them(run, logs, replay, tmp_path):
    settings = config.ExportConfig(
        workdir=str(run), out=str(tmp_path), compare_people=4, oks_threshold=0.9
    )
    (folder,) = publish.export(settings)
    card = (folder / "card.json").read_text()
    assert str(warmup.FILE) in card and "tensorflow-serving-api" in card
    done, lines = replay(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {output for _, _, output, _ in lines} == {"joints", "scores", "kept"}


def test_without_the_package_a_line_says_so(
    model, tmp_path, monkeypatch, capsys
):
    name = "tensorflow_serving.apis.prediction_log_pb2"
    monkeypatch.setitem(sys.modules, name, None)
    assert warmup.write(None, tmp_path) == {}
    (line,) = capsys.readouterr().out.splitlines()
    assert "pip install integral_tf[serving]" in line
    assert not list(tmp_path.iterdir())


def test_a_model_that_fails_on_them_is_not_published(logs, model, tmp_path):
    frozen = cases.frozen(model)

    class Broken(saved_model.PoseServer):
        def predict_bytes(self, image_bytes, boxes):
            wrong = tf.debugging.Assert(tf.size(boxes) > 999, ["never so many"])
            with tf.control_dependencies([wrong]):
                return super().predict_bytes(image_bytes, boxes)

    server = Broken(frozen)
    tf.saved_model.save(server, str(tmp_path), server.signatures())
    with pytest.raises(RuntimeError, match="predict_bytes fails on its warm"):
        warmup.write(frozen, tmp_path)
