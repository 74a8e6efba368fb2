"""Tests for many requests at once: the short form of `benchmarks/load.py`."""

import pathlib
import threading

import numpy as np
import pytest

import integral_tf
from integral_tf.export import saved_model
from tests.export import cases
from tests.serving import running

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
REQUESTS, THREADS = 120, 4


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import load

    return load


@pytest.fixture
def asked(load, tmp_path):
    """Eight requests, and broken ones, without the largest photographs."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    good = load.good_requests(folder, 8, ((64, 64), (97, 33), (320, 240)))
    return good, load.broken_requests(folder, good[0])


def check(load, ask, asked, memory=lambda: 0.0):
    row = load.run(
        ask, *asked, requests=REQUESTS, threads=THREADS, memory=memory
    )
    assert row["wrong"] == 0, row["examples"]
    # Every tenth is broken.
    assert (row["right"], row["refused"]) == (108, 12)
    assert row["kinds"] == 12
    return row


def test_an_estimator_asked_at_once(load, asked):
    estimate = integral_tf.PoseEstimator(cases.calm_model(), "mpii")

    def ask(path, boxes):
        return [pose.joints for pose in estimate(path, boxes)]

    row = check(load, ask, asked, load.own_memory)
    assert len(row["memory"]) == 20 and min(row["memory"]) > 100


def test_a_server_asked_at_once(load, asked, tmp_path):
    pytest.importorskip(
        "tensorflow_serving", reason="tensorflow-serving-api is not installed"
    )
    frozen = cases.frozen(cases.calm_model())
    saved_model.write(frozen, tmp_path / "pose" / "1")
    server = running.Server(tmp_path / "pose").start()
    try:
        for protocol in ("rest", "grpc"):
            check(load, load.served(server, protocol), asked)
    finally:
        server.stop()


def test_an_answer_of_another_thread_is_found(load, asked):
    # The last picture's size, once all threads have put theirs.
    meet, last = threading.Barrier(THREADS, timeout=30), {}

    def ask(path, boxes):
        if path.suffix == ".bad" or not np.isfinite(boxes).all():
            raise ValueError(path.name)
        last["size"] = path.stat().st_size
        if threading.current_thread() is not threading.main_thread():
            meet.wait()
        return np.full((1, 1, 2), last["size"])

    good, broken = asked
    row = load.run(
        ask,
        good,
        {"text": broken["text"]},
        requests=8,
        threads=THREADS,
        memory=lambda: 0.0,
    )
    assert row["wrong"] >= 4 and len(row["examples"]) >= 4
    assert row["right"] + row["refused"] + row["wrong"] == 8


def test_errors_are_compared_by_their_text(load):
    joints = np.zeros((1, 2, 2))
    boxes = [[0, 0, 100, 50]]
    assert load.same(joints + 0.09, joints, boxes)
    assert not load.same(joints + 0.11, joints, boxes)
    assert not load.same(joints + np.nan, joints, boxes)
    assert not load.same(joints[:, :1], joints, boxes)
    assert load.same("ValueError: a", "ValueError: a", boxes)
    assert not load.same("ValueError: b", "ValueError: a", boxes)
    assert not load.same(joints, "ValueError: a", boxes)
    assert not load.same("ValueError: a", joints, boxes)
