"""Tests for the devices, and for what TF_CONFIG may announce."""

import json

import pytest
import tensorflow as tf

from integral_tf.training import strategy


def announce(monkeypatch, cluster, **task):
    text = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", text)


@pytest.mark.parametrize(
    "cluster, task, place",
    [
        ({"worker": ["a:1", "b:1"]}, ("worker", 0), (0, 2)),
        ({"worker": ["a:1", "b:1"]}, ("worker", "1"), (1, 2)),
        ({"chief": ["a:1"], "worker": ["b:1"]}, ("chief", 0), (0, 2)),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, ("worker", 1), (2, 3)),
    ],
)
def test_a_worker_knows_its_place(monkeypatch, cluster, task, place):
    announce(monkeypatch, cluster, type=task[0], index=task[1])
    assert strategy.place() == place
    with pytest.raises(ValueError, match="Only `train`.*Received: TF_CONFIG="):
        strategy.check_alone()


@pytest.mark.parametrize(
    "cluster, task",
    [
        ({"worker": ["a:1"], "ps": ["b:1"]}, {"type": "worker", "index": 0}),
        ({"worker": {"0": "a:1", "1": "b:1"}}, {"type": "worker", "index": 0}),
        ({"chief": ["a:1", "b:1"]}, {"type": "chief", "index": 0}),
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 2}),
        ({"worker": ["a:1", "b:1"]}, {"type": "evaluator", "index": 0}),
        ({"worker": ["a:1", "b:1"]}, {}),
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 0.5}),
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 10**400}),
        (
            {"worker": ["a:1", "b:1"]},
            {"type": "worker", "index": float("inf")},
        ),
        ({"worker": ["a:1", "a:1"]}, {"type": "worker", "index": 0}),
        ({"worker": ["a:1", "b"]}, {"type": "worker", "index": 0}),
        ({"worker": ["a:1", 5]}, {"type": "worker", "index": 0}),
    ],
)
def test_other_clusters_are_refused(monkeypatch, cluster, task):
    announce(monkeypatch, cluster, **task)
    with pytest.raises(ValueError, match="Received: TF_CONFIG="):
        strategy.place()


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": 5}', "x\n" * 9999])
def test_what_cannot_be_read_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="Received: TF_CONFIG=") as caught:
        strategy.place()
    assert len(str(caught.value)) < 900 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [None, "", " ", "{}", '{"cluster": {"worker": ["a:1"]}}']
)
def test_one_machine_is_well(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    strategy.check_alone()
    assert strategy.place() == (0, 1)


def test_the_cpu_is_divided_as_asked():
    # The tests' processes have two logical devices.
    tf.config.list_logical_devices()
    assert strategy.create(0, 1).num_replicas_in_sync == 1
    assert strategy.create(2, 1).num_replicas_in_sync == 2
    with pytest.raises(ValueError, match="started already.*--devices=3"):
        strategy.create(3, 1)


def test_workers_without_a_gpu_have_one_device_each():
    with pytest.raises(ValueError, match="--devices=2, 0 GPU.s., 2 worker"):
        strategy.create(2, 2)
