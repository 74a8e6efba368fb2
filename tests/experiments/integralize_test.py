"""Tests for the command that makes a trained heat-map model integral."""

import pathlib
import subprocess
import sys

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import runs
from integral_tf.models import loading
from tests import drawn
from tests import untrained

ROOT = pathlib.Path(__file__).parents[2]


def command(*flags):
    """Runs it as a user does; returns the finished process."""
    script = ROOT / "experiments" / "integralize.py"
    return subprocess.run(
        [sys.executable, str(script), *flags], capture_output=True, text=True
    )


def test_a_heatmap_run_becomes_an_integral_one(tmp_path):
    data, run, out = (tmp_path / name for name in ("data", "run", "out"))
    drawn.records(data, 16, 0.5)
    untrained.run(run, "H1", data)
    flags = f"--workdir={run}", f"--out={out}", "--epochs=1", "--batch_size=4"
    done = command(*flags)
    assert done.returncode == 0, done.stderr
    table = (out / "table.md").read_text()
    assert table in done.stdout
    assert [row.split(",")[0] for row in table.splitlines()[2:]] == [
        "| maximum",
        "| integral",
        "| integral",
    ]
    # A run like any other: the flags say what the model is.
    made = flagfiles.read(config.TrainConfig, out / runs.FLAGS)
    layer = loading.load(out).get_layer("integral")
    assert (made.method, made.beta) == ("I1", layer.beta)
    again = command(*flags)
    assert again.returncode == 1
    assert "A run is not overwritten" in again.stderr.splitlines()[-1]
