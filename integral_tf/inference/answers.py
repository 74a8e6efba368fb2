"""Estimates, draws and counts the people of pictures, for `predict`."""

import dataclasses
from typing import Any

import numpy as np

from integral_tf import detection
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.inference import pose as poses_of


@dataclasses.dataclass(eq=False)
class Answer:
    """The people of one picture, without its pixels.

    Attributes:
        poses: The people's poses.
        people: The `boxes.Person` of each pose.
        drawn: Whether the poses are drawn; a whole picture without a sure joint
            may show nobody.
        tracked: Whether the poses' numbers are those of people of a film.
    """

    poses: list[poses_of.Pose]
    people: list[boxes_of.Person]
    drawn: bool = True
    tracked: bool = False

    def rows(self) -> list[dict[str, Any]]:
        """The people as keypoint results of COCO, without `image_id`.

        People of a film also have `track`, their number, and smoothed joints
        `measured`, x and y of each before.
        """
        rows = []
        for pose, person in zip(self.poses, self.people):
            row = {**pose.to_coco(person.category), "sure": pose.sure}
            if self.tracked:
                row["track"] = pose.number
            if pose.measured is not None:
                measured = np.ravel(pose.measured).tolist()
                row["measured"] = [round(value, 3) for value in measured]
            rows.append(row)
        return rows


class Answers:
    """Estimates, draws and counts the people of pictures, one by one.

    Prints first how people are found.

    Args:
        config: A `config.PredictConfig`.

    Attributes:
        estimate: The `estimator.PoseEstimator`.
        skeleton: The model's `skeletons.Skeleton`.
        pictures, people: How many of them were counted.
    """

    def __init__(self, config: Any) -> None:
        detector = None
        if config.detector:
            detector = detection.get(
                config.detector,
                least=config.min_box_score,
                person=None if config.person_class < 0 else config.person_class,
            )
            print(f"detector: {detector}")
        elif not config.boxes:
            print(
                "Each picture is taken for one person; where it shows several, "
                "name what finds them, --detector=FILE.onnx, or where they "
                "are, --boxes=FILE (docs/detectors.md)."
            )
        self.estimate = estimator.PoseEstimator(
            config.model or None,
            config.skeleton or None,
            flip_test=config.flip_test,
            batch_size=config.batch_size,
            detector=detector,
        )
        self._least = config.min_score
        self._ellipses = config.ellipses
        self._searches = not config.boxes
        self._is_whole = self._searches and not config.detector
        self.skeleton = self.estimate.skeleton
        self.pictures = self.people = self._empty = self._unsure = 0

    def __call__(
        self, image: np.ndarray, people: list[boxes_of.Person] | None
    ) -> Answer:
        """Estimates the poses in one picture.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            people: List of `boxes.Person`; None without `--boxes`.

        Raises:
            ValueError: `--ellipses` of a model that gives no covariances.
        """
        boxes = None if people is None else [person.box for person in people]
        poses = self.estimate(image, boxes)
        if self._ellipses:
            draw.require_covariances(poses)
        if people is None:
            category = self.skeleton.categories[0]
            people = [boxes_of.Person(pose.box, category) for pose in poses]
        sure = any(pose.sure for pose in poses)
        return Answer(poses, people, drawn=sure or not self._is_whole)

    def draw(self, image: np.ndarray, answer: Answer) -> np.ndarray:
        """Draws an answer on its picture.

        Args:
            image: `(H, W, 3)` uint8 RGB; not changed.
            answer: The picture's `Answer`.

        Returns:
            `(H, W, 3)` uint8 RGB, a drawn copy.
        """
        return draw.people(
            image,
            answer.poses if answer.drawn else [],
            least=self._least,
            ellipses=self._ellipses,
        )

    def count(self, answer: Answer) -> None:
        """Counts an answer that is written."""
        self.pictures += 1
        self.people += len(answer.poses)
        self._empty += self._searches and not answer.poses
        self._unsure += not answer.drawn

    def summary(self, noun: str) -> str:
        """The counts in words; `noun` is "image" or "frame"."""
        people = "1 person" if self.people == 1 else f"{self.people} people"
        parts = [f"{people} in {counted(self.pictures, noun)}"]
        if self._empty:
            parts.append(f"nobody found in {counted(self._empty, noun)}")
        if self._unsure:
            parts.append(
                f"no sure joint in {counted(self._unsure, noun)}, not drawn"
            )
        return "; ".join(parts)


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 frame", "2 frames"."""
    return f"{count} {noun}{'s' * (count != 1)}"
