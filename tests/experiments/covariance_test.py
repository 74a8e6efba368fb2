"""Tests for the command that calibrates covariances."""

import pathlib
import sys

import cv2
import numpy as np
import pytest

from tests import drawn
from tests import untrained
from tests.metrics import cases

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import covariance  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("covariance") / "data"
    return drawn.records(folder, 8, 0.5)


def test_writes_a_page_and_a_plot(data, tmp_path, capsys):
    run = untrained.run(tmp_path / "run", "I1", data)
    covariance.run(run, "", tmp_path / "out")
    page = (tmp_path / "out" / "covariance.md").read_text()
    assert page in capsys.readouterr().out
    assert "| calibrated on the other half | " in page
    assert cv2.imread(str(tmp_path / "out" / "covariance.png")).std() > 5
    with pytest.raises(FileExistsError, match="Name a new folder"):
        covariance.run(run, "", tmp_path / "out")


def test_a_maximum_has_no_covariance(data, tmp_path):
    run = untrained.run(tmp_path / "run", "H1", data)
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
