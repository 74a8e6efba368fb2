"""Tests for a run's CSV files, whole and damaged."""

import pytest

from integral_tf import whole
from integral_tf.training import logs
from tests import full_disk


def row(epoch, **more):
    return {"epoch": epoch, "phase": "main", "val_loss": epoch / 8, **more}


@pytest.fixture
def run(tmp_path):
    for epoch in (1, 2, 3):
        logs.append_log(tmp_path, row(epoch))
    return tmp_path


def epochs(run):
    return [int(r["epoch"]) for r in logs.read_rows(run / "log.csv")]


def test_each_epoch_once_also_when_it_comes_again(run):
    before = (run / "log.csv").read_bytes()
    logs.append_log(run, row(3))
    assert (run / "log.csv").read_bytes() == before
    logs.append_log(run, row(2))
    assert epochs(run) == [1, 2]


def test_another_phase_brings_other_columns(run):
    logs.append_log(run, row(4, val_joint=0.5))
    rows = logs.read_rows(run / "log.csv")
    assert [r["val_joint"] for r in rows] == ["", "", "", "0.5"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b.replace(b",", b";"),
        lambda b: b[:-9],
        lambda b: b + b"2.0,main",
        lambda b: b[:5] + b"\xff\xfe" + b[7:],
        lambda b: b"",
        lambda b: b.replace(b"epoch", b"Epoch"),
        lambda b: b + b"4,main,0.5,7\r\n",
        lambda b: b'"' + b,
        lambda b: b"\0" + b,
    ],
)
def test_a_damaged_log_is_moved_aside_and_begun_anew(run, damage, capsys):
    path = run / "log.csv"
    spoilt = damage(path.read_bytes())
    path.write_bytes(spoilt)
    logs.append_log(run, row(4))
    assert epochs(run) == [4]
    assert (run / "log.csv.damaged-1").read_bytes() == spoilt
    assert (
        "log.csv is damaged: it is now log.csv.dam" in capsys.readouterr().out
    )
    # A second one has a name of its own.
    path.write_bytes(spoilt)
    logs.append_log(run, row(5))
    assert (run / "log.csv.damaged-2").exists()
    assert epochs(run) == [5]


def test_a_full_disk_keeps_the_rows_before(tmp_path):
    with full_disk.of(tmp_path / "small", 8192) as run:
        logs.append_log(run, row(1))
        with pytest.raises(whole.DiskFull, match="small/log.csv'$"):
            logs.append_log(run, row(2, note="x" * 20_000))
        assert epochs(run) == [1]
