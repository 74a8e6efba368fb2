"""Tests for the benchmark of inference, at a tiny size."""

import pathlib
import subprocess
import sys

import pytest

import integral_tf

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
SIDES = (
    "PyTorch, eager",
    "PyTorch, eager, channels last",
    "Keras, tf.function",
    "SavedModel",
    "ONNX Runtime",
    "OpenVINO",
    "LiteRT",
    "LiteRT, int8",
)


def test_each_side_has_a_row_or_a_reason():
    # Without torch.compile, which takes a minute.
    done = subprocess.run(
        [
            sys.executable,
            str(BENCHMARKS / "inference.py"),
            "--backbone=resnet18",
            "--width_multiplier=0.125",
            "--image_size=64",
            "--batches=1,2",
            "--repeats=1",
            "--threads=1",
            "--only=eager,Keras,SavedModel,ONNX,OpenVINO,LiteRT",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = {}
    for line in lines:
        if line.startswith("| "):
            name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[name] = cells
    left_out = [line for line in lines if line.startswith("left out: ")]
    for side in SIDES:
        said = [s for s in left_out if s.startswith(f"left out: {side}: ")]
        assert (side in rows) != bool(said), side
    assert {"floor", "Keras, tf.function", "SavedModel"} <= set(rows)
    for name, cells in rows.items():
        assert len(cells) == 2 * 3 + 1, name
    assert rows["floor"][2] == "1.00 (1.00-1.00)"
    assert "GFLOP/s" in done.stdout


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_the_pytorch_network_has_the_same_joints(backbone, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import numpy as np
    import torch_pose

    width = 0.125 if backbone == "resnet18" else 1.0
    model = integral_tf.pose_model(
        "I1", backbone, 16, (64, 96), width_multiplier=width, head_channels=8
    )
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if "moving" in variable.name or variable.name in ("gamma", "beta"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    crops = rng.uniform(0, 255, (2, 64, 96, 3)).astype("float32")
    score = model.get_layer("heatmap_head").score
    score.kernel.assign(score.kernel * (3 / np.std(model(crops)["heatmaps"])))
    outputs = model(crops)
    assert np.std(outputs["joints"], axis=1).min() > 1  # they are spread
    with torch.inference_mode():
        joints = torch_pose.PoseModel(model)(
            torch.from_numpy(crops).permute(0, 3, 1, 2)
        )
    np.testing.assert_allclose(joints, outputs["joints"], atol=1e-2)
