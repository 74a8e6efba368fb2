"""Tests for the people of films: videos, cameras and streams."""

import errno
import itertools
import sys
import threading

import numpy as np
import pytest

from integral_tf.inference import answers
from integral_tf.inference import draw
from integral_tf.inference import encoding
from integral_tf.inference import film
from integral_tf.inference import live
from integral_tf.inference import video
from integral_tf.inference import window
from tests.inference import cases
from tests.inference import clips
from tests.inference import stream


def test_each_frame_is_a_line_and_a_drawn_frame(predict, clip, tmp_path):
    results = predict(clip, cases.whole_frames())
    out = tmp_path / "out"
    assert cases.files(out) == ["clip.mp4", "joints.jsonl"]
    assert cases.lines(out) == results
    assert [line["frame"] for line in results] == list(range(cases.FRAMES))
    # The box is the whole frame, and its joints are the frame's middle.
    for line in results:
        (person,) = line["people"]
        assert person["bbox"] == [0, 0, 64, 48]
        points = np.reshape(person["keypoints"], (14, 3))
        np.testing.assert_allclose(points[:, :2], [[31.5, 23.5]] * 14)
        assert person["score"] == pytest.approx(points[0, 2], abs=1e-3)
    with video.Reader(out / "clip.mp4") as frames:
        assert (frames.rate, frames.announced) == (cases.RATE, cases.FRAMES)
        drawn = list(frames)
    assert drawn[0].shape == (cases.HEIGHT, cases.WIDTH, 3)
    # As bright as they were, but for the dots in the middle.
    corners = [frame[:10, :10].mean() for frame in drawn]
    np.testing.assert_allclose(corners, 20 * np.arange(cases.FRAMES), atol=8)
    # The network is unsure of them: faint, where a flat frame has 0.
    assert all(frame[18:30, 26:38].std() > 0.8 for frame in drawn)


def test_frames_in_which_no_joint_is_sure_are_not_drawn(
    predict, clip, tmp_path, capsys
):
    results = predict(clip)
    for line in results:
        (person,) = line["people"]
        assert person["sure"] is False
        assert person["bbox"] == [0, 0, cases.WIDTH, cases.HEIGHT]
    with video.Reader(tmp_path / "out" / "clip.mp4") as frames:
        assert all(frame.std() < 3 for frame in frames)  # as it was: grey
    first, *_, count, _, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("Each picture is taken for one person; ")
    assert "--detector=FILE.onnx" in first and "--boxes=FILE" in first
    assert count == (
        "10 people in 10 frames; no sure joint in 10 frames, not drawn"
    )


