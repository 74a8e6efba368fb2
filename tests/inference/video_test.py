"""Tests for videos, frame by frame."""

import numpy as np
import pytest

from integral_tf.inference import encoding
from integral_tf.inference import video
from tests.inference import clips
from tests.inference import stream


@pytest.mark.parametrize(
    "name, codec", [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "mp4v")]
)
def test_reads_every_frame_as_rgb(tmp_path, name, codec):
    path = clips.write(tmp_path / name, clips.greys(24), rate=8, codec=codec)
    with video.Reader(path) as frames:
        assert (frames.rate, frames.announced) == (8, 24)
        means = np.array([frame.mean(axis=(0, 1)) for frame in frames])
    assert means.shape == (24, 3)
    assert np.abs(means[:, 0] - 8 * np.arange(24)).max() < 12
    assert np.abs(means[:, 1:] - [0, 128]).max() < 12


@pytest.mark.parametrize("seconds", [0.0, 2.06])
@pytest.mark.parametrize("stated", [0.0, 1000.0, 25.0])
def test_the_rate_comes_from_the_times_of_the_frames(tmp_path, seconds, stated):
    # As a browser records: about 29 a second, 60 of them, the last at 2.027.
    times = np.linspace(0, 2027, 60)
    times[1:-1] += np.random.default_rng(0).uniform(-9, 9, 58)
    times = times.round().astype(int)
    path = clips.write_at(
        tmp_path / "a.mkv", clips.greys(60) // 2, times, seconds, stated
    )
    with video.Reader(path) as frames:
        assert frames.rate == pytest.approx(59 / 2.027)
        assert frames.announced == pytest.approx(60 * bool(seconds), abs=1)
        seen = [frames.seconds for _ in frames]
    np.testing.assert_allclose(seen, times / 1000, atol=1e-6)
    # Drawn at that rate it lasts as long, to a thousandth.
    writer = encoding.OpenCV(tmp_path / "drawn", frames.rate, 48, 64)
    for frame, at in zip(clips.greys(60), seen):
        writer.write(frame, at)
    writer.close()
    with video.Reader(writer.path) as drawn:
        assert len(list(drawn)) / drawn.rate == pytest.approx(2.061, abs=2e-3)


@pytest.mark.parametrize("stated", [8.0, 29.97, 59.94])
def test_the_rate_is_the_files_where_the_times_bear_it_out(tmp_path, stated):
    times = np.round(1000 * np.arange(24) / stated).astype(int)
    path = clips.write_at(
        tmp_path / "a.mkv", clips.greys(24), times, 24 / stated, stated
    )
    with video.Reader(path) as frames:
        assert frames.rate == pytest.approx(stated, rel=1e-6)
        assert (frames.announced, len(list(frames))) == (24, 24)


@pytest.mark.parametrize("name, codec", [("a.avi", "MJPG"), ("a.mp4", "mp4v")])
def test_a_video_elsewhere_is_read_to_its_end(tmp_path, name, codec):
    clips.write(tmp_path / name, clips.greys(12), codec=codec)
    with stream.folder(tmp_path) as host:
        with video.Reader(f"http://{host}/{name}?key=word") as frames:
            assert (frames.rate, frames.announced) == (8, 12)
            reds = [frame[..., 0].mean() for frame in frames]
    np.testing.assert_allclose(reds, 8 * np.arange(12), atol=12)
    assert frames.path.endswith(f"/{name}?***")


def test_one_frame_has_the_rate_that_the_file_says(tmp_path):
    path = clips.write_at(tmp_path / "a.mkv", clips.greys(1), [0], stated=8.0)
    with video.Reader(path) as frames:
        assert (frames.rate, len(list(frames))) == (8, 1)


def test_of_a_video_that_ends_early_the_whole_frames_are_read(tmp_path):
    path = clips.cut(clips.write(tmp_path / "cut.avi", clips.greys(24)), 0.75)
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
    path = clips.write_at(
        tmp_path / "a.mkv", clips.greys(3), [0, 100, 200], stated=10.0
    )
    seen = []
    with video.Reader(path) as frames:
        # OpenCV 5 scales later frames to the first one's size; others do not.
        taller = (
            frame for frame in [*clips.greys(3), *clips.greys(2, height=96)]
        )
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
        clips.cut(clips.write(path, clips.greys(24), codec="mp4v"), 0.5)
    if kind == "no frame":
        clips.cut(clips.write(tmp_path / "clip01.avi", clips.greys(1)), 0.92)
        path = tmp_path / "clip01.avi"
    with pytest.raises(ValueError, match="cannot decode the video"):
        with video.Reader(path) as frames:
            list(frames)
    assert capfd.readouterr().err == ""
