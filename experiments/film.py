r"""Tracks and smooths drawn people in films whose truth is exact.

    python experiments/film.py --out=runs/film
    python experiments/film.py --out=runs/film --model=runs/mpii/model.keras

The model has MPII's joints and gives covariances. People are found by their
true boxes, with a detector's errors: each side is off by 3 %, one box of twenty
is missing, and so is everyone of whom less than 30 % is seen. The covariances
are calibrated on four films of other seeds. Files in OUT, a new folder:

    film.md     error, jitter, numbers kept, frames per second
    frames.jpg  frames of the first film, as measured and smoothed

Error: distance of a joint from the truth, in pixels and in percent of the
body's height, mean over all joints of the people who are found in a frame,
hidden joints too. Jitter: mean length of the acceleration of the error, (e[t+1]
- 2 e[t] + e[t-1]) times the squared rate, in heights per square second. A
truth that moves costs no jitter. All ways are compared on the same frames.
"""

import dataclasses
import functools
import pathlib
import sys
import time

import drawn_film
import numpy as np
from scipy import optimize

from integral_tf import commands
from integral_tf import settings
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.inference import following
from integral_tf.inference import smoothing
from integral_tf.metrics import fitting
from integral_tf.settings import setting

CALIBRATION = range(1000, 1004)  # seeds
EVERY = 5
# Body heights of mean distance from which a pose is nobody's.
_FAR = 0.3
# Seconds before and after a crossing of which the numbers are compared.
_AFTER = 0.5, 1.0


@dataclasses.dataclass(frozen=True)
class FilmConfig(settings.Checked):
    """Films, a model, and the folder to write."""

    out: str = setting("", "Folder to write.", required=True)
    model: str = setting("", "Model; empty takes the starter model.")
    films: int = setting(6, "Films, with the seeds 0, 1, ...", low=1, high=1000)
    duration: float = setting(6.0, "Seconds of a film.", above=1)
    pace: float = setting(
        drawn_film.PACE, "Seconds from one posture to the next.", above=0.1
    )


CONFIG = FilmConfig


class Recorded:
    """Poses of a film that an estimator found, given again frame by frame."""

    def __init__(self, frames):
        self.frames = iter(frames)

    def __call__(self, image, boxes=None):
        return next(self.frames)


@dataclasses.dataclass
class Seen:
    """A film as the network sees it.

    Attributes:
        film: The `drawn_film.Film`.
        poses: Per frame the poses in the detected boxes, without numbers.
        frames: Per frame the numbered poses.
        owners: Per frame a dict from a number to the person in the truth.
        seconds: Of the estimator alone, per frame; and of tracks, too.
    """

    film: drawn_film.Film
    poses: list
    frames: list
    owners: list
    seconds: tuple


def see(estimate, film, seed, every=1):
    """Estimates a film's poses with and without tracks.

    Args:
        estimate: The `estimator.PoseEstimator`.
        film: The `drawn_film.Film`.
        seed: Seed of the detector's errors.
        every: Boxes are detected in every n-th frame.
    """
    boxes = drawn_film.detected(film, seed)
    start, poses = time.perf_counter(), []
    for image, there in zip(film.images, boxes):
        poses.append(estimate(image, there) if len(there) else [])
    middle = time.perf_counter()
    follow = following.Follower(estimate, detect_every=every)
    frames = [
        follow(image, second, there)
        for image, second, there in zip(film.images, film.seconds, boxes)
    ]
    end = time.perf_counter()
    count = len(frames)
    return Seen(
        film,
        poses,
        frames,
        [owners(*each, film.heights) for each in zip(film.joints, frames)],
        ((middle - start) / count, (end - middle) / count),
    )


def owners(truth, poses, heights):
    """Dict from a pose's number to the person `(P, K, 2)` that it is of."""
    if not poses:
        return {}
    joints = np.array([pose.joints for pose in poses])[:, None]
    far = np.linalg.norm(joints - truth, axis=-1).mean(axis=-1) / heights
    pairs = zip(*optimize.linear_sum_assignment(np.minimum(far, _FAR)))
    return {poses[i].number: j for i, j in pairs if far[i, j] < _FAR}


