"""Tests for videos in, drawn videos out."""

import struct

import cv2
import numpy as np
import pytest

from integral_tf.inference import video


def write(path, frames, rate=8, codec="MJPG"):
    """Writes RGB frames by OpenCV alone."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), rate, (width, height)
    )
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def greys(count, height=48, width=64):
    """Frames whose red grows by 8 each, green 0, blue 128."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = 8 * np.arange(count)[:, None, None]
    frames[..., 2] = 128
    return frames


@pytest.mark.parametrize(
    "name, codec", [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "mp4v")]
)
def test_reads_every_frame_as_rgb(tmp_path, name, codec):
    path = write(tmp_path / name, greys(24), rate=8, codec=codec)
    with video.Reader(path) as frames:
        assert (frames.rate, frames.announced) == (8, 24)
        means = np.array([frame.mean(axis=(0, 1)) for frame in frames])
    assert means.shape == (24, 3)
    assert np.abs(means[:, 0] - 8 * np.arange(24)).max() < 12
    assert np.abs(means[:, 1:] - [0, 128]).max() < 12


@pytest.mark.parametrize(
    "height, width, ending", [(48, 64, ".mp4"), (47, 65, ".avi")]
)
@pytest.mark.parametrize("count, rate", [(12, 29.97), (1, 8), (3, 0.4)])
def test_writes_the_same_size_rate_and_count(
    tmp_path, height, width, ending, count, rate
):
    writer = video.Writer(tmp_path / "drawn.mov", rate, height, width)
    for frame in greys(count, height, width):
        writer.write(frame)
    writer.close()
    assert writer.path == tmp_path / f"drawn{ending}"
    with video.Reader(writer.path) as frames:
        assert frames.rate == pytest.approx(rate, abs=1e-3)
        assert frames.announced == count
        shapes = [frame.shape for frame in frames]
    assert shapes == [(height, width, 3)] * count


def element(name, data):
    """An element of Matroska: its number in hexadecimal, its length, itself."""
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data


def write_at(path, frames, milliseconds, seconds=0.0, stated=0.0):
    """Writes a Matroska file by hand, each frame at a time of its own.

    Args:
        path: Path of the file.
        frames: RGB frames.
        milliseconds: When each is to be seen.
        seconds: Length that the file says it has; 0 says nothing.
        stated: Frames per second that it says; 0 says nothing, as browsers do.
    """
    height, width = frames[0].shape[:2]
    info = element("2AD7B1", struct.pack(">I", 1_000_000))  # ticks of 1 ms
    if seconds:
        info += element("4489", struct.pack(">d", 1000 * seconds))
    size = element("B0", struct.pack(">H", width))
    size += element("BA", struct.pack(">H", height))
    track = element("D7", b"\1") + element("73C5", b"\1") + element("83", b"\1")
    track += element("86", b"V_MJPEG") + element("E0", size)
    if stated:
        track += element("23E383", struct.pack(">I", round(1e9 / stated)))
    cluster = element("E7", b"\0")
    for frame, at in zip(frames, milliseconds):
        _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]))
        block = b"\x81" + struct.pack(">h", at) + b"\x80" + jpeg.tobytes()
        cluster += element("A3", block)
    whole = element("1549A966", info) + element(
        "1654AE6B", element("AE", track)
    )
    head = element("1A45DFA3", element("4282", b"matroska"))
    path.write_bytes(
        head + element("18538067", whole + element("1F43B675", cluster))
    )
    return path


