"""Tests for cameras and streams; the stream is a real server's."""

import pathlib
import time

import numpy as np
import pytest

from integral_tf.inference import live
from integral_tf.inference import video
from tests.inference import clips
from tests.inference import stream


@pytest.mark.parametrize(
    "images, is_it",
    [
        ("0", True),
        ("12", True),
        ("1234567890123", False),
        ("-1", False),
        ("", False),
        ("photo.jpg", False),
        ("rtsp://user:word@camera/live", True),
        ("udp://@239.0.0.1:1234", True),
        ("http://camera/live?name=a.mp4", True),
        ("https://host/clip.MP4?key=1", False),  # a file, though elsewhere
        ("rtsp://host/clip.mp4", True),  # which comes at its own pace
        ("ftp://host/live", False),
    ],
)
def test_what_is_live(images, is_it):
    assert live.is_live(images) is is_it


def test_a_folder_whose_name_is_a_number_is_no_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("0").mkdir()
    assert not live.is_live("0")


def test_frames_of_a_stream_have_the_times_at_which_they_came():
    with stream.of(clips.greys(30), pause=0.02) as address:
        before = time.monotonic()
        seen, reds = [], []
        with live.Live(f"http://{address}") as frames:
            with pytest.raises(video.BrokenOff, match="No more frames come"):
                for frame in frames:
                    assert frame.shape == (48, 64, 3)
                    seen.append(frames.seconds)
                    reds.append(frame[..., 0].mean())
        took = time.monotonic() - before
    assert (frames.rate, frames.announced) == (None, 0)
    # Red, and in order: it grows by 8. None is lost without being counted.
    numbers = np.round(np.array(reds) / 8).astype(int)
    assert (np.diff(numbers) > 0).all() and numbers[-1] == 29
    assert numbers[-1] - numbers[0] + 1 == len(seen) + frames.skipped
    assert seen[0] == 0 and (np.diff(seen) >= 0).all()
    # The server takes 0.02 s or more for each; the first few came together,
    # while the format was looked for.
    apart = 29 - max(numbers[0], 5)
    assert 0.9 * 0.02 * apart < seen[-1] < took


def test_only_the_newest_frame_waits():
    with stream.of(clips.greys(30), pause=0.03) as address:
        with live.Live(f"http://{address}") as frames:
            each = iter(frames)
            first = next(each)[..., 0].mean()
            frames._reader.join(30)  # an answer that takes long
            second = next(each)[..., 0].mean()
    # The last one's red is 232; those after the first came meanwhile.
    assert second == pytest.approx(232, abs=4)
    assert frames.skipped == 29 - round(first / 8) - 1


def test_a_stream_that_stands_still_has_ended(monkeypatch):
    with stream.of(clips.greys(6), stays=True) as address:
        with live.Live(f"http://{address}") as frames:
            each = iter(frames)
            next(each)
            monkeypatch.setattr(video, "PATIENCE", 0.3)
            with pytest.raises(video.BrokenOff, match="No more frames"):
                for _ in each:
                    pass


def test_frames_of_another_size_end_a_stream():
    frames = live.Live.__new__(live.Live)
    came = iter([(0.0, np.zeros((2, 4, 3))), (0.1, np.zeros((4, 2, 3)))])
    frames._source, frames._newest = "0", None
    frames._state = live.threading.Condition()
    frames._next = lambda: next(came)
    each = iter(frames)
    assert next(each).shape == (2, 4, 3)
    with pytest.raises(video.BrokenOff, match="change their size"):
        next(each)


def test_a_camera_that_is_not_there_is_one_sentence(capfd):
    with pytest.raises(OSError, match="none of that.*in /dev: .*images=999"):
        live.Live("999")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("protocol", ["http", "rtsp", "tcp"])
def test_a_stream_that_does_not_answer_is_one_sentence(protocol, capfd):
    # Port 9 of this machine: nobody listens.
    address = f"{protocol}://user:pass@word@127.0.0.1:9/live?pwd=secret"
    with pytest.raises(OSError, match="stream cannot be opened") as caught:
        live.Live(address)
    assert str(caught.value).endswith(
        f"--images={protocol}://***@127.0.0.1:9/live?***"
    )
    assert capfd.readouterr().err == ""


def test_a_video_elsewhere_that_is_not_there_is_one_sentence(capfd):
    with pytest.raises(ValueError, match="from its address") as caught:
        video.Reader("http://user:word@127.0.0.1:9/clip.mp4")
    assert str(caught.value).endswith(
        "Received: http://***@127.0.0.1:9/clip.mp4"
    )
    assert capfd.readouterr().err == ""
