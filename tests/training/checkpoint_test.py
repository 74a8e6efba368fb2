"""Tests for checkpoints: the newest whole one, and never a spoilt one.

The network is a convolution: what is tested is which files are taken.
"""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import layers
from integral_tf import runs
from integral_tf import whole
from integral_tf.training import checkpoint
from integral_tf.training import schedule
from tests import full_disk


def fresh(workdir, keep=2):
    """Checkpoints of a new network of one number, and a function to set it."""
    images = keras.Input((2, 2, 1))
    model = keras.Model(
        images, layers.IntegralRegression()(keras.layers.Conv2D(1, 1)(images))
    )
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    progress = checkpoint.Progress(schedule.State("main"))
    found = checkpoint.Checkpoints(workdir, keep, model, optimizer, progress)
    return found, model.trainable_variables[0]


@pytest.fixture
def run(tmp_path):
    """A run of four proven checkpoints, of which the last two stay: 3 and 4."""
    saves, weight = fresh(tmp_path)
    for number in (1, 2, 3, 4):
        weight.assign(np.full(weight.shape, number))
        saves.progress.step = number
        saves.save()
        saves.prove()
    return tmp_path


def taken(workdir):
    """Which checkpoint a new process takes: the number that it holds."""
    saves, weight = fresh(workdir)
    saves.restore()
    assert saves.progress.step == weight.numpy().ravel()[0]
    return saves.progress.step


def listed(workdir):
    folder = workdir / "checkpoints"
    state = tf.train.get_checkpoint_state(str(folder))
    return [
        path.rpartition("/")[2] for path in state.all_model_checkpoint_paths
    ]


def test_the_last_ones_stay_and_the_newest_is_taken(run):
    assert taken(run) == 4
    assert [path[-6:] for path in runs.checkpoints(run)] == ["ckpt-3", "ckpt-4"]
    assert listed(run) == ["ckpt-3", "ckpt-4"]
    assert runs.checkpoints(run / "elsewhere") == []


def test_the_next_one_goes_on_counting(run):
    saves, weight = fresh(run)
    saves.restore()
    saves.prove()
    weight.assign(weight + 1)
    saves.progress.step = 5
    saves.save()
    saves.prove()
    assert taken(run) == 5
    assert listed(run) == ["ckpt-4", "ckpt-5"]


@pytest.mark.parametrize("how", ["lost", "emptied", "altered", "of another"])
def test_tensorflows_own_list_is_not_needed(run, how):
    path = run / "checkpoints" / "checkpoint"
    text = path.read_text()
    path.unlink()
    if how != "lost":
        other = {"emptied": "", "altered": text.replace(":", "\x1a")}
        path.write_text(other.get(how, text.replace("ckpt-4", "ckpt-9")))
    assert taken(run) == 4
    assert listed(run) == ["ckpt-3", "ckpt-4"]


