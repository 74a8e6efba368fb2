"""Tests for the client of TensorFlow Serving, against `server.py` here."""

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf.export import saved_model
from integral_tf.records import photographs
from integral_tf.records import synthetic
from tests.export import cases

pytest.importorskip(
    "tensorflow_serving", reason="tensorflow-serving-api is not installed"
)
ROOT = pathlib.Path(__file__).parent.parent.parent
SERVER = pathlib.Path(__file__).with_name("server.py")
# A proxy would be asked for localhost, too.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.lower().endswith("_proxy")
}
LATE = 120  # seconds, on a machine that is busy with other things


def load(name):
    path = ROOT / "serving" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"serving_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


connections = load("connections")


class Server:
    """`server.py` in a process of its own, on ports of its own."""

    def __init__(self, folder):
        self.folder = folder
        with contextlib.ExitStack() as stack:
            free = [stack.enter_context(socket.socket()) for _ in range(2)]
            for each in free:
                each.bind(("localhost", 0))
            ports = [each.getsockname()[1] for each in free]
        self.ports = dict(zip(("grpc", "rest"), ports))
        self.process = None

    def start(self, killed_at=0):
        ports = map(str, self.ports.values())
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), self.folder, *ports, str(killed_at)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def flags(self, protocol):
        port = self.ports[protocol]
        return [f"--protocol={protocol}", f"--server=localhost:{port}"]

    def connection(self, protocol, **changes):
        kind = {"rest": connections.Rest, "grpc": connections.Grpc}[protocol]
        known = {"model": "pose", "version": 0, "timeout": 30.0}
        address = f"localhost:{self.ports[protocol]}"
        return kind(address, **{**known, **changes})


@pytest.fixture(scope="module")
def model():
    built = cases.model()
    for variable in built.weights:
        if variable.path.endswith("scores/kernel"):
            variable.assign(0.1 * variable)
    return built


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("serving") / "pose"
    saved_model.write(cases.frozen(model), path / "1")
    return path


@pytest.fixture(scope="module")
def server(folder):
    running = Server(folder).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Photographs of one to three people, and `boxes.json` of them."""
    path = tmp_path_factory.mktemp("pictures")
    rows = []
    for number in range(5):
        drawn = synthetic.person(0, number)
        name = f"{number}.png" if number == 2 else f"{number}.jpg"
        Image.fromarray(drawn.image).save(path / name)
        for shift in range(1 + number % 3):
            box = [round(float(v), 2) + 5 * shift for v in drawn.box]
            rows.append({"file_name": name, "bbox": box, "score": 0.9})
        rows.append({"file_name": name, "bbox": [0, 0, 9, 9], "score": 0.1})
    (path / "boxes.json").write_text(json.dumps(rows))
    return path


def command(*flags):
    return [sys.executable, str(ROOT / "serving" / "client.py"), *flags]


def ask(*flags):
    return subprocess.run(
        command(*flags),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=LATE,
    )


def said(done):
    """The client's own lines on stderr; TensorFlow has some of its own."""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    return [line for line in lines if line.startswith("client: ")]


def results(out):
    return json.loads((out / "joints.json").read_text())


def require_keras(model, pictures, rows):
    """Every row is what Keras says of that picture and box."""
    estimate = integral_tf.PoseEstimator(model)
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
        assert "9 people in 5 pictures" in done.stdout
        rows[protocol] = results(out)
    names = [row["file_name"] for row in rows["grpc"]]
    assert names == sorted(names) and len(names) == 9
    require_keras(model, pictures, rows["grpc"])
    for one, other in zip(rows["grpc"], rows["rest"]):
        assert one["bbox"] == other["bbox"]
        np.testing.assert_allclose(
            one["keypoints"], other["keypoints"], atol=2e-3
        )
    drawn = {path.name for path in (tmp_path / "grpc").glob("*.png")}
    assert drawn == {f"{number}.png" for number in range(5)}
    assert not list((tmp_path / "rest").glob("*.png"))
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
    width, height = Image.open(pictures / "0.jpg").size
    assert row["bbox"] == [0, 0, width, height]
    require_keras(model, pictures, [row])


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_what_is_wrong_is_one_line_and_the_rest_is_answered(
    server, model, pictures, tmp_path, protocol
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
        *server.flags(protocol), f"--images={wrong}",
        f"--boxes={wrong / 'boxes.json'}", f"--out={tmp_path / 'out'}",
        "--nodraw",
    )  # fmt: skip
    assert done.returncode == 1
    bad_box, broken, text = said(done)
    assert "1.jpg: `boxes` are (N, 4): x, y, width and height" in bad_box
    assert "Received: [[5 5 -20...]...]" in bad_box
    assert "broken.jpg: " in broken and "decode_image_bytes" in broken
    assert "text.jpg: `image_bytes` is an encoded JPEG or PNG" in text
    assert "7 people in 4 pictures" in done.stdout
    rows = results(tmp_path / "out")
    assert {row["file_name"][0] for row in rows} == set("0234")
    require_keras(model, pictures, rows[:2])


