"""Tests for progress: a bar on a terminal, lines elsewhere."""

import io

from integral_tf import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def go_through(stderr, monkeypatch, seconds):
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr(progress, "SECONDS", seconds)
    with progress.bar("epoch 1/2", 4, unit="steps", initial=1) as bar:
        bar.update()
        progress.say(bar, "epoch 1/2, validating")
        progress.say(bar, "epoch 1/2, validating")
        bar.update(2)
    return stderr.getvalue()


def test_lines_where_there_is_no_terminal(monkeypatch):
    told = go_through(io.StringIO(), monkeypatch, 60)
    assert "\r" not in told
    # At the start, when what is done changes, and at the end.
    lines = [line.partition(" [")[0] for line in told.splitlines()]
    assert lines == [
        "epoch 1/2:  25% 1/4",
        "epoch 1/2, validating:  50% 2/4",
        "epoch 1/2, validating: 100% 4/4",
    ]


def test_a_bar_on_a_terminal(monkeypatch):
    told = go_through(Terminal(), monkeypatch, 60)
    assert told.count("\n") == 1 and told.endswith("\n")
    assert "\repoch 1/2, validating: 100%|" in told and "4/4" in told


def test_things_are_counted_while_they_pass(monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    assert list(progress.over([1, 2], "predict", unit="images")) == [1, 2]
    assert "predict: 100% 2/2" in stderr.getvalue()
    endless = (n for n in range(3))
    assert list(progress.over(endless, "predict", unit="frames")) == [0, 1, 2]
    assert "predict: 3 frames" in stderr.getvalue()
