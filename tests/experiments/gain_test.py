"""Tests for the command that shows what an integral gains."""

import cv2
import gain
import numpy as np
import pytest

from integral_tf import units
from tests import untrained


@pytest.fixture(scope="module")
def integral(data, tmp_path_factory):
    return untrained.run(tmp_path_factory.mktemp("gain") / "i1", "I1", data)


def test_writes_a_page_and_a_plot(data, integral, tmp_path, capsys):
    maximum = untrained.run(tmp_path / "h1", "H1", data)
    gain.run(maximum, integral, "", tmp_path / "out")
    page = (tmp_path / "out" / "gain.md").read_text()
    assert page in capsys.readouterr().out
    for name in ("H1", "H1, shifted", "H1, DARK", "I1"):
        assert page.count(f"| {name} |") == 3
    assert cv2.imread(str(tmp_path / "out" / "gain.png")).std() > 5


def test_the_runs_are_of_a_maximum_and_of_an_integral(integral, tmp_path):
    with pytest.raises(ValueError, match="Received: runs of I1 and I1"):
        gain.run(integral, integral, "", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _readings(errors):
    count = len(errors)
    lengths, widths = np.full(count, 20.0), np.ones(count)
    return gain.Readings({"H1": errors}, lengths, widths, units.HEAD)


def test_noise_on_labels_of_exact_joints():
    # The distance has Rayleigh's distribution: within r of a deviation s are
    # 1 - exp(-r^2 / 2 s^2). A tenth of the length is 2.
    rows = gain.noisy(_readings(np.zeros((5000, 2))), (0, 1, 2))
    expected = 100 * np.array([1, 1 - np.exp(-2), 1 - np.exp(-1 / 2)])
    np.testing.assert_allclose(rows["H1"], expected, atol=0.5)


def test_how_near_found_joints_are():
    # The last one is not found. In a cell of 1, a disc around the truth has
    # the share of its area: pi / 16 and pi / 4.
    errors = np.array([[0.2, 0], [0, -0.4], [0.6, 0.8], [3, 0]])
    rows = gain.near(_readings(errors), (0.25, 0.5, 1.0))
    np.testing.assert_allclose(rows["H1"], [100 / 3, 200 / 3, 100])
    expected = 100 * np.array([np.pi / 16, np.pi / 4, 1])
    ideal = rows["a maximum in the right cell"]
    np.testing.assert_allclose(ideal, expected, atol=0.5)