def damage(run, how, number=4):
    index = run / "checkpoints" / f"ckpt-{number}.index"
    data = index.with_suffix(".data-00000-of-00001")
    path = index if "index" in how else data
    content = path.read_bytes()
    path.unlink()
    if "cut" in how:
        path.write_bytes(content[: len(content) // 2])
    elif "empty" in how:
        path.write_bytes(b"")
    elif "flipped" in how:
        at = len(content) // 3
        path.write_bytes(
            content[:at] + bytes([content[at] ^ 64]) + content[at + 1 :]
        )


HOW = [
    f"{how} {file}"
    for how in ("lost", "cut", "empty", "flipped")
    for file in ("index", "data")
]


@pytest.mark.parametrize("how", HOW)
def test_the_one_before_a_damaged_one_is_taken_and_that_is_said(
    run, how, capsys
):
    damage(run, how)
    assert taken(run) == 3
    assert "ckpt-4 is damaged; the checkpoint before" in capsys.readouterr().out
    # The damaged files are out of the way, and not deleted.
    left = [path.name for path in (run / "checkpoints").glob("damaged-*")]
    assert bool(left) and runs.checkpoints(run)[-1].endswith("ckpt-3")
    assert taken(run) == 3


def test_where_none_is_whole_nothing_is_begun_anew(run):
    damage(run, "cut data", 3)
    damage(run, "lost index", 4)
    before = sorted((run / "checkpoints").iterdir())
    with pytest.raises(ValueError, match="No checkpoint .* is whole.*ckpt-4"):
        taken(run)
    assert sorted((run / "checkpoints").iterdir()) == before


def test_what_a_killed_save_left_is_removed(run):
    (run / "checkpoints" / "ckpt-5_temp").mkdir()
    (run / "checkpoints" / "ckpt-5_temp" / "part-0").write_bytes(b"half")
    fresh(run)  # also where no checkpoint was ever whole
    assert not (run / "checkpoints" / "ckpt-5_temp").exists()
    assert taken(run) == 4


def test_a_full_disk_keeps_the_checkpoints_before(tmp_path):
    with full_disk.of(tmp_path / "small", 65_536) as workdir:
        saves, weight = fresh(workdir)
        saves.progress.step = 1
        weight.assign(weight * 0 + 1)
        saves.save()
        saves.prove()
        left = sorted((workdir / "checkpoints").iterdir())
        saves.progress.sums = {"filler" * 50_000: 1.0}
        with pytest.raises(whole.DiskFull, match="checkpoints/ckpt-2'$"):
            saves.save()
        assert sorted((workdir / "checkpoints").iterdir()) == left
        # With space again.
        saves.progress.sums = {}
        saves.save()
        assert taken(workdir) == 1


def test_other_versions_are_said(run, monkeypatch, capsys):
    assert taken(run) == 4
    assert not capsys.readouterr().out
    monkeypatch.setattr(tf, "__version__", "9.9")
    assert taken(run) == 4
    said = (
        r"the last checkpoint is of TensorFlow 2\.\S+, now 9\.9: the run goes"
    )
    assert re.match(said, capsys.readouterr().out)


def test_a_checkpoint_of_before_has_no_versions():
    progress = checkpoint.Progress(schedule.State("main"))
    assert progress.changed() == ""


@pytest.mark.parametrize("keep", [1, 2])
def test_a_spoilt_one_never_costs_the_one_before(tmp_path, keep):
    saves, weight = fresh(tmp_path, keep)
    for number in (1, 2):
        weight.assign(np.full(weight.shape, number))
        saves.progress.step = number
        saves.save()
        saves.prove()
    weight.assign(np.full(weight.shape, 1e30))
    saves.save()
    assert len(saves.kept) == keep + 1
    assert saves.reject().endswith("ckpt-2")
    assert taken(tmp_path) == 2


def test_one_that_a_killed_process_did_not_prove_is_rejected_too(run):
    saves, weight = fresh(run)
    saves.restore()  # 4; its next loss is not finite
    assert saves.reject().endswith("ckpt-3")
    # The last one of all stays.
    saves, _ = fresh(run)
    saves.restore()
    assert saves.reject().endswith("ckpt-3")


def test_where_the_first_is_spoilt_none_is_left(tmp_path):
    saves, _ = fresh(tmp_path)
    saves.save()
    assert saves.reject() is None
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_another_networks_checkpoint_is_refused(run):
    saves, _ = fresh(run)
    wider = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Conv2D(3, 1)]
    )
    optimizer = keras.optimizers.Adam()
    optimizer.build(wider.trainable_variables)
    other = checkpoint.Checkpoints(run, 2, wider, optimizer, saves.progress)
    with pytest.raises(ValueError, match="of another network.*ckpt-4"):
        other.restore()


def test_progress_comes_back_whole(tmp_path):
    saves, _ = fresh(tmp_path)
    saves.progress.beta = 2.51
    saves.progress.best = [41.2, 13.25]
    saves.progress.row = {"epoch": 3, "phase": "main", "loss": 0.1}
    saves.progress.sums = {"loss": 1 / 3}
    saves.progress.state = schedule.State("final", 3, 0.25, 1)
    saves.progress.step = 7
    saves.save()
    again, _ = fresh(tmp_path)
    again.restore()
    for name in ("beta", "best", "row", "sums", "state", "step"):
        assert getattr(again.progress, name) == getattr(saves.progress, name)


def test_read_gives_weights_or_one_sentence(run):
    path = runs.checkpoints(run)[-1]
    (kernel, bias), progress = checkpoint.read(path, 2)
    assert progress["step"] == kernel.ravel()[0] == 4
    damage(run, "empty data")
    with pytest.raises(ValueError, match=f"is damaged. Received: {path}"):
        checkpoint.read(path, 2)
