"""Tests for the connections to TensorFlow Serving, and to what is none."""

import contextlib
import socket
import threading

import numpy as np
import pytest

from integral_tf.serving import connections
from tests.serving import running


def test_a_server_that_is_not_there(folder):
    nowhere = running.Server(folder)  # not started
    for protocol in ("grpc", "rest"):
        connection = nowhere.connection(protocol)
        with pytest.raises(connections.Stop, match=r"away for 0.3 s .*refused"):
            connections.persistently(connection.states, 0.3)


def test_the_health_of_a_model(server):
    for protocol in ("grpc", "rest"):
        assert server.connection(protocol).states() == {1: "AVAILABLE"}
        for wrong in ({"model": "other"}, {"version": 7}):
            connection = server.connection(protocol, **wrong)
            with pytest.raises(connections.Stop, match="Servable not found"):
                connection.states()
            with pytest.raises(connections.Stop, match="Servable not found"):
                connection.predict(b"", [[0, 0, 1, 1]])


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_what_is_refused_is_a_sentence_and_the_next_is_answered(
    server, pictures, protocol
):
    connection = server.connection(protocol)
    whole, box = (pictures / "0.jpg").read_bytes(), [10.0, 10.0, 50.0, 50.0]
    for data, boxes, message in (
        (
            whole[: len(whole) // 2],
            [box],
            r"JPEG data.* \[decode_image_bytes\]$",
        ),
        (whole[:20], [box], r"JPEG data.* \[decode_image_bytes_header\]$"),
        (b"text", [box], "^`image_bytes` is an encoded JPEG or PNG. Received"),
        (whole, [[5, 5, -20, 30]], r"^`boxes` are \(N, 4\).*Received: \[\[5 "),
    ):
        with pytest.raises(connections.Refused, match=message) as caught:
            connection.predict(data, boxes)
        assert "\n" not in str(caught.value)
    assert len(connection.predict(whole, [box, box])["joints"]) == 2


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
        (b"", connections.Away, "."),
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
        (
            b'HTTP/1.1 400 Bad\r\n\r\n{"error": ["wrong"]}',
            connections.Refused,
            "^HTTP 400 Bad$",
        ),
        (
            b"HTTP/1.1 400 Bad\r\n\r\n" + b"[" * 60_000,
            connections.Refused,
            "^HTTP 400 Bad$",
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


POINTS, SCORES = [[1.0, 2.0], [3, 4]], [0.5, 1]


def test_a_servers_answer_is_taken_person_by_person():
    poses = connections.poses
    two = {"joints": [POINTS] * 2, "scores": [SCORES] * 2}
    assert poses(two, 2) == [(0, POINTS, SCORES), (1, POINTS, SCORES)]
    kept = {"joints": [POINTS], "scores": [SCORES], "kept": [2]}
    assert poses(kept, 3) == [(2, POINTS, SCORES)]
    none = {"joints": [], "scores": [], "kept": []}
    assert poses(none, 3) == []


@pytest.mark.parametrize(
    "change",
    [
        {"joints": None},
        {"joints": []},
        {"scores": []},
        {"joints": [POINTS] * 2, "scores": [SCORES] * 2},
        {"joints": 5},
        {"joints": [[]], "scores": [[]]},
        {"joints": [POINTS[:1]]},
        {"joints": [[[1, 2, 3], [4, 5, 6]]]},
        {"joints": [[[1, float("nan")], [3, 4]]]},
        {"joints": [[[1, float("inf")], [3, 4]]]},
        {"joints": [[["1", "2"], [3, 4]]]},
        {"joints": [{"x": 1}]},
        {"scores": [[0.5, None]]},
        {"scores": [0.5]},
        {"kept": [1]},
        {"kept": [-1]},
        {"kept": [0.0]},
        {"kept": ["0"]},
        {"kept": []},
        {"kept": None},
    ],
)
def test_an_answer_that_is_none_is_one_sentence(change):
    whole = {"joints": [POINTS], "scores": [SCORES]}
    assert connections.poses(whole, 1)
    with pytest.raises(connections.Refused, match="the server") as no:
        connections.poses({**whole, **change}, 1)
    assert "\n" not in str(no.value) and "Received: " in str(no.value)


@pytest.mark.parametrize("outputs", [None, [], "joints", 5, {}])
def test_an_answer_of_another_form_is_one_sentence(outputs):
    with pytest.raises(connections.Refused, match="did not answer"):
        connections.poses(outputs, 1)