def test_killed_in_the_middle_and_back(folder, model, pictures, tmp_path):
    server = Server(folder).start(killed_at=4)
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
    nowhere = Server(folder)  # not started
    for protocol in ("grpc", "rest"):
        connection = nowhere.connection(protocol)
        with pytest.raises(connections.Stop, match=r"away for 0.3 s .*refused"):
            connections.persistently(connection.states, 0.3)
    common = [*nowhere.flags("rest"), "--retry_for=0.2", "--nodraw"]
    done = ask(*common, f"--images={pictures / '0.jpg'}", f"--out={tmp_path}")
    assert done.returncode == 1
    (line,) = said(done)
    assert "the server was away for 0.2 s (--retry_for)" in line
    done = ask(*common, "--health")
    assert done.returncode == 1 and "no server" in said(done)[0]


def test_the_health_of_a_model(server):
    for protocol in ("grpc", "rest"):
        assert server.connection(protocol).states() == {1: "AVAILABLE"}
        for wrong in ({"model": "other"}, {"version": 7}):
            connection = server.connection(protocol, **wrong)
            with pytest.raises(connections.Stop, match="Servable not found"):
                connection.states()
            with pytest.raises(connections.Stop, match="Servable not found"):
                connection.predict(b"", [[0, 0, 1, 1]])
    done = ask(*server.flags("rest"), "--health")
    assert done.returncode == 0
    assert done.stdout == "pose version 1: AVAILABLE\n"


@contextlib.contextmanager
def listening(answer=None):
    """The port of a server that says `answer`, or nothing, to whoever asks."""
    with socket.create_server(("localhost", 0)) as listener:
        connected = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connected.append(listener.accept()[0])
                    if answer is not None:
                        connected[-1].recv(65536)
                        connected[-1].sendall(answer)
                        connected[-1].close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        for each in connected:
            each.close()


def test_an_answer_that_does_not_come():
    with listening() as port:
        for kind in (connections.Rest, connections.Grpc):
            connection = kind(f"localhost:{port}", "pose", 0, 0.5)
            with pytest.raises(connections.Refused, match="no answer in 0.5 s"):
                connection.predict(b"", [[0, 0, 1, 1]])


@pytest.mark.parametrize(
    "answer, kind, message",
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", connections.Away, "HTTP 503 Busy"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", connections.Stop, "no TensorFlow S"),
        (b"", connections.Away, ""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
            connections.Away,
            "IncompleteRead",
        ),
        (
            b'HTTP/1.1 400 Bad\r\n\r\n{"error": "wrong\\n\\t [[{{node x}}]]"}',
            connections.Refused,
            r"^wrong \[x\]$",
        ),
    ],
)
def test_what_rest_may_say(answer, kind, message):
    with listening(answer) as port:
        connection = connections.Rest(f"localhost:{port}", "pose", 0, 5)
        with pytest.raises(kind, match=message):
            connection.states()


def test_asking_again_takes_longer_and_longer(monkeypatch):
    answers = [connections.Away("x")] * 7
    pauses = []
    monkeypatch.setattr(connections.time, "sleep", pauses.append)
    monkeypatch.setattr(connections.random, "uniform", lambda low, high: high)

    def call():
        if answers:
            raise answers.pop()
        return "here"

    assert connections.persistently(call, 100) == "here"
    np.testing.assert_allclose(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


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
        ([image, out, f"--boxes={wrong}"], "`--boxes` is a JSON list"),
        ([image, out, f"--boxes={none}"], "no box belongs to any"),
        ([image, out, "--boxes=nowhere"], "`--boxes` is a JSON list"),
    ):
        done = ask("--protocol=rest", *flags)
        assert done.returncode == 1
        (line,) = said(done)
        assert message in line and "Received: " in line


ALONE = """
import runpy, sys
for name in ("integral_tf", "tensorflow", "tensorflow_serving", "numpy", "PIL"):
    sys.modules[name] = None  # cannot be imported
sys.path.insert(0, sys.argv[1])
sys.argv[:2] = ["client.py"]
runpy.run_path(sys.path[0] + "/client.py", run_name="__main__")
"""


def test_rest_needs_no_package(server, pictures, tmp_path):
    def alone(*flags):
        return subprocess.run(
            [sys.executable, "-c", ALONE, str(ROOT / "serving"), *flags],
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
    assert "no pictures, integral_tf is not installed" in done.stdout
    assert len(results(tmp_path / "out")) == 1
    done = alone(*server.flags("grpc"), image, boxes, out)
    assert done.returncode == 1
    assert "pip install tensorflow-serving-api" in said(done)[0]
    done = alone(*server.flags("rest"), image, out)
    assert done.returncode == 1
    assert "Pillow is needed" in said(done)[0]