def offsets(seen, frames):
    """`(T, P, K, 2)` joints minus truth; NaN where nobody is found."""
    found = np.full(seen.film.joints.shape, np.nan)
    for place, (poses, of) in enumerate(zip(frames, seen.owners)):
        for pose in poses:
            if pose.number in of and pose.measured is not None:
                found[place, of[pose.number]] = pose.joints
    return found - seen.film.joints


def calibration(films):
    """Fits Student's t to errors, by covariances and by a constant.

    Returns:
        Two tuples of slope, offset in square pixels of the image, and degrees.
    """
    errors, covariances = [], []
    for seen in films:
        for place, poses in enumerate(seen.frames):
            for pose in poses:
                owner = seen.owners[place].get(pose.number)
                if owner is not None:
                    truth = seen.film.joints[place, owner]
                    errors.append(truth - pose.joints)
                    covariances.append(pose.covariance)
    errors = np.reshape(errors, (-1, 2))
    covariances = np.reshape(covariances, (-1, 2, 2))
    constant = fitting.fit_student_t(errors, 0 * covariances)
    return (
        fitting.fit_student_t(errors, covariances),
        (0.0, *constant[1:]),
    )


def with_noise(frames, slope, offset):
    """The poses with `slope * covariance + offset * I`."""
    return [
        [
            dataclasses.replace(
                pose, covariance=slope * pose.covariance + offset * np.eye(2)
            )
            for pose in poses
        ]
        for poses in frames
    ]


def kalman(numbers, seen):
    """Poses smoothed forwards and backwards with a calibrated noise."""
    slope, offset, degrees = numbers
    frames = with_noise(seen.frames, slope, offset)
    smooth = smoothing.KalmanRTS(degrees=degrees)
    return following.smoothed(frames, seen.film.seconds, smooth)


def one_euro(seen):
    """Poses smoothed frame by frame."""
    follow = following.Follower(Recorded(seen.poses), smooth=smoothing.OneEuro)
    return [
        follow(None, second, boxes=[0] * bool(poses))
        for second, poses in zip(seen.film.seconds, seen.poses)
    ]


def as_measured(seen):
    return [
        [dataclasses.replace(pose, measured=pose.joints) for pose in poses]
        for poses in seen.frames
    ]


def figures(films, way):
    """Error and jitter of one way to smooth.

    Returns:
        Error in pixels, in percent of heights, its 90th percentile; jitter in
        heights per square second; and seconds per frame.
    """
    pixels, heights, jitters, took = [], [], [], 0.0
    for seen in films:
        start = time.perf_counter()
        frames = way(seen)
        took += (time.perf_counter() - start) / len(seen.frames) / len(films)
        error = offsets(seen, frames)
        far = np.linalg.norm(error, axis=-1)
        pixels.append(far)
        heights.append(far / seen.film.heights[:, None])
        jitters.append(jitter(error, seen.film))
    pixels, heights, jitters = (
        np.concatenate([np.ravel(each) for each in column])
        for column in (pixels, heights, jitters)
    )
    return (
        np.nanmean(pixels),
        100 * np.nanmean(heights),
        100 * np.nanpercentile(heights, 90),
        np.nanmean(jitters),
        took,
    )


def jitter(error, film):
    """`(T - 2, P, K)` accelerations of errors, in heights per square second."""
    change = np.diff(error, 2, axis=0) / np.diff(film.seconds).mean() ** 2
    return np.linalg.norm(change, axis=-1) / film.heights[:, None]