def test_boxes_of_a_video_have_frame_numbers(predict, clip, tmp_path, capsys):
    box = {"frame": 2, "category_id": 1, "bbox": [10, 20, 11, 9], "score": 0.9}
    boxes = [
        box,
        {**box, "bbox": [0, 0, 5, 5]},
        {**box, "frame": 9},
        {**box, "frame": 3, "score": 0.1},  # which the detector doubts
        {**box, "frame": 4, "category_id": 18},  # a dog
        {**box, "frame": 10},  # after the end
    ]
    results = predict(clip, boxes)
    counts = [len(line["people"]) for line in results]
    assert counts == [0, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    first, second = results[2]["people"]
    # From 10 on, 11 pixels: 10 to 20, their middle 15; 20 to 28, 24.
    assert first["bbox"] == [10, 20, 11, 9]
    np.testing.assert_allclose(first["keypoints"][:2], [15, 24])
    np.testing.assert_allclose(second["keypoints"][:2], [2, 2])
    said = capsys.readouterr().out
    assert "3 people in 10 frames" in said
    assert (
        "left out: 1 box below --min_box_score=0.5, 1 box of another "
        "category than 1 (18), 1 box of a frame after its end (10)"
    ) in said


@pytest.mark.parametrize(
    "boxes, message",
    [
        ([{"image_id": 1, "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": "1", "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": True, "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": -1, "bbox": [0, 0, 5, 5]}], "before 0"),
        ([{"frame": 1, "bbox": [0, 0, 5]}], "without four numbers"),
        ([{"frame": 10, "bbox": [0, 0, 5, 5]}], "which has 10.*after its"),
        ([], "No box belongs to any frame.*first row is none"),
        ([{"frame": 1, "bbox": [0, 0, -5, 5]}], "without a positive width"),
        ({"frame": 1}, "it is a dict"),
    ],
)
def test_boxes_of_which_none_is_left_are_refused(
    predict, clip, tmp_path, boxes, message
):
    with pytest.raises(ValueError, match=message):
        predict(clip, boxes)
    assert cases.files(tmp_path) == ["boxes.json", "clip.avi"]


def check_kept(out, count):
    """Checks that the first `count` frames of `clip` were kept whole."""
    assert cases.files(out) == ["clip.mp4", "joints.jsonl"]
    assert [line["frame"] for line in cases.lines(out)] == list(range(count))
    with video.Reader(out / "clip.mp4") as frames:
        assert frames.announced == count
        means = [frame[:10, :10].mean() for frame in frames]
    np.testing.assert_allclose(means, 20 * np.arange(count), atol=8)


def test_of_a_broken_video_the_whole_frames_are_kept(
    predict, clip, tmp_path, capsys
):
    whole = clip.read_bytes()
    clip.write_bytes(whole[: 85 * len(whole) // 100])
    with pytest.raises(video.BrokenOff, match="breaks off before") as caught:
        predict(clip)
    count = len(cases.lines(tmp_path / "out"))
    assert 1 < count < cases.FRAMES
    check_kept(tmp_path / "out", count)
    assert str(caught.value).endswith(
        f"{count + 1} of 10 frames; {count} whole frames in {tmp_path / 'out'}"
    )
    assert f"{count} people in {count} frames" in capsys.readouterr().out
    assert cases.files(tmp_path) == ["clip.avi", "out"]


@pytest.fixture
def interrupted(monkeypatch, ctrl_c):
    """Presses Ctrl-C, once, while a drawing of that number is made."""

    def at(number):
        drawn, people = [], draw.people

        def instead(image, *rest, **how):
            drawn.append(image)
            if len(drawn) == number:
                ctrl_c()
            return people(image, *rest, **how)

        monkeypatch.setattr(draw, "people", instead)

    return at


def test_an_interrupt_keeps_the_whole_frames(
    predict, clip, tmp_path, interrupted, capsys
):
    interrupted(4)
    # Nobody is in those frames; that is no reason to lose them.
    with pytest.raises(KeyboardInterrupt, match="^3 whole frames in .*out$"):
        predict(clip, [{"frame": 8, "bbox": [0, 0, 5, 5]}])
    check_kept(tmp_path / "out", 3)
    assert "1 box of a frame after its end (8)" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["H264", "OpenCV"])
def test_an_interrupt_does_not_cut_a_frame_in_two(
    predict, clip, tmp_path, monkeypatch, ctrl_c, kind
):
    if kind == "OpenCV":
        monkeypatch.setitem(sys.modules, "av", None)
    else:
        pytest.importorskip("av", reason="the extra `video` is not installed")
    written = getattr(encoding, kind)
    write, done = written.write, []

    def interrupted(*frame):
        done.append(write(*frame))
        if len(done) == 4:
            ctrl_c()

    monkeypatch.setattr(written, "write", interrupted)
    with pytest.raises(KeyboardInterrupt, match="4 whole frames"):
        predict(clip)
    check_kept(tmp_path / "out", 4)


def test_without_a_whole_frame_everything_stays(
    predict, clip, photos, tmp_path, interrupted
):
    predict(photos)
    before = cases.files(tmp_path / "out")
    interrupted(1)
    with pytest.raises(KeyboardInterrupt) as caught:
        predict(clip)
    assert str(caught.value) == ""
    assert cases.files(tmp_path / "out") == before
    interrupted(2)  # photographs are all, or none
    with pytest.raises(KeyboardInterrupt):
        predict(photos)
    assert cases.files(tmp_path / "out") == before
    assert cases.files(tmp_path) == ["clip.avi", "out", "photos"]


def test_a_time_ends_a_video(predict, clip, tmp_path, capsys):
    # Four a second: the frames at 0, 0.25 and 0.5 s.
    results = predict(clip, cases.whole_frames(), seconds=0.75)
    assert [line["seconds"] for line in results] == [0, 0.25, 0.5]
    check_kept(tmp_path / "out", 3)
    shown = capsys.readouterr()
    assert "announces" not in shown.out
    assert "3/3" in shown.err  # and the time that is left


def test_a_stream_is_predicted_until_it_ends(predict, tmp_path, capsys):
    pytest.importorskip("av", reason="the extra `video` is not installed")
    with stream.of(clips.greys(12), pause=0.02) as address:
        with pytest.raises(video.BrokenOff) as caught:
            predict(f"http://me:word@{address}?key=word")
    out = tmp_path / "out"
    assert cases.files(out) == ["joints.jsonl", "stream.mp4"]
    lines = cases.lines(out)
    times = [line["seconds"] for line in lines]
    assert times[0] == 0 and times == sorted(times)
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    count = f"{answers.counted(len(lines), 'whole frame')} in {out}"
    assert str(caught.value) == (
        f"No more frames come. Received: --images=http://***@{address}?***; "
        f"{count}"
    )
    # A second in which several came together has a tick for each.
    with video.Reader(out / "stream.mp4") as frames:
        seen = [frames.seconds for _ in frames]
    np.testing.assert_allclose(seen, times, atol=2e-3)
    said = capsys.readouterr().out
    assert said.splitlines()[0] == (
        "Ctrl-C ends the film; --seconds=N would end it by itself."
    )
    assert "word" not in said
    assert "word" not in (out / "joints.jsonl").read_text()


class Camera:
    """In place of a camera: three frames, the last after half a second."""

    rate, announced, skipped, seconds = None, 0, 0, 0.0

    def __init__(self, source):
        assert source == "3"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        for self.seconds, image in zip((0.0, 0.1, 0.5), clips.greys(3)):
            yield image
            self.skipped += 4


def test_frames_that_came_meanwhile_are_counted(
    predict, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("av", reason="the extra `video` is not installed")
    monkeypatch.setattr(live, "Live", Camera)
    assert predict("3", seconds=0.5) == []
    out = tmp_path / "out"
    assert cases.files(out) == ["camera3.mp4", "joints.jsonl"]
    assert [line["seconds"] for line in cases.lines(out)] == [0, 0.1]
    assert (
        "; left out: 8 frames that came while another was answered\n"
        in capsys.readouterr().out
    )


def test_a_time_ends_a_stream(predict, tmp_path, capsys):
    with stream.of(itertools.cycle(clips.greys(30)), pause=0.02) as address:
        assert predict(f"http://{address}", seconds=0.2) == []
    lines = cases.lines(tmp_path / "out")
    assert lines and lines[-1]["seconds"] < 0.2
    assert "Ctrl-C" not in capsys.readouterr().out


def test_ctrl_c_ends_a_stream_while_no_frame_comes(
    predict, tmp_path, ctrl_c, monkeypatch
):
    pytest.importorskip("av", reason="the extra `video` is not installed")
    alarm, write = threading.Timer(0.3, ctrl_c), encoding.H264.write

    def written(*frame):
        write(*frame)
        if alarm.ident is None:
            alarm.start()

    monkeypatch.setattr(encoding.H264, "write", written)
    with stream.of(clips.greys(6), stays=True) as address:
        with pytest.raises(KeyboardInterrupt, match="whole frames? in"):
            predict(f"http://{address}")
    assert cases.files(tmp_path / "out") == ["joints.jsonl", "stream.mp4"]


def test_boxes_of_a_stream_and_cameras_that_are_not_there(predict, tmp_path):
    with pytest.raises(
        ValueError, match="Boxes are numbered.*images=rtsp://c/"
    ):
        predict("rtsp://c/live", [{"frame": 0, "bbox": [0, 0, 5, 5]}])
    with pytest.raises(OSError, match="The camera cannot be opened"):
        predict("987")
    with pytest.raises(OSError, match="The stream cannot be opened"):
        predict("http://127.0.0.1:9/live")
    with pytest.raises(FileNotFoundError, match="ftp://\\*\\*\\*@host/live"):
        predict("ftp://me:word@host/live")
    assert cases.files(tmp_path) == ["boxes.json"]


class Window:
    """In place of a window: `q` is pressed at the third picture."""

    def __init__(self, title):
        self.pictures = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def show(self, picture):
        self.pictures.append(picture)
        return len(self.pictures) < 3


def test_q_in_the_window_ends_a_film(
    predict, clip, photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(window, "Window", Window)
    assert len(predict(clip, show=True)) == 3
    check_kept(tmp_path / "out", 3)
    assert "the video announces 10 frames" in capsys.readouterr().out
    with pytest.raises(
        ValueError, match="Windows, .* for a video.* Received: --show"
    ):
        predict(photos, show=True)


def test_without_a_screen_nothing_begins(predict, clip, tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":87654")
    with pytest.raises((OSError, ImportError), match="A window needs"):
        predict(clip, show=True)
    assert cases.files(tmp_path) == ["clip.avi"]


def test_a_full_disk_leaves_nothing(
    predict, clip, photos, tmp_path, monkeypatch
):
    predict(photos)
    before = cases.files(tmp_path / "out")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(film.Frame, "line", full)
    with pytest.raises(OSError, match="No space left"):
        predict(clip)
    assert cases.files(tmp_path / "out") == before
    assert cases.files(tmp_path) == ["clip.avi", "out", "photos"]
