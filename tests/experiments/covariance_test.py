"""Tests for the command that calibrates covariances."""

import covariance
import cv2
import numpy as np
import pytest

from integral_tf.models import reading
from integral_tf.records.folder import Records
from tests import untrained
from tests.metrics import cases


def test_writes_a_page_and_a_plot(data, tmp_path, capsys):
    run = untrained.run(tmp_path / "run", "I1", data)
    covariance.run(run, "", tmp_path / "out")
    page = (tmp_path / "out" / "covariance.md").read_text()
    assert page in capsys.readouterr().out
    assert "| calibrated on the other half | " in page
    assert cv2.imread(str(tmp_path / "out" / "covariance.png")).std() > 5
    with pytest.raises(FileExistsError, match="Name a new folder"):
        covariance.run(run, "", tmp_path / "out")


def test_the_maps_are_read_with_the_runs_beta(data):
    # A calibrated beta is in the weights, not in the layer's configuration.
    records, model = Records.open(data), untrained.network("I1")
    spreads = []
    for beta in (1.0, 3000.0):
        reading.set_beta(model, beta)
        _, covariances, _ = covariance.observe(model, records)
        spreads.append(np.trace(covariances, axis1=-2, axis2=-1).mean())
    assert spreads[1] < 0.9 * spreads[0]


def test_a_maximum_has_no_covariance(data, tmp_path):
    run = untrained.run(tmp_path / "run", "H1", data)
    with pytest.raises(ValueError, match="Received: h1_backbone"):
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
