"""Tests for drawn films, and for what is measured on them."""

import dataclasses
import re

import drawn_film
import film as filming
import numpy as np
import pytest
from PIL import Image

from integral_tf import skeletons
from integral_tf.inference import estimator
from integral_tf.inference import pose as poses_of

SEED, NOISE = 0, 3.0


@pytest.fixture(scope="module")
def film():
    return drawn_film.draw(SEED, duration=0.2)


def test_bones_keep_their_lengths_and_joints_do_not_jump():
    actor = drawn_film.Actor(SEED, 0, 4.0, 1.0)
    times = np.arange(0, 4, 0.04)
    poses = [actor.posed(time) for time in times]
    for start, end in (
        ("pelvis", "thorax"),
        ("left_hip", "left_knee"),
        ("right_elbow", "right_wrist"),
    ):
        bones = [pose.points[end] - pose.points[start] for pose in poses]
        lengths = np.linalg.norm(bones, axis=-1)
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)
    joints = np.array([actor.placed(time)[0] for time in times])
    assert joints.shape == (100, 16, 2)
    # No acceleration beyond 150 body heights per square second: smooth.
    change = np.diff(joints, 2, axis=0) / 0.04**2 / actor.height
    assert 1 < np.abs(change).max() < 150
    # Across the picture, from its left to its right.
    assert joints[0, 6, 0] < 120 and joints[-1, 6, 0] > 300


def test_a_film_is_its_seeds(film):
    again = drawn_film.draw(SEED, duration=0.2)
    assert len(film.images) == 5
    assert np.array_equal(film.images[4], again.images[4])
    np.testing.assert_allclose(film.seconds, [0, 0.04, 0.08, 0.12, 0.16])
    assert film.images[0].shape == (240, 480, 3)
    assert film.joints.shape == (5, 3, 16, 2)


def test_bodies_are_drawn_at_their_joints(film):
    # A body's pixels change with it; the background does not, but for noise.
    first, last = (np.int16(film.images[t]).sum(axis=-1) for t in (0, 4))
    changed = np.abs(first - last) > 120
    rows, columns = np.nonzero(changed)
    moving = film.joints[[0, 4]].reshape(-1, 2)
    far = np.linalg.norm(
        np.stack([columns, rows], axis=-1)[:, None] - moving, axis=-1
    ).min(axis=1)
    assert changed.sum() > 50 and np.quantile(far, 0.95) < 25


def test_nobody_hides_the_nearest_and_the_middle_ones_are_hidden():
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :, :2] = True  # the furthest
    masks[1, :2] = True
    masks[2, 0] = True
    # Of 8 pixels 4 are left, of 8 again 4, of 4 all.
    assert drawn_film._seen(list(masks)) == [0.5, 0.5, 1]


def test_a_detector_does_not_find_the_hidden(film):
    film = dataclasses.replace(film, seen=np.tile([1, 0.2, 0.5], (5, 1)))
    boxes = drawn_film.detected(film, 0, jitter=0, missed=0)
    for t in range(5):
        np.testing.assert_allclose(boxes[t], film.boxes[t, [0, 2]])
        low = film.joints[t, 0].min(axis=0)
        assert (boxes[t][0, :2] < low).all()
    assert sum(map(len, drawn_film.detected(film, 0, missed=1.0))) == 0


def test_jitter_is_the_acceleration_of_the_error(film):
    # Errors of 5 t^2 pixels in x accelerate by 10 pixels per square second.
    error = np.zeros((5, 3, 16, 2))
    error[..., 0] = 5 * film.seconds[:, None, None] ** 2
    got = filming.jitter(error, film)
    np.testing.assert_allclose(got[0, :, 0], 10 / film.heights)


@pytest.mark.parametrize("swapped, kept", [(False, 1), (True, 0)])
def test_numbers_that_are_swapped_are_not_kept(swapped, kept):
    seconds = np.arange(100) / 25
    joints = np.zeros((100, 2, 16, 2))
    joints[:, 0, :, 0] = 100 * seconds[:, None]  # they meet at 2 s
    joints[:, 1, :, 0] = 400 - 100 * seconds[:, None]
    film = drawn_film.Film([], seconds, joints, None, None, None)
    after = {2: 0, 1: 1} if swapped else {1: 0, 2: 1}
    owners = [{1: 0, 2: 1}] * 45 + [{}] * 10 + [after] * 45
    seen = filming.Seen(film, [], [], owners, (0, 0))
    assert filming.crossings(seen) == (1, kept)


class Truth:
    """A `PoseEstimator` that knows the films, and errs by 3 pixels."""

    films: list = []

    def __init__(self, *_):
        self.rng = np.random.default_rng(0)

    def __call__(self, image, boxes):
        for film in self.films:
            for t, known in enumerate(film.images):
                if known is image:
                    return [self.pose(film, t, box) for box in boxes]

    def pose(self, film, t, box):
        middles = film.boxes[t, :, :2] + film.boxes[t, :, 2:] / 2
        far = np.linalg.norm(middles - (box[:2] + box[2:] / 2), axis=-1)
        noise = self.rng.normal(0, NOISE, (16, 2))
        return poses_of.Pose(
            film.joints[t, far.argmin()] + noise,
            np.full(16, 0.9),
            box,
            skeletons.MPII,
            covariance=np.tile(NOISE**2 * np.eye(2), (16, 1, 1)),
        )


def test_the_page_has_errors_that_are_known(tmp_path, monkeypatch, capsys):
    draw, Truth.films = drawn_film.draw, []

    def remembered(*seed, **how):
        Truth.films.append(draw(*seed, **how))
        return Truth.films[-1]

    monkeypatch.setattr(drawn_film, "draw", remembered)
    monkeypatch.setattr(filming, "CALIBRATION", range(1000, 1001))
    monkeypatch.setattr(estimator, "PoseEstimator", Truth)
    out = tmp_path / "out"
    filming.call(filming.FilmConfig(out=str(out), films=1, duration=1.2))
    page = (out / "film.md").read_text()
    assert page in capsys.readouterr().out
    rows = {
        row.split("|")[1].strip(): [
            float(cell) for cell in re.findall(r"[\d.]+", row.split("|", 2)[2])
        ]
        for row in page.splitlines()
        if row.startswith("|")
    }
    measured = rows["as measured"]
    # The mean length of an error of 3 pixels in x and in y.
    assert measured[0] == pytest.approx(NOISE * np.sqrt(np.pi / 2), rel=0.05)
    smooth = rows["Kalman/RTS, calibrated covariances"]
    assert smooth[0] < 0.9 * measured[0] and smooth[3] < 0.3 * measured[3]
    assert rows["One Euro"][3] < 0.7 * measured[3]
    with Image.open(out / "frames.jpg") as picture:
        assert picture.size == (4 * 480, 2 * 240)
