"""Tests for `predict --track`: numbers and smooth joints of a film's people."""

import json

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.inference import estimator
from integral_tf.inference import video
from tests.inference import cases
from tests.inference import clips
from tests.inference import stream
from tests.inference import walkers


class Walkers:
    """A `PoseEstimator` of the ten grey frames of `clip`.

    Frame t is 20 t bright. Someone walks 4 pixels per frame to the right from x
    100, someone else stands at 300, with errors of 2 pixels; each box gives the
    pose of the nearer. Without boxes both are found.
    """

    skeleton, calibration, covariance = skeletons.MPII, None, 4.0

    def __init__(self, *_, **__):
        self.rng = np.random.default_rng(0)
        self.boxes = Walkers.boxes = []

    def __call__(self, image, boxes=None):
        t = round(float(np.mean(image)) / 20)
        there = [100.0 + 4 * t, 300.0]
        self.boxes.append(boxes)
        if boxes is not None:
            middles = [box[0] + box[2] / 2 for box in boxes]
            there = [min(there, key=lambda x: abs(x - m)) for m in middles]
        return [self.pose(x) for x in there]

    def pose(self, x):
        pose = walkers.pose(x)
        pose.joints = pose.joints + self.rng.normal(0, 2, (16, 2))
        if self.covariance:
            pose.covariance = np.tile(self.covariance * np.eye(2), (16, 1, 1))
        return pose


@pytest.fixture
def walking(monkeypatch):
    monkeypatch.setattr(estimator, "PoseEstimator", Walkers)
    return Walkers


def keypoints(line, number):
    (person,) = [row for row in line["people"] if row["track"] == number]
    return np.reshape(person["keypoints"], (16, 3))[:, :2]


def offset(lines):
    """`(T, 16, 2)` of person 1, who walks, minus the truth."""
    truth = [walkers.JOINTS + (100 + 4 * t, 100) for t in range(cases.FRAMES)]
    return np.array([keypoints(line, 1) for line in lines]) - truth


def test_people_of_a_film_have_numbers(walking, predict, clip, tmp_path):
    results = predict(clip, track=True)
    assert cases.lines(tmp_path / "out") == results
    for line in results:
        assert [person["track"] for person in line["people"]] == [1, 2]
        assert "measured" not in line["people"][0]
        assert abs(keypoints(line, 2)[:, 0].mean() - 300 - 1.25) < 2
    assert "track" not in predict(clip)[0]["people"][0]


def test_detections_now_and_then(walking, predict, clip, tmp_path, capsys):
    results = predict(clip, detect_every=4)
    assert [len(line["people"]) for line in results] == [2] * cases.FRAMES
    assert [boxes is None for boxes in walking.boxes] == [
        t % 4 == 0 for t in range(cases.FRAMES)
    ]
    boxes = [
        {"frame": t, "bbox": [x - 25, 40, 50, 120]}
        for t in range(cases.FRAMES)
        for x in (100 + 4 * t, 300)
    ]
    results = predict(clip, boxes, detect_every=4)
    assert [len(line["people"]) for line in results] == [2] * cases.FRAMES
    # Frames 1 to 3, 5 to 7 and 9, two boxes each.
    assert "14 boxes of a frame between detections" in capsys.readouterr().out


def test_one_euro_smooths_as_frames_come(walking, predict, clip):
    results = predict(clip, smooth="one_euro")
    measured = np.reshape(results[9]["people"][0]["measured"], (16, 2))
    assert np.abs(measured - keypoints(results[9], 1)).max() > 0.1