def crossings(seen):
    """How many pairs of people pass each other, and how many keep numbers.

    A pair keeps its numbers if each person has the same number most of the time
    from 1 to 0.5 seconds before the first time that one is in front of the
    other, and from 0.5 to 1 second after the last.
    """
    count, people = seen.film.joints.shape[:2]
    who = np.zeros((count, people), int)
    for place, of in enumerate(seen.owners):
        for number, person in of.items():
            who[place, person] = number
    pelvis = skeletons.MPII.joints.index("pelvis")
    across, seconds = seen.film.joints[:, :, pelvis, 0], seen.film.seconds
    passed = kept = 0
    for p in range(people):
        for q in range(p):
            turns = np.flatnonzero(np.diff(across[:, p] > across[:, q]))
            if not len(turns):
                continue
            until = seconds[turns[0]] - seconds
            since = seconds - seconds[turns[-1]]
            spans = [
                (each >= _AFTER[0]) & (each <= _AFTER[1])
                for each in (until, since)
            ]
            passed += 1
            kept += all(
                len({_usual(who[span, person]) for span in spans} - {0}) == 1
                and all(_usual(who[span, person]) for span in spans)
                for person in (p, q)
            )
    return passed, kept


def _usual(numbers):
    """The most frequent number above 0; 0 if there is none."""
    counts = np.bincount(numbers, minlength=1)
    counts[0] = 0
    return int(counts.argmax()) if counts.any() else 0


def page(films, sparse, fits):
    """The Markdown page.

    Args:
        films: List of `Seen`.
        sparse: The same films, with boxes now and then.
        fits: Result of `calibration`.
    """
    ways = {
        "as measured": as_measured,
        "One Euro": one_euro,
        "Kalman/RTS, one noise for all": functools.partial(kalman, fits[1]),
        "Kalman/RTS, calibrated covariances": functools.partial(
            kalman, fits[0]
        ),
    }
    lines = [
        "| Joints | error, px | % of height | 90th percentile | jitter | "
        "ms per frame |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, way in ways.items():
        *cells, took = figures(films, way)
        cells = [f"{cell:.2f}" for cell in cells]
        lines.append(f"| {name} | {' | '.join(cells)} | {1e3 * took:.2f} |")
    slope, offset, degrees = fits[0]
    lines += [
        "",
        f"Calibration: slope {slope:.3g}, offset {offset:.3g} square pixels, "
        f"{degrees:.3g} degrees of freedom.",
        "",
        "| Boxes detected | frames per second | without tracks | crossings | "
        "numbers kept | people | numbers given |",
        "|---|---:|---:|---:|---:|---:|---:|",
        _row("in every frame", films),
        _row(f"in every {EVERY}th frame", sparse),
    ]
    return "\n".join(lines) + "\n"


def _row(name, films):
    passed, kept = np.sum([crossings(seen) for seen in films], axis=0)
    alone, tracked = np.mean([seen.seconds for seen in films], axis=0)
    given = sum(
        len({pose.number for poses in seen.frames for pose in poses})
        for seen in films
    )
    people = sum(seen.film.joints.shape[1] for seen in films)
    return (
        f"| {name} | {1 / tracked:.1f} | {1 / alone:.1f} | {passed} | {kept} | "
        f"{people} | {given} |"
    )


def picture(seen, fits):
    """Four frames: as measured above, smoothed below."""
    places = np.linspace(0, len(seen.frames) - 1, 6)[1:-1].astype(int)
    rows = [
        [draw.people(seen.film.images[t], frames[t]) for t in places]
        for frames in (seen.frames, kalman(fits[0], seen))
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def call(asked):
    with whole.folder(
        pathlib.Path(asked.out), taken="Name a new folder."
    ) as partial:
        estimate = estimator.PoseEstimator(asked.model or None)
        others, films, sparse = [], [], []
        for seed in (*CALIBRATION, *range(asked.films)):
            film = drawn_film.draw(
                seed, duration=asked.duration, pace=asked.pace
            )
            seen = see(estimate, film, seed)
            if seed in CALIBRATION:
                others.append(seen)
            else:
                films.append(seen)
                sparse.append(see(estimate, film, seed, EVERY))
        fits = calibration(others)
        text = page(films, sparse, fits)
        (partial / "film.md").write_text(text)
        draw.save(picture(films[0], fits), partial / "frames.jpg")
    print(text)


if __name__ == "__main__":
    sys.exit(commands.script("film"))
