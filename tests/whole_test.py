"""Tests for folders that appear whole or not at all."""

import pytest

from integral_tf import whole


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
    for name in ("out.partial", "out.replaced"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "left").touch()
    with whole.folder(tmp_path / "out"):
        pass
    assert names(tmp_path / "out") == []
    assert "out.partial" not in names(tmp_path)


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
