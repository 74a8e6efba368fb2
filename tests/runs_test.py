"""Tests for taking a run's folder up again: flags, records, what was lost."""

import dataclasses
import json
import pathlib
import zipfile

import keras
import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import runs
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.records.folder import Records
from tests import full_disk

OTHER = {"shards": [], "people": 0, "dropped": {}, "joints_outside": 0}


@pytest.fixture
def settings(tmp_path):
    return config.TrainConfig(
        workdir=str(tmp_path / "run"), data="data", epochs=20
    )


@pytest.fixture
def half(settings, tmp_path):
    """A run with one checkpoint: its name, as no more is looked at."""
    runs.claim(settings)
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir()
    (folder / "ckpt-3.index").touch()
    return tmp_path / "run"


def records(seed="0", **changes):
    val = {"file": "val.tfrecord", "people": 2, "sha256": seed * 64}
    manifest = {
        "skeleton": "mpii", "window_size": 32, "aspect": 1.0, "source": "drawn",
        "splits": {"train": OTHER, "val": {**OTHER, "shards": [val]}},
        **changes,
    }  # fmt: skip
    return Records(pathlib.Path("data"), manifest)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 30},
        {"checkpoint_steps": 7},
        {"keep_checkpoints": 5},
        {"tensorboard": False},
        {"data": "moved"},
        {"skip_damaged": True},
        {"devices": 2},
    ],
)
def test_flags_that_may_change_are_written_down_and_said(
    settings, half, change, capsys
):
    changed = dataclasses.replace(settings, **change)
    runs.claim(changed)
    ((name, value),) = change.items()
    before, value = getattr(settings, name), str(value)
    if isinstance(before, bool):
        before, value = str(before).lower(), value.lower()
    said = f"changed flags: --{name}={value}, before {before}\n"
    assert capsys.readouterr().out == said
    runs.claim(changed)
    assert not capsys.readouterr().out
    flags = half / "flags.cfg"
    assert flagfiles.read(config.TrainConfig, flags) == changed


def test_a_full_disk_is_said_of_the_model_that_it_did_not_take(tmp_path):
    model = keras.Sequential([keras.Input((60,)), keras.layers.Dense(60)])
    with full_disk.of(tmp_path / "run", 8192) as folder:
        with pytest.raises(whole.DiskFull, match="run/model.keras'$"):
            runs.save_model(model, folder, skeletons.MPII)
        assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "change", [{"epochs": 19}, {"learning_rate": 1e-4}, {"method": "H1"}]
)
def test_other_flags_are_refused(settings, half, change):
    (name, value), *_ = change.items()
    with pytest.raises(ValueError, match=f"Received: --{name}={value}"):
        runs.claim(dataclasses.replace(settings, **change))


def test_after_a_loss_that_was_not_finite_the_rate_may_be_another(
    settings, half
):
    (half / "stopped.txt").touch()
    lower = dataclasses.replace(settings, learning_rate=1e-4)
    runs.claim(lower)
    (half / "stopped.txt").unlink()
    runs.claim(lower)
    with pytest.raises(ValueError, match="Received: --seed=1"):
        runs.claim(dataclasses.replace(lower, seed=1))


def test_without_its_flags_a_run_is_refused(settings, half):
    (half / "flags.cfg").unlink()
    with pytest.raises(ValueError, match="without the flags.cfg.*--workdir="):
        runs.claim(settings)
    assert not (half / "flags.cfg").exists()


@pytest.mark.parametrize("left", ["log.csv", "checkpoints/checkpoint"])
def test_without_its_checkpoints_a_run_is_refused(settings, half, left):
    (half / "checkpoints" / "ckpt-3.index").unlink()
    (half / left).touch()
    with pytest.raises(ValueError, match="has lost its checkpoints.*Received"):
        runs.claim(settings)


def test_a_run_that_was_only_claimed_is_none(settings):
    runs.claim(settings)
    runs.claim(settings)
    assert runs.finished(settings) is None


def test_a_finished_run_says_so_and_changes_nothing(settings, half, capsys):
    with zipfile.ZipFile(half / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}" * 100)
    before = {path: path.stat().st_mtime_ns for path in half.rglob("*")}
    assert runs.finished(settings) == half / "model.keras"
    printed = capsys.readouterr().out
    assert "finished; the same command with larger --epochs trains" in printed
    assert before == {p: p.stat().st_mtime_ns for p in half.rglob("*")}
    with pytest.raises(ValueError, match="Received: --epochs=19"):
        runs.finished(dataclasses.replace(settings, epochs=19))
    whole = (half / "model.keras").read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b"{}{}", b"{}[]", 1)):
        (half / "model.keras").write_bytes(damaged)
        with pytest.raises(ValueError, match="is damaged.*Received: .*keras"):
            runs.finished(settings)