@pytest.mark.parametrize("seconds", [0.0, 2.06])
@pytest.mark.parametrize("stated", [0.0, 1000.0, 25.0])
def test_the_rate_comes_from_the_times_of_the_frames(tmp_path, seconds, stated):
    # As a browser records: about 29 a second, 60 of them, the last at 2.027.
    times = np.linspace(0, 2027, 60)
    times[1:-1] += np.random.default_rng(0).uniform(-9, 9, 58)
    times = times.round().astype(int)
    path = write_at(tmp_path / "a.mkv", greys(60) // 2, times, seconds, stated)
    with video.Reader(path) as frames:
        assert frames.rate == pytest.approx(59 / 2.027)
        assert frames.announced == pytest.approx(60 * bool(seconds), abs=1)
        seen = [frames.seconds for _ in frames]
    np.testing.assert_allclose(seen, times / 1000, atol=1e-6)
    # Drawn at that rate it lasts as long, to a thousandth.
    writer = video.Writer(tmp_path / "drawn", frames.rate, 48, 64)
    for frame in greys(60):
        writer.write(frame)
    writer.close()
    with video.Reader(writer.path) as drawn:
        assert len(list(drawn)) / drawn.rate == pytest.approx(2.061, abs=2e-3)


@pytest.mark.parametrize("stated", [8.0, 29.97, 59.94])
def test_the_rate_is_the_files_where_the_times_bear_it_out(tmp_path, stated):
    times = np.round(1000 * np.arange(24) / stated).astype(int)
    path = write_at(tmp_path / "a.mkv", greys(24), times, 24 / stated, stated)
    with video.Reader(path) as frames:
        assert frames.rate == pytest.approx(stated, rel=1e-6)
        assert (frames.announced, len(list(frames))) == (24, 24)


def test_one_frame_has_the_rate_that_the_file_says(tmp_path):
    path = write_at(tmp_path / "a.mkv", greys(1), [0], stated=8.0)
    with video.Reader(path) as frames:
        assert (frames.rate, len(list(frames))) == (8, 1)


def cut(path, share):
    """The first part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    return path


def test_of_a_video_that_ends_early_the_whole_frames_are_read(tmp_path):
    path = cut(write(tmp_path / "cut.avi", greys(24)), 0.75)
    reds = []
    with video.Reader(path) as frames:
        assert frames.announced == 24
        with pytest.raises(video.BrokenOff, match="of 24 frames"):
            for frame in frames:
                reds.append(frame[..., 0].mean())
    assert 0 < len(reds) < 20
    # Also the last: the frame in which the file is cut is not among them.
    np.testing.assert_allclose(reds, 8 * np.arange(len(reds)), atol=12)


def test_a_video_breaks_off_where_its_size_changes(tmp_path):
    path = write_at(tmp_path / "a.mkv", greys(3), [0, 100, 200], stated=10.0)
    seen = []
    with video.Reader(path) as frames:
        # OpenCV 5 scales later frames to the first one's size; others do not.
        taller = (frame for frame in [*greys(3), *greys(2, height=96)])
        frames._decoded = lambda: ((frame, 0.1) for frame in taller)
        with pytest.raises(video.BrokenOff, match="frame 3 of 64 x 96 after"):
            for frame in frames:
                seen.append(frame.shape)
    assert seen == [(48, 64, 3)] * 3


@pytest.mark.parametrize("kind", ["text", "empty", "no index", "no frame"])
def test_what_is_no_video_is_refused(tmp_path, kind, capfd):
    path = tmp_path / "clip01.mp4"
    path.write_bytes(b"" if kind == "empty" else b"not a video")
    if kind == "no index":  # MPEG-4 has its index at its end
        cut(write(path, greys(24), codec="mp4v"), 0.5)
    if kind == "no frame":
        cut(write(tmp_path / "clip01.avi", greys(1)), 0.92)
        path = tmp_path / "clip01.avi"
    with pytest.raises(ValueError, match="cannot decode the video"):
        with video.Reader(path) as frames:
            list(frames)
    assert capfd.readouterr().err == ""


def test_a_video_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(OSError, match="cannot write the video"):
        video.Writer(tmp_path / "missing" / "drawn.mp4", 8, 48, 64)


def test_a_video_that_was_not_written_whole_is_refused(tmp_path):
    writer = video.Writer(tmp_path / "drawn.mp4", 8, 48, 64)
    writer.write(greys(1)[0])
    writer.write(greys(1, height=20)[0])  # which OpenCV leaves out, silently
    with pytest.raises(OSError, match="1 of 2 frames"):
        writer.close()
