"""`Detector`, and `get`, which makes one of a file, a name or a function."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from integral_tf.detection import answers
from integral_tf.detection import kerashub
from integral_tf.detection import onnx_file
from integral_tf.detection import opencv

LEAST = 0.5
_OPENCV = "opencv"
_WANTED = (
    "A detector is an ONNX file of YOLOX, RTMDet, D-FINE, RT-DETR, DEIM or "
    f"RF-DETR, {_OPENCV!r}, {kerashub.PREFIX + 'PRESET'!r}, or a function from "
    "an image to (N, 4) or (N, 5) boxes."
)


class Detector:
    """Finds the people in an image; `get` makes one.

    `str(detector)` describes the detector, and what was guessed about it, in
    one line.

    Args:
        find: A function from `(H, W, 3)` uint8 RGB to a value that
            `answers.people` takes.
        least: Score below which a box is left out; boxes without a score stay.
        person: Number of the class of people, for a detector with classes.
    """

    def __init__(
        self,
        find: Callable[[np.ndarray], Any],
        least: float = LEAST,
        person: int | None = None,
    ) -> None:
        self._find, self._least, self._person = find, least, person

    def __str__(self) -> str:
        plain = type(self._find).__str__ is object.__str__
        name = getattr(self._find, "__name__", type(self._find).__name__)
        return name if plain else str(self._find)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Finds people.

        Args:
            image: `(H, W, 3)` uint8 RGB.

        Returns:
            `(N, 5)` float64 x, y, width, height in image pixels, and score.

        Raises:
            ValueError: `find` returned a value of another form.
        """
        people = answers.people(self._find(image), self._person)
        return people[people[:, 4] >= self._least]


def get(
    detector: Any, *, least: float = LEAST, person: int | None = None
) -> Detector:
    """Makes a `Detector`.

    Args:
        detector: Path of an ONNX file of YOLOX, RTMDet, D-FINE, RT-DETR, DEIM
            or RF-DETR; `"opencv"`, whose people detector needs no file;
            `"keras_hub:PRESET"`; a function from `(H, W, 3)` uint8 RGB to
            `(N, 4)` boxes x, y, width, height in image pixels, or to `(N, 5)`
            with a score, or to `supervision.Detections`; or a `Detector`.
        least: Score below which a box is left out; boxes without a score stay.
        person: Number of the class of people; None takes the usual number.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: a package that the detector needs is not installed.
        ValueError: `detector` is none of these.

    Example: a function that boxes the middle half of a picture.

    >>> def middle(image):
    ...     height, width = image.shape[:2]
    ...     return [[width / 4, 0, width / 2, height]]
    >>> get(middle)(np.zeros((60, 80, 3), "uint8")).tolist()
    [[20.0, 0.0, 40.0, 60.0, 1.0]]
    """
    if isinstance(detector, Detector):
        return detector
    if callable(detector):
        return Detector(detector, least, person)
    if not isinstance(detector, (str, os.PathLike)):
        raise ValueError(f"{_WANTED} Received: detector={detector!r}")
    name = os.fspath(detector)
    if name == _OPENCV:
        return Detector(opencv.Hog(), least)
    if name.startswith(kerashub.PREFIX):
        preset = name.removeprefix(kerashub.PREFIX)
        return Detector(kerashub.KerasHub(preset, person), least)
    if not pathlib.Path(name).is_file():
        raise FileNotFoundError(
            f"{_WANTED} There is no such file. Received: detector={name!r}"
        )
    return Detector(onnx_file.OnnxFile(name, least, person), least)
