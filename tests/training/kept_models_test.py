"""Tests for `last.keras` and `best.keras`: which epoch each of them is of."""

import types

import pytest

from integral_tf import runs
from integral_tf import skeletons
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.training import kept_models
from integral_tf.training import schedule
from integral_tf.training import validation
from tests import untrained


@pytest.fixture(scope="module")
def model():
    return untrained.network("I1")


def progress(epoch, best=None):
    state = schedule.State("main", epoch)
    return types.SimpleNamespace(state=state, best=best)


def reading(pckh, auc, **more):
    figures = {"pckh@0.5": pckh, "auc": auc, **more}
    return validation.Reading(figures, 7.94, [auc])


def epochs(workdir):
    """Dict from a file to the epoch that it holds."""
    return {
        path.name: archive.read_epoch(path) for path in workdir.glob("*.keras")
    }


def test_the_best_epoch_stays_while_the_last_goes_on(model, tmp_path):
    # The third is equal in PCKh and worse in AUC; the fourth better in AUC.
    place = progress(0)
    best = []
    for epoch, (pckh, auc) in enumerate(
        [(20, 9), (30, 9), (30, 8), (30, 10), (25, 12)], start=1
    ):
        place.state = schedule.State("main", epoch)
        kept_models.keep(
            model, reading(pckh, auc), place, tmp_path, skeletons.MPII
        )
        found = epochs(tmp_path)
        assert found["last.keras"] == epoch
        best.append(found["best.keras"])
    assert best == [1, 2, 2, 4, 4]
    assert place.best == [30, 10]
    held = loading.load(tmp_path / "best.keras")
    assert held.get_layer("integral").beta == 7.94
    assert archive.read_skeleton(tmp_path / "best.keras") == skeletons.MPII
    # The trained model is as before.
    assert model.get_layer("integral").beta == 1


def test_with_cocos_truth_the_ap_decides(model, tmp_path):
    place = progress(1)
    kept_models.keep(
        model, reading(50, 20, ap=3.0), place, tmp_path, skeletons.MPII
    )
    place.state = schedule.State("main", 2)
    kept_models.keep(
        model, reading(40, 10, ap=4.0), place, tmp_path, skeletons.MPII
    )
    assert epochs(tmp_path)["best.keras"] == 2


def test_with_a_named_length_the_least_nme_decides(model, tmp_path):
    # The second epoch has the lower AP and the lower error.
    best = []
    place = progress(0)
    for epoch, (ap, nme) in enumerate([(4.0, 9.0), (3.0, 8.0), (5.0, 8.5)], 1):
        place.state = schedule.State("main", epoch)
        found = reading(50, 20, ap=ap, nme=nme)
        kept_models.keep(model, found, place, tmp_path, skeletons.MPII)
        best.append(epochs(tmp_path)["best.keras"])
    assert best == [1, 2, 2]


def test_a_resumed_run_does_not_lower_the_bar(model, tmp_path):
    place = progress(3, best=[30, 9])
    kept_models.keep(model, reading(29, 20), place, tmp_path, skeletons.MPII)
    assert epochs(tmp_path) == {"last.keras": 3}


def test_a_finished_run_has_no_last_and_a_lengthened_one_has(model, tmp_path):
    # Without a validation split there is no best.
    place = progress(2)
    kept_models.keep(model, None, place, tmp_path, skeletons.MPII)
    assert epochs(tmp_path) == {"last.keras": 2}
    path = kept_models.finish(model, None, place, tmp_path, skeletons.MPII)
    assert path == tmp_path / runs.MODEL
    assert epochs(tmp_path) == {"model.keras": 2}
    for _ in range(2):
        kept_models.reopen(tmp_path, place, None)
        assert epochs(tmp_path) == {"last.keras": 2}


def test_the_model_of_a_run_of_before_is_its_best_when_it_goes_on(
    model, tmp_path
):
    place = progress(4)
    kept_models.finish(model, None, place, tmp_path, skeletons.MPII)
    validator = types.SimpleNamespace(read=lambda: reading(30, 9))
    kept_models.reopen(tmp_path, place, validator)
    assert epochs(tmp_path) == {"last.keras": 4, "best.keras": 4}
    assert place.best == [30, 9]
