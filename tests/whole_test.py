"""Tests for files and folders that appear whole or not at all."""

import contextlib
import errno
import os
import pathlib
import signal
import threading

import pytest
import tensorflow as tf

from integral_tf import whole
from tests import full_disk


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_new_folder_replaces_the_old_one_whole(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    with whole.folder(out) as partial:
        (partial / "new").touch()
        assert names(out) == ["old"]
    assert names(tmp_path) == ["out"]
    assert names(out) == ["new"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_everything_as_it_was(tmp_path, error):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    with pytest.raises(error):
        with whole.folder(out) as partial:
            (partial / "new").touch()
            raise error
    assert names(tmp_path) == ["out"]
    assert names(out) == ["old"]


def test_what_a_killed_process_left_does_not_come_along(tmp_path):
    (tmp_path / "out").mkdir()
    for name in (".out.partial", ".out.replaced"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "left").touch()
    with whole.folder(tmp_path / "out"):
        pass
    assert names(tmp_path / "out") == []
    assert names(tmp_path) == ["out"]


def test_what_has_such_a_name_already_is_somebodys(tmp_path):
    theirs = ["out.lock", "out.partial", "out.replaced"]
    for name in theirs:
        (tmp_path / name).write_text("theirs")
    with whole.folder(tmp_path / "out"):
        pass
    assert names(tmp_path) == ["out", *theirs]
    assert {(tmp_path / name).read_text() for name in theirs} == {"theirs"}


@pytest.mark.parametrize("how", ["interrupted", "killed"])
def test_the_old_folder_comes_back_where_the_new_one_did_not_appear(
    tmp_path, monkeypatch, how
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    if how == "killed":
        out.rename(tmp_path / ".out.replaced")
        with pytest.raises(FileExistsError):
            with whole.folder(out, taken="Name another."):
                pass
    else:
        real = pathlib.Path.rename

        def rename(path, target):
            if path.name == ".out.partial":
                raise KeyboardInterrupt
            return real(path, target)

        monkeypatch.setattr(pathlib.Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            with whole.folder(out):
                pass
    assert names(tmp_path) == ["out"]
    assert names(out) == ["old"]


def test_a_link_to_nothing_is_taken(tmp_path):
    (tmp_path / "out").symlink_to("nothing")
    with pytest.raises(FileExistsError, match="Name another. Received: "):
        with whole.folder(tmp_path / "out", taken="Name another."):
            pass


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_folder_without_a_name_is_refused(name):
    with pytest.raises(ValueError, match="has a name. Received: "):
        with whole.folder(name):
            pass


def test_a_folder_that_is_taken_is_refused_untouched(tmp_path):
    with pytest.raises(FileExistsError, match="Name another. Received: "):
        with whole.folder(tmp_path, taken="Name another."):
            pass
    assert names(tmp_path) == []


def test_two_at_once_are_one_and_a_refusal(tmp_path):
    with whole.folder(tmp_path / "out") as partial:
        (partial / "ours").touch()
        with pytest.raises(BlockingIOError, match="Another process"):
            with whole.folder(tmp_path / "out"):
                pass
        assert names(partial) == ["ours"]
    assert names(tmp_path / "out") == ["ours"]


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_file_is_the_new_one_or_the_old_one(tmp_path, error):
    path = tmp_path / "log.csv"
    path.write_text("old")
    with contextlib.suppress(ValueError, KeyboardInterrupt):
        with whole.file(path) as partial:
            assert partial.suffix == ".csv" and partial.name.startswith(".")
            partial.write_text("new")
            assert path.read_text() == "old"
            if error:
                raise error
    assert path.read_text() == ("old" if error else "new")
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def handler():
    """Python's own answer to Ctrl-C; whoever runs the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end_of_a_step(handler):
    done = []
    with pytest.raises(KeyboardInterrupt):
        with whole.step():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_step_is_whole_when_a_process_is_told_to_end():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append("told"))
    try:
        with whole.step():
            signal.raise_signal(signal.SIGTERM)
            seen.append("all of it")
        assert seen == ["all of it", "told"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_error_of_a_step_is_raised_and_ctrl_c_works_after_it(handler):
    with pytest.raises(ValueError, match="of the step"):
        with whole.step():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("of the step")
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_step_in_another_thread_is_a_block_like_others():
    done = []

    def work():
        with whole.step():
            done.append("all of it")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["all of it"]


def test_temporary_files_of_a_killed_process_are_deleted(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with whole.file(tmp_path / "best.keras") as partial:
            raise KeyboardInterrupt
    for kept in ("best.keras", ".lock", ".mine.keras"):
        (tmp_path / kept).touch()
    # A folder may be one that another command is writing.
    (tmp_path / ".evaluation.partial").mkdir()
    before = names(tmp_path)
    partial.write_bytes(b"half")
    assert names(tmp_path) != before
    whole.clear(tmp_path)
    assert names(tmp_path) == before


@pytest.mark.parametrize("made", [whole.file, whole.folder])
def test_a_full_disk_is_one_sentence_that_names_the_file(tmp_path, made):
    out = tmp_path / "small" / "out.bin"
    with full_disk.of(tmp_path / "small", 8192):
        with pytest.raises(
            whole.DiskFull,
            match=r"^The disk is full \(.+\), and this was not written; make "
            r"space, .*Received: '\S+/small/out.bin'$",
        ):
            with made(out) as partial:
                file = partial / "in" if made is whole.folder else partial
                file.write_bytes(bytes(20_000))
        assert names(out.parent) == []


def test_the_file_inside_a_folder_is_named(tmp_path):
    with pytest.raises(whole.DiskFull, match="Received: 'inner'$"):
        with whole.folder(tmp_path / "outer"), whole.naming("inner"):
            raise OSError(errno.EDQUOT, "no more")


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def tensorflows():
    text = "a/b.tempstate7; No space left on device [Op:SaveV2]"
    raise tf.errors.ResourceExhaustedError(None, None, text)


def hidden():
    # As zipfile's, whose file cannot be closed either.
    try:
        full()
    finally:
        raise ValueError("there is an open writing handle")


def openvinos():
    raise RuntimeError("basic_ios::clear: iostream error")


@pytest.mark.parametrize("fails", [full, tensorflows, hidden, openvinos])
def test_whoever_says_that_the_disk_is_full(fails):
    with pytest.raises(whole.DiskFull, match="(No space|iostream).*'here'$"):
        with whole.naming("here"):
            fails()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "not allowed"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
        ValueError("No space left on device, said a user"),
        KeyboardInterrupt(),
    ],
)
def test_other_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as caught:
        with whole.naming("here"):
            raise error
    assert caught.value is error
