"""Tests for videos in, drawn videos out."""

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


def cut(path, share):
    """The first part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    return path


def test_a_video_that_ends_early_is_refused(tmp_path):
    path = cut(write(tmp_path / "cut.avi", greys(24)), 0.75)
    with video.Reader(path) as frames:
        assert frames.announced == 24
        with pytest.raises(ValueError, match="breaks off") as caught:
            count = sum(1 for frame in frames)
            assert 0 < count < 20
    assert "of 24 frames" in str(caught.value)


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
