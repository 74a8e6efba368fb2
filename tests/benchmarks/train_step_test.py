"""Tests for the benchmark of the training step, at a tiny size."""

import importlib.util
import pathlib
import subprocess
import sys

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"


def test_each_side_takes_the_same_step_and_has_a_row():
    # The benchmark itself requires that the first losses are the same.
    # Without torch.compile, which takes a minute.
    done = subprocess.run(
        [
            sys.executable,
            str(BENCHMARKS / "train_step.py"),
            "--networks=resnet18:64:2",
            "--width_multiplier=0.125",
            "--threads=1",
            "--sides=ours,PyTorch eager",
            "--repeats=2",
            "--seconds=0.1",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in done.stdout.splitlines():
        if line.startswith("| "):
            name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[name] = cells
    has_torch = importlib.util.find_spec("torch") is not None
    assert ("PyTorch eager" in rows) == has_torch
    left_out = "left out: PyTorch eager did not take a step" in done.stdout
    assert left_out != has_torch
    assert rows["ours"][1] == rows["ours"][3] == "1.00 (1.00-1.00)"
    assert all(len(cells) == 6 for cells in rows.values())
