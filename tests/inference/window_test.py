"""Tests for the window; on a screen of Xvfb, if it is there."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import ImageGrab

from integral_tf.inference import window


@pytest.fixture(scope="module")
def display():
    """Name of a screen of 640 x 480 without a person.

    The screen ends with the last process that uses it: Xlib ends a process
    whose screen has gone.
    """
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb; Debian's package `xvfb` has it")
    tk = pytest.importorskip("tkinter")
    ours, theirs = os.pipe()
    subprocess.run(
        f"Xvfb -displayfd {theirs} -screen 0 640x480x24 -terminate "
        "2>/dev/null &",
        shell=True,
        pass_fds=[theirs],
        check=True,
    )
    os.close(theirs)
    with os.fdopen(ours) as told:
        name = f":{told.readline().strip()}"
    stays = tk.Tk(screenName=name)
    stays.withdraw()
    yield name
    stays.destroy()


@pytest.fixture
def screen(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    return display


def halves(height=48, width=64):
    """A picture whose left half is red and whose right half is blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = 255, 0, 0
    picture[:, width // 2 :] = 0, 0, 255
    return picture


def seen(screen):
    """How many pixels of the screen are red, and how many are blue."""
    pixels = np.asarray(ImageGrab.grab(xdisplay=screen).convert("RGB"))
    return [
        int((pixels == colour).all(axis=-1).sum())
        for colour in ([255, 0, 0], [0, 0, 255])
    ]


def test_a_window_shows_a_picture_in_its_colours_and_size(screen):
    with window.Window("test") as shown:
        assert seen(screen) == [0, 0]  # it appears with the first picture
        assert shown.show(halves())
        assert shown.show(halves())
        assert seen(screen) == [32 * 48, 32 * 48]
    assert seen(screen) == [0, 0]


def test_a_picture_larger_than_the_screen_is_scaled_down(screen):
    with window.Window("test") as shown:
        shown.show(halves(960, 1920))
        shown.show(halves(960, 1920))
        # 576 x 288: nine tenths of the screen's width. The border is a mix.
        assert seen(screen)[0] == pytest.approx(288 * 288, rel=0.02)


@pytest.mark.parametrize("key", ["q", "Q", "Escape", "x", "close"])
def test_q_and_escape_and_the_button_end_the_showing(screen, key):
    with window.Window("test") as shown:
        shown.show(halves())
        if key == "close":
            shown._root.tk.call(
                *shown._root.protocol("WM_DELETE_WINDOW").split()
            )
        else:
            shown._root.focus_force()
            shown._root.update()
            shown._root.event_generate(f"<KeyPress-{key}>")
        assert shown.show(halves()) is (key == "x")


def test_without_a_screen_the_window_is_one_sentence(monkeypatch):
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":87654")
    with pytest.raises(OSError, match="A window needs a screen; leave out"):
        window.Window("test")


def test_a_python_without_tk_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(ImportError, match="A window needs tkinter, which"):
        window.Window("test")
