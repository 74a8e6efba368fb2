"""Follows the people of a film: poses, numbers that stay, smooth joints.

    Follower   frame by frame, as frames come
    smoothed   the poses of a whole film, smoothed forwards and backwards

Shape letter: K joints.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import checks
from integral_tf import coordinates
from integral_tf.inference import estimator
from integral_tf.inference import smoothing
from integral_tf.inference import tracking
from integral_tf.inference.pose import Pose

# The margin around joints of a person who is not found.
_MARGIN = 1.25


class Follower:
    """Estimates and numbers the people of each frame of a film.

    Args:
        estimate: The `estimator.PoseEstimator`.
        detect_every: People are looked for in every n-th frame: by the call's
            boxes, by the estimator's detector, or in the entire picture. In the
            other frames only known people are looked for, in the boxes around
            their last poses.
        lost: Seconds for which a person who is not found is remembered.
        smooth: Makes the filter of a person, such as `smoothing.OneEuro`; None
            leaves joints as they are.

    Attributes:
        unclaimed: Number of the poses that were left out so far: without a sure
            joint, of somebody who has another pose in the frame, or, between
            detections, unlike anybody known.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        estimate: estimator.PoseEstimator,
        *,
        detect_every: int = 1,
        lost: float = 1.0,
        smooth: Callable[[], smoothing.OneEuro] | None = None,
    ) -> None:
        self.detect_every = checks.whole(
            "detect_every",
            detect_every,
            "People are looked for in every n-th frame.",
            least=1,
        )
        self.estimate = estimate
        self.unclaimed = 0
        self._tracker = tracking.Tracker(lost)
        self._smooth = smooth
        self._filters: dict[int, smoothing.OneEuro] = {}
        self._frames = 0

    @property
    def detects(self) -> bool:
        """Whether people are looked for in the next frame."""
        return self._frames % self.detect_every == 0

    def __call__(
        self, image: Any, seconds: float, boxes: Any = None
    ) -> list[Pose]:
        """The people of the next frame.

        Args:
            image: The frame, in any form that `PoseEstimator` takes.
            seconds: Time of the frame, later than that of the last.
            boxes: `(N, 4)` x, y, width, height of the people; used if `detects`
                is true. None as for `PoseEstimator`.

        Returns:
            List of poses; `number` is the person's number in the film.

        Raises:
            ValueError: the frame is not later than the last; or as
                `PoseEstimator`.
        """
        detects = self.detects
        self._frames += 1
        if not detects:
            boxes = self._tracker.boxes(seconds)
        known = boxes is not None and not len(boxes)
        poses = [] if known else self.estimate(image, boxes)
        found = self._tracker(poses, seconds, new=detects)
        self.unclaimed += len(poses) - len(found)
        return [self._smoothed(pose, seconds) for pose in found]

    def _smoothed(self, pose, seconds):
        if self._smooth is None:
            return pose
        known = self._tracker.numbers
        self._filters = {
            number: filter
            for number, filter in self._filters.items()
            if number in known
        }
        smooth = self._filters.setdefault(pose.number, self._smooth())
        joints = smooth(seconds, pose.joints, size_of(pose.box))
        return dataclasses.replace(pose, joints=joints, measured=pose.joints)


def size_of(box: np.ndarray) -> float:
    """The size of a person: the longer side of the box, in pixels."""
    return float(max(box[2:]))


def smoothed(
    frames: Sequence[Sequence[Pose]],
    seconds: Sequence[float],
    smooth: smoothing.KalmanRTS | None = None,
    *,
    over: Callable[[list[int]], Iterable[int]] = iter,
) -> list[list[Pose]]:
    """Smooths the numbered poses of a whole film, person by person.

    Args:
        frames: Per frame the poses that a `Follower` without a filter returns.
        seconds: Time of each frame, ascending.
        smooth: The smoother; None takes `smoothing.KalmanRTS()`.
        over: Yields the people's numbers that it is given, and may show the
            progress.

    Returns:
        Per frame the poses in the order of their numbers, with smooth joints
        and their covariances. A person who is not found in a frame between two
        others has a pose with scores of 0 there.
    """
    smooth = smooth or smoothing.KalmanRTS()
    found: dict[int, dict[int, Pose]] = collections.defaultdict(dict)
    for place, poses in enumerate(frames):
        for pose in poses:
            found[pose.number][place] = pose
    answers: list[list[Pose]] = [[] for _ in frames]
    for number in over(sorted(found)):
        for place, pose in _person(found[number], seconds, smooth):
            answers[place].append(pose)
    return answers


def _person(found, seconds, smooth):
    """Yields the place of each of a person's frames, and the smoothed pose.

    Args:
        found: Dict from the frames' places, ascending, to the poses.
        seconds: Time of each frame of the film.
        smooth: The `smoothing.KalmanRTS`.
    """
    first, last = min(found), max(found)
    some = found[first]
    count = len(some.joints)
    joints = np.full((last - first + 1, count, 2), np.nan)
    covariances = np.full((*joints.shape, 2), np.nan)
    for place, pose in found.items():
        joints[place - first] = pose.joints
        if pose.covariance is not None:
            covariances[place - first] = pose.covariance
    size = float(np.median([size_of(pose.box) for pose in found.values()]))
    points, spread = smooth(
        seconds[first : last + 1],
        joints,
        None if some.covariance is None else covariances,
        size,
    )
    for place in range(first, last + 1):
        moved = {
            "joints": points[place - first],
            "covariance": spread[place - first],
        }
        if place in found:
            moved["measured"] = found[place].joints
            yield place, dataclasses.replace(found[place], **moved)
        else:
            box = coordinates.box_around(moved["joints"], _MARGIN)
            scores = np.zeros(count, np.float32)
            yield (
                place,
                Pose(
                    scores=scores,
                    box=box,
                    skeleton=some.skeleton,
                    number=some.number,
                    **moved,
                ),
            )