def test_more_epochs_need_a_checkpoint(settings, half, capsys):
    with zipfile.ZipFile(half / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    more = dataclasses.replace(settings, epochs=30)
    assert runs.finished(more) is None
    (half / "checkpoints" / "ckpt-3.index").unlink()
    with pytest.raises(
        ValueError, match="--init_from=.*keras. Received: --epochs=30, after 20"
    ):
        runs.finished(more)
    assert runs.finished(settings)
    assert "start another run with --init_from=" in capsys.readouterr().out


@pytest.mark.parametrize(
    "before, now, refused",
    [
        # Shares of 20 epochs are 10 and 2, whether said or not.
        ({"heatmap_epochs": 10, "final_epochs": 2}, {}, ""),
        ({}, {"heatmap_epochs": 10, "final_epochs": 2}, ""),
        ({"heatmap_epochs": 10}, {"epochs": 40}, ""),
        ({}, {"epochs": 40}, ""),
        ({}, {"heatmap_epochs": 11}, "--heatmap_epochs=11"),
        ({"final_epochs": 3}, {}, "--final_epochs=-1"),
    ],
)
def test_epochs_of_phases_are_compared_as_numbers(
    tmp_path, before, now, refused
):
    first = config.TrainConfig(
        workdir=str(tmp_path / "run"), data="data", epochs=20
    )
    runs.claim(dataclasses.replace(first, **before))
    again = dataclasses.replace(first, **now)
    if refused:
        with pytest.raises(ValueError, match=f"Received: {refused}"):
            runs.check_flags(again)
    else:
        runs.claim(again)
        saved = flagfiles.read(config.TrainConfig, tmp_path / "run/flags.cfg")
        assert saved == again


def test_a_flag_file_of_the_old_defaults_is_one_of_the_new(tmp_path):
    # Before there were shares, 70 and 20 of 140 were the defaults.
    settings = config.TrainConfig(workdir=str(tmp_path / "run"), data="data")
    runs.claim(settings)
    flags = tmp_path / "run" / "flags.cfg"
    text = flags.read_text()
    old = text.replace("heatmap_epochs=-1", "heatmap_epochs=70")
    old = old.replace("final_epochs=-1", "final_epochs=20")
    assert old != text
    flags.write_text(old)
    runs.claim(settings)
    flags.write_text(text.replace("--heatmap_epochs=-1\n", ""))
    runs.claim(settings)


@pytest.mark.parametrize(
    "here, weights, taken",
    [
        (["model", "best"], "auto", "model"),
        (["model", "best"], "finished", "model"),
        (["model", "best"], "best", "best"),
        (["model", "best"], "last", "model"),
        (["best", "last"], "auto", "best"),
        (["best", "last"], "last", "last"),
        (["last"], "auto", "last"),
        ([], "auto", "model"),
        (["best", "last"], "finished", ""),
        (["last"], "best", ""),
    ],
)
def test_a_runs_models_are_named(half, here, weights, taken):
    for name in here:
        (half / f"{name}.keras").touch()
    run = runs.Run.open(half, weights)
    if taken:
        assert run.file == half / f"{taken}.keras"
    else:
        has = " and ".join(f"{name}.keras" for name in here)
        with pytest.raises(FileNotFoundError, match=f"; it has {has}. Receiv"):
            run.file  # noqa: B018


def test_a_finished_run_knows_its_records(
    settings, half, tmp_path, monkeypatch
):
    with zipfile.ZipFile(half / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    settings = dataclasses.replace(settings, data=str(tmp_path))
    (tmp_path / "manifest.json").touch()
    runs.claim_records(settings, records())
    monkeypatch.setattr(Records, "open", lambda _: records(seed="1"))
    with pytest.raises(ValueError, match="holds a run on other records"):
        runs.finished(settings)
    (tmp_path / "manifest.json").unlink()
    assert runs.finished(settings)


def test_a_run_goes_on_with_its_own_records_only(settings, half):
    runs.check_records(settings, records())
    runs.claim_records(settings, records())
    runs.check_records(settings, records(source="elsewhere"))
    for other in (
        records(seed="1"),
        records(skeleton="coco"),
        records(window_size=40),
    ):
        with pytest.raises(
            ValueError, match="other records, of the skeleton mpii.*--data=data"
        ):
            runs.check_records(settings, other)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 1}'])
def test_a_damaged_digest_is_refused(settings, half, text):
    (half / "records.json").write_text(text)
    with pytest.raises(ValueError, match="records.json is damaged.*Received"):
        runs.check_records(settings, records())


def test_a_run_of_before_is_taken_on_with_a_line(settings, half, capsys):
    runs.save_skeleton(skeletons.MPII, half)
    runs.check_records(settings, records())
    assert "does not tell its records" in capsys.readouterr().out
    runs.claim_records(settings, records())
    assert json.loads((half / "records.json").read_text())["digest"]
    (half / "records.json").unlink()
    with pytest.raises(ValueError, match="other records, of the skeleton mpii"):
        runs.check_records(settings, records(skeleton="lsp"))


def test_checkpoints_are_found_by_their_names(half):
    folder = half / "checkpoints"
    for name in (
        "ckpt-12.data-00000-of-00001", "ckpt-2.index", "ckpt-4_temp",
        "damaged-ckpt-9.index", "ckpt-x.index", "checkpoint",
    ):  # fmt: skip
        (folder / name).touch()
    assert [path.rpartition("-")[2] for path in runs.checkpoints(half)] == [
        "2", "3", "12",
    ]  # fmt: skip
