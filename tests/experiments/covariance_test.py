"""Tests for the command that calibrates covariances."""

import pathlib
import sys

import cv2
import numpy as np
import pytest

import integral_tf
from integral_tf import config
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.records import shards
from integral_tf.records import synthetic
from tests.metrics import cases

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import covariance  # noqa: E402


def drawn(index):
    return synthetic.person(0, index)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("covariance") / "data"
    people = [(f"{i:08d}", i) for i in range(8)]
    shards.write(
        people,
        drawn,
        folder,
        skeletons.MPII,
        64,
        split=0.5,
        source="",
        shards=1,
    )
    return folder


def make_run(folder, method, data):
    """A run's folder as training leaves it, with random weights."""
    runs.claim(
        config.TrainConfig(method=method, data=str(data), workdir=str(folder))
    )
    model = integral_tf.pose_model(
        method, "resnet18", 16, 64, width_multiplier=0.125, head_channels=8
    )
    runs.save_skeleton(skeletons.MPII, folder)
    runs.save_model(model, folder, skeletons.MPII)
    return folder


def test_writes_a_page_and_a_plot(data, tmp_path, capsys):
    run = make_run(tmp_path / "run", "I1", data)
    covariance.run(run, "", tmp_path / "out")
    page = (tmp_path / "out" / "covariance.md").read_text()
    assert page in capsys.readouterr().out
    assert "| calibrated on the other half | " in page
    assert cv2.imread(str(tmp_path / "out" / "covariance.png")).std() > 5
    with pytest.raises(FileExistsError, match="Name a new folder"):
        covariance.run(run, "", tmp_path / "out")


def test_a_maximum_has_no_covariance(data, tmp_path):
    run = make_run(tmp_path / "run", "H1", data)
    with pytest.raises(ValueError, match="Received: h1_resnet18"):
        covariance.run(run, data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_calibrated_ellipses_hold_what_they_are_to_hold():
    errors, covariances = cases.drawn_errors(4.0, 10.0, 2.0)
    ways, fitted = covariance.judged_ways(
        errors, covariances, np.arange(len(errors))
    )
    before, _ = ways["as the map has it"]
    after, _ = ways["calibrated on the other half"]
    # 20,000 joints: a standard error of 0.0035.
    np.testing.assert_allclose(
        after.mean(axis=1), covariance.SHARES, atol=0.015
    )
    assert (before.mean(axis=1) < covariance.SHARES - 0.02).all()
    assert fitted.slope == pytest.approx(4.0, rel=0.15)