def test_kalman_reads_a_file_twice(walking, predict, tmp_path, capsys):
    frames = [
        np.full((48, 64, 3), 20 * t, np.uint8) for t in range(cases.FRAMES)
    ]
    clip = clips.write(tmp_path / "clip.avi", frames, rate=25)
    raw = offset(predict(clip, track=True))
    results = predict(clip, smooth="kalman", show=False)
    smooth = offset(results)
    assert np.abs(smooth).mean() < 0.7 * np.abs(raw).mean()
    assert cases.lines(tmp_path / "out") == results
    with video.Reader(tmp_path / "out" / "clip.mp4") as frames:
        drawn = list(frames)
    assert len(drawn) == cases.FRAMES
    # The second pass draws on the frames of the first.
    corners = [frame[:5, :5].mean() for frame in drawn]
    np.testing.assert_allclose(corners, 20 * np.arange(cases.FRAMES), atol=8)
    assert "smoothing: by the covariances of the maps" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "covariance, calibration, said",
    [(0.0, None, "no covariances"), (4.0, 3.0, "the calibrated covariances")],
)
def test_the_source_of_the_noise_is_said(
    walking, predict, clip, monkeypatch, capsys, covariance, calibration, said
):
    class Calibration:
        degrees = calibration

    monkeypatch.setattr(walking, "covariance", covariance)
    if calibration:
        monkeypatch.setattr(walking, "calibration", Calibration())
    predict(clip, smooth="kalman")
    assert said in capsys.readouterr().out


def test_a_broken_film_is_smoothed_as_far_as_it_goes(
    walking, predict, tmp_path, capsys
):
    film = clips.write(tmp_path / "film.avi", list(clips.greys(20)))
    clips.cut(film, 0.8)
    with pytest.raises(video.BrokenOff, match=r"\d+ whole frames in .*out$"):
        predict(film, smooth="kalman")
    count = len(cases.lines(tmp_path / "out"))
    assert 2 < count < 20
    assert f"drawing the {count} frames so far" in capsys.readouterr().out
    with video.Reader(tmp_path / "out" / "film.mp4") as frames:
        assert len(list(frames)) == count


def test_ctrl_c_in_the_first_pass_draws_the_frames_so_far(
    walking, predict, clip, tmp_path, monkeypatch, ctrl_c
):
    pose, made = walking.pose, []

    def interrupted(self, x):
        made.append(x)
        if len(made) == 9:  # of two people a frame: in the fifth frame
            ctrl_c()
        return pose(self, x)

    monkeypatch.setattr(walking, "pose", interrupted)
    with pytest.raises(KeyboardInterrupt, match="^4 whole frames in .*out$"):
        predict(clip, smooth="kalman")
    assert len(cases.lines(tmp_path / "out")) == 4


def test_poses_of_nobody_are_counted(predict, clip, tmp_path, capsys):
    # The flat model is sure of no joint.
    predict(clip, track=True)
    said = capsys.readouterr().out
    assert "0 people in 10 frames; nobody found in 10 frames" in said
    assert "10 poses too unsure, a person's second" in said


def test_poses_of_nobody_in_boxes_are_counted(predict, clip, capsys):
    results = predict(clip, cases.whole_frames(), track=True)
    assert [line["people"] for line in results] == [[]] * cases.FRAMES
    assert "left out: 10 poses too unsure" in capsys.readouterr().out
    between = [{"frame": 3, "bbox": [0, 0, 64, 48]}]
    with pytest.raises(ValueError, match="1 box of a frame between detections"):
        predict(clip, between, detect_every=2)


def test_tracks_are_of_films(predict, photos, tmp_path):
    for flags, said in (
        ({"track": True}, "--track"),
        ({"smooth": "kalman", "seconds": 2.0}, "--smooth=kalman, --seconds=2"),
        ({"detect_every": 2}, "--detect_every=2"),
        ({"lost": 0.5}, "--lost=0.5"),
    ):
        with pytest.raises(ValueError, match=f"Received: {said}, --images="):
            predict(photos, **flags)
    with pytest.raises(FileNotFoundError, match="There is no such file"):
        predict(photos / "gone.mp4", track=True)
    with stream.of(clips.greys(3)) as address:
        with pytest.raises(ValueError, match="reads a video's file twice"):
            predict(f"http://{address}", smooth="kalman")
    assert not (tmp_path / "out").exists()


def test_frames_of_the_same_time_follow_each_other(walking, predict, tmp_path):
    film = clips.write_at(
        tmp_path / "film.mkv", clips.greys(6), [0, 40, 40, 40, 80, 120]
    )
    for smooth in ("one_euro", "kalman"):
        results = predict(film, smooth=smooth)
        tracks = [
            [person["track"] for person in line["people"]] for line in results
        ]
        assert tracks == [[1, 2]] * 6
        json.dumps(results)
