"""Tests for checkpoints as models."""

import pathlib
import re
import shutil

import keras
import numpy as np
import pytest

from integral_tf import layers
from integral_tf.training import snapshots
from integral_tf.training import trainer
from tests import drawn
from tests import in_process
from tests import untrained

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two epochs, both checkpointed."""
    folder = tmp_path_factory.mktemp("run")
    data = drawn.records(folder / "data", 16, 0.3)
    trainer.train(
        untrained.settings(
            "I*", batch_size=4, epochs=2, final_epochs=0,
            tensorboard=False, data=str(data), workdir=str(folder / "run"),
        )
    )  # fmt: skip
    return folder / "run"


def test_each_is_an_epoch_and_the_last_is_the_model(run):
    weights, outputs = {}, {}
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3))
    for name, model in snapshots.models(run, "each"):
        weights[name] = model.get_weights()
        outputs[name] = model(images)
    assert list(weights) == ["epoch_1", "epoch_2"]
    model = keras.saving.load_model(run / "model.keras")
    for ours, theirs in zip(weights["epoch_2"], model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    # Beta and scores are calibrated as those of the finished model were.
    for name in ("joints", "scores"):
        np.testing.assert_allclose(
            outputs["epoch_2"][name], model(images)[name], atol=1e-4
        )
    assert any(
        (a != b).any() for a, b in zip(weights["epoch_1"], weights["epoch_2"])
    )


def test_the_average_is_the_mean_of_each_weight(run):
    # Scores are calibrated for each anew: their numbers are no mean.
    first, second = (
        [
            keras.ops.convert_to_numpy(weight)
            for weight in layers.network_weights(model)
        ]
        for _, model in snapshots.models(run, "each")
    )
    ((name, model),) = snapshots.models(run, "average")
    assert name == "average_of_2"
    means = layers.network_weights(model)
    for mean, a, b in zip(means, first, second, strict=True):
        np.testing.assert_allclose(mean, (a + b) / 2, atol=1e-6)


def test_records_that_are_not_the_runs_own_are_refused(run, tmp_path):
    kept = shutil.copytree(run, tmp_path / "run")
    path = kept / "records.json"
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    with pytest.raises(ValueError, match="holds a run on other records"):
        next(snapshots.models(kept, "each"))
    # The same of the finished model; records that are named are taken.
    flagfile = (kept / "flags.cfg").read_text()
    (data,) = re.findall(r"--data=(.*)", flagfile)
    for more in ([], [f"--data={data}"]):
        done = in_process.run("evaluate", f"--workdir={kept}", *more)
        assert bool(done.returncode) == (not more), done.stderr
        assert more or "evaluate: " in done.stderr.splitlines()[-1]


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: --workdir="):
        next(snapshots.models(pathlib.Path(tmp_path), "each"))
