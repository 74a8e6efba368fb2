"""Tests for the milliseconds of networks."""

import pytest

from integral_tf.experiments import latency
from tests.export import cases


def test_networks_are_timed_in_the_runtime_of_each_format():
    times = latency.of_networks({"tiny": cases.model("I1")}, ["onnx"])
    assert list(times) == [("tiny", "onnx")]
    assert len(times["tiny", "onnx"]) == 7 and min(times["tiny", "onnx"]) > 0


def test_median_least_and_most_in_milliseconds():
    assert latency.spread([0.004, 0.001, 0.0025]) == "2.5 (1.0-4.0)"


def test_a_format_without_a_runtime_here_is_refused():
    with pytest.raises(ValueError, match="with commas. Received: tensorrt"):
        latency.of_networks({}, ["onnx", "tensorrt"])
