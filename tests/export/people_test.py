"""Tests for exports of a run whose records are not there: on drawn people."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf.export import people
from integral_tf.export import publish
from integral_tf.records import synthetic


@pytest.fixture
def moved(run, tmp_path):
    """Settings of an export of a run that was copied without its records."""
    kept = shutil.copytree(run, tmp_path / "run")
    flags = flagfiles.read(config.TrainConfig, kept / "flags.cfg")
    flags = dataclasses.replace(flags, data="elsewhere/data")
    flagfiles.write(flags, kept / "flags.cfg")
    return config.ExportConfig(
        workdir=str(kept), out=str(tmp_path / "models"), compare_people=3
    )


def test_a_run_without_its_records_is_checked_on_drawn_people(moved, capsys):
    (folder,) = publish.export(moved)
    printed = capsys.readouterr().out
    assert "records are not there (elsewhere/data): artifacts" in printed
    card = json.loads((folder / "card.json").read_text())
    assert card["parity"]["split"] == "drawn people"
    assert card["parity"]["people"] == 3
    assert card["parity"]["largest_px"] < 0.01
    assert 0 <= card["parity"]["picture_px"] < 0.01
    assert (card["model"], card["epoch"]) == ("model.keras", None)


def test_records_that_are_named_and_missing_are_an_error(moved):
    named = dataclasses.replace(moved, data="elsewhere/data")
    with pytest.raises(FileNotFoundError, match="data='elsewhere/data'"):
        publish.export(named)


def test_drawn_people_are_those_of_the_seed_and_int8_has_others():
    drawn = people.Drawn()
    first = drawn.crops(2, (64, 48))
    assert first.shape == (2, 64, 48, 3) and first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 255
    np.testing.assert_array_equal(first[:1], drawn.crops(1, (64, 48)))
    others = drawn.calibration_crops(2, (64, 48))
    assert (first != others).mean() > 0.5
    ((picture, box),) = drawn.pictures(1)
    person = synthetic.person(0, 0)
    np.testing.assert_array_equal(picture, person.image)
    np.testing.assert_allclose(box, person.box, rtol=1e-6)
