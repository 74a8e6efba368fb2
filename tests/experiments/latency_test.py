"""Tests for the milliseconds of networks."""

import pytest

from integral_tf import models
from integral_tf.experiments import latency
from integral_tf.export import onnx
from tests.export import cases


def test_networks_are_timed_in_the_runtime_of_each_format():
    times = latency.of_networks({"tiny": cases.model("I1")}, ["onnx"])
    assert list(times) == [("tiny", "onnx")]
    assert len(times["tiny", "onnx"]) == 7 and min(times["tiny", "onnx"]) > 0


def test_the_file_timed_is_that_of_a_trained_network(monkeypatch):
    """Random weights have biases of 0, which an export leaves out.

    Without them tf2onnx left 108 transposes in MobileNetV3, and 4 with them.
    """
    transposes = []

    def write(frozen, folder):
        nodes = onnx.convert(frozen).graph.node
        transposes.append(sum(node.op_type == "Transpose" for node in nodes))
        return onnx.write(frozen, folder)

    monkeypatch.setitem(latency.WRITERS, "onnx", write)
    model = models.pose_model(
        backbone="MobileNetV3Small", joints=2, image_size=64, head_channels=4
    )
    latency.of_networks({"small": model}, ["onnx"])
    assert transposes == [4]


def test_median_least_and_most_in_milliseconds():
    assert latency.spread([0.004, 0.001, 0.0025]) == "2.5 (1.0-4.0)"


def test_a_format_without_a_runtime_here_is_refused():
    with pytest.raises(ValueError, match="with commas. Received: tensorrt"):
        latency.of_networks({}, ["onnx", "tensorrt"])
