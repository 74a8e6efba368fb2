"""Numbers and smooths the people of a film, for `predict`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import progress
from integral_tf.inference import answers as answers_of
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import following
from integral_tf.inference import smoothing

# ours: seconds between frames of which a film says the same time.
_STEP = 1e-3
UNCLAIMED = "too unsure, a person's second in a frame, or unlike anybody known"


class Tracked:
    """The people of a film's frames, with numbers that they keep.

    Prints first how their joints are smoothed.

    Args:
        config: A `config.PredictConfig` with `tracks`.
        answers: The `answers.Answers`.
        people: The `placement.Frames`; None without boxes.

    Attributes:
        unclaimed: Number of the poses that were left out so far.
    """

    def __init__(
        self, config: Any, answers: answers_of.Answers, people: Any
    ) -> None:
        self._follow = following.Follower(
            answers.estimate,
            detect_every=config.detect_every,
            lost=config.lost,
            smooth=smoothing.OneEuro if config.smooth == "one_euro" else None,
        )
        self._people = people
        self._times: list[float] = []
        self._usual = answers.skeleton.categories[0]
        self._categories: dict[int, int] = {}
        self._smooth = smoothing.KalmanRTS()
        calibration = answers.estimate.calibration
        if calibration is not None and calibration.degrees:
            self._smooth = dataclasses.replace(
                self._smooth, degrees=calibration.degrees
            )
        self._is_calibrated = calibration is not None

    @property
    def unclaimed(self) -> int:
        return self._follow.unclaimed

    def __call__(
        self, image: np.ndarray, number: int, seconds: float
    ) -> answers_of.Answer:
        """The people of the next frame.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            number: Number of the frame, from 0.
            seconds: Time of the frame.
        """
        if self._times:
            seconds = max(seconds, self._times[-1] + _STEP)
        self._times.append(seconds)
        there = None
        if self._people and self._follow.detects:
            there = self._people.pop(number)
        elif self._people:
            self._people.skip(number)
        boxes = None if there is None else [person.box for person in there]
        poses = self._follow(image, seconds, boxes)
        # A pose has the box that it was estimated in.
        known = {tuple(each.box): each.category for each in there or ()}
        for pose in poses:
            category = known.get(tuple(pose.box))
            self._categories.setdefault(pose.number, category or self._usual)
        return self._answer(poses)

    def smoothed(
        self, answers: Sequence[answers_of.Answer]
    ) -> list[answers_of.Answer]:
        """The answers to all frames, smoothed forwards and backwards.

        Prints where the noise of the joints comes from.

        Args:
            answers: The answers to the first frames of the film, in order.
        """
        frames = [answer.poses for answer in answers]
        poses = [pose for row in frames for pose in row]
        if poses:
            print(f"smoothing: {self._noise(poses)}")
        smooth = following.smoothed(
            frames,
            self._times[: len(frames)],
            self._smooth,
            over=lambda people: progress.over(people, "smooth", unit="people"),
        )
        return [self._answer(poses) for poses in smooth]

    def _answer(self, poses):
        people = [
            boxes_of.Person(pose.box, self._categories[pose.number])
            for pose in poses
        ]
        return answers_of.Answer(poses, people, tracked=True)

    def _noise(self, poses):
        if all(pose.covariance is None for pose in poses):
            return (
                "the model gives no covariances, so all joints are taken for "
                "equally sure"
            )
        if self._is_calibrated:
            return "by the calibrated covariances of the model"
        return (
            "by the covariances of the maps, which are not calibrated "
            "(docs/poses.md)"
        )
