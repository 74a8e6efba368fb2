"""Tests for drawn films, in H.264 and without PyAV."""

import sys

import numpy as np
import pytest

from integral_tf.inference import encoding
from integral_tf.inference import video
from tests.inference import clips


@pytest.fixture(params=["H264", "OpenCV"])
def kind(request, monkeypatch):
    """Both kinds of film; one of them as if PyAV were not installed."""
    if request.param == "OpenCV":
        monkeypatch.setitem(sys.modules, "av", None)
    else:
        pytest.importorskip("av", reason="the extra `video` is not installed")
    return request.param


def write(path, frames, rate, times=None):
    """Writes RGB frames; returns the closed writer."""
    written = encoding.writer(path, rate, *frames[0].shape[:2])
    for i, frame in enumerate(frames):
        written.write(frame, i / rate if times is None else times[i])
    written.close()
    return written


@pytest.mark.parametrize("count, rate", [(12, 29.97), (1, 8), (3, 0.4)])
@pytest.mark.parametrize("height, width", [(48, 64), (47, 65)])
def test_writes_every_frame_at_its_rate(
    tmp_path, kind, height, width, count, rate
):
    frames = clips.greys(count, height, width)
    written = write(tmp_path / "drawn.mov", frames, rate)
    odd = height % 2
    ending = ".avi" if odd and kind == "OpenCV" else ".mp4"
    assert written.path == tmp_path / f"drawn{ending}"
    with video.Reader(written.path) as read:
        assert read.rate == pytest.approx(rate, abs=1e-3)
        assert read.announced == count
        seen = list(read)
    longer = odd if kind == "H264" else 0  # H.264 has even sides
    assert {frame.shape for frame in seen} == {
        (height + longer, width + longer, 3)
    }
    np.testing.assert_allclose(
        [frame.mean(axis=(0, 1)) for frame in seen],
        frames[:, 0, 0],
        atol=12,
    )
    if kind == "H264":  # the longer side repeats its last pixel
        edge = np.array([frame[-1, -1] for frame in seen], int)
        np.testing.assert_allclose(edge, frames[:, 0, 0], atol=12)


def test_h264_keeps_the_times_of_the_frames(tmp_path):
    av = pytest.importorskip("av")
    # From 2.5 s on; the fourth goes back, and gets the next tick.
    times = [2.5, 2.53, 2.6, 2.59, 3.5, 3.51]
    written = write(tmp_path / "a", clips.greys(6), 10, times)
    assert written.notes() == []
    with video.Reader(written.path) as read:
        seen = [read.seconds for _ in read]
    np.testing.assert_allclose(seen, [0, 0.03, 0.1, 0.1, 1, 1.01], atol=1e-4)
    with av.open(str(written.path)) as file:
        (stream,) = file.streams
        assert (stream.name, stream.pix_fmt) == ("h264", "yuv420p")
        # The last is shown for a tenth of a second.
        assert float(stream.duration * stream.time_base) == pytest.approx(1.11)
    # As a browser wants it: the index stands before the pictures.
    data = written.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_without_pyav_a_line_says_what_was_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    steady = write(tmp_path / "steady", clips.greys(6), 10)
    (codec,) = steady.notes()
    assert codec == (
        "codec: MPEG-4 Part 2, which browsers do not play; `pip install "
        "integral_tf[video]` (PyAV) gives H.264"
    )
    # The fourth is 0.7 s late.
    varied = write(tmp_path / "a", clips.greys(4), 10, [0, 0.1, 0.2, 1.0])
    assert varied.notes()[1].startswith(
        "the drawn video has one rate, the mean"
    )


def test_without_pyav_an_unknown_rate_is_the_mean_of_the_times(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "av", None)
    # Four steps in 0.5 s.
    times = [0.0, 0.1, 0.3, 0.4, 0.5]
    written = write(tmp_path / "live", clips.greys(5), None, times)
    assert written.path.suffix == ".avi"
    assert "8 frames a second" in written.notes()[1]
    with video.Reader(written.path) as read:
        assert (read.rate, len(list(read))) == (8, 5)


def test_an_encoder_that_pyav_lacks_is_as_no_pyav(tmp_path, monkeypatch):
    av = pytest.importorskip("av")

    def lacking(name, mode):
        raise av.codec.codec.UnknownCodecError(name)

    monkeypatch.setattr(av.codec, "Codec", lacking)
    written = encoding.writer(tmp_path / "a", 8, 48, 64)
    assert written.codec == "MPEG-4 Part 2"


def test_a_film_that_cannot_be_written_is_refused(tmp_path, kind):
    with pytest.raises(OSError, match=r"(cannot|not be) writ.*drawn\.mp4"):
        write(tmp_path / "missing" / "drawn.mp4", clips.greys(1), 8)


def test_a_film_that_was_not_written_whole_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    writer = encoding.writer(tmp_path / "drawn.mp4", 8, 48, 64)
    writer.write(clips.greys(1)[0], 0.0)
    # OpenCV leaves it out, silently.
    writer.write(clips.greys(1, height=20)[0], 0.125)
    with pytest.raises(OSError, match="1 of 2 frames"):
        writer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_one_sentence(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "drawn.mp4").symlink_to("/dev/full")
    with pytest.raises(OSError, match="could not be written: No space left"):
        write(tmp_path / "drawn.mp4", clips.greys(9), 8)
