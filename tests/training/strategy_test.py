"""Tests for what TF_CONFIG may announce."""

import json

import pytest

from integral_tf.training import strategy


@pytest.mark.parametrize(
    "cluster",
    [
        {"worker": ["a:1", "b:1"]},
        {"chief": ["a:1"], "worker": ["b:1"]},
        {"worker": ["a:1"], "ps": ["b:1"]},
        {"worker": {"0": "a:1", "1": "b:1"}},
    ],
)
def test_several_workers_are_refused(monkeypatch, cluster):
    text = json.dumps({"cluster": cluster, "task": {"type": "worker"}})
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="one machine.*Received: TF_CONFIG="):
        strategy.check_alone()


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": 5}'])
def test_what_cannot_be_read_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="Received: TF_CONFIG="):
        strategy.check_alone()


@pytest.mark.parametrize(
    "text", [None, "", " ", "{}", '{"cluster": {"worker": ["a:1"]}}']
)
def test_one_machine_is_well(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    strategy.check_alone()
