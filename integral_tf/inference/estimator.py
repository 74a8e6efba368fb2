"""Photographs and boxes in, joints in image pixels out."""

import collections
import dataclasses
import importlib
import itertools
import os
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import numpy as np

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import detection
from integral_tf import former
from integral_tf import skeletons
from integral_tf.detection import refinement
from integral_tf.inference import backends
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import flip
from integral_tf.inference import opencv_crops
from integral_tf.inference import pictures
from integral_tf.inference.pose import Pose
from integral_tf.models import loading
from integral_tf.records import windows

# Stands for the items of the shorter of two iterators.
_ENDED = object()


@dataclasses.dataclass
class _Person:
    """A person whose pose is still to be estimated."""

    picture: np.ndarray
    box: np.ndarray
    is_whole: bool  # the box is the whole picture: estimated in two passes
    poses: list  # the pose becomes `poses[place]`
    place: int
    first: Pose | None = None  # the pose of the first pass


class PoseEstimator:
    """Estimates poses with a trained model.

    Several threads may call one estimator.

    Args:
        model: Path of a `model.keras`, or of a run's folder that holds one;
            a Keras model with a `joints` output; a version's folder that
            `integral-tf export` published, or the file in it (.onnx, .tflite,
            .xml, .plan); or a PyTorch checkpoint, as `from_pytorch` reads it.
            None takes the starter model, which comes with the package, and
            says so (docs/starter.md).
        skeleton: The `skeletons.Skeleton`, its name, or the path of a
            `skeleton.json`; by default the one in the `model.keras`, or in
            `skeleton.json` beside the model's file. If there is neither, the
            known skeleton with the model's number of joints is guessed, with a
            warning.
        flip_test: Average each person with its mirror image (Section 6.1); the
            skeleton must not be a guess. An artifact that was exported with
            the flip test always applies it.
        batch_size: People per step, from one picture or from several.
        detector: Finds people when a call gives no boxes; any value that
            `detection.get` takes. None takes the whole picture as one person.

    An artifact is run by its own runtime; .onnx, .tflite, .xml and .plan import
    neither TensorFlow nor Keras.

    Raises:
        FileNotFoundError: there is no such model or detector.
        ImportError: the runtime of the artifact or of the detector is not
            installed.
        ValueError: the model has no `joints` output or no known skeleton; or
            `flip_test` is True, and the skeleton would be a guess.

    Example: a small, untrained model.

    >>> import numpy as np, integral_tf
    >>> model = integral_tf.pose_model(
    ...     "I*", "resnet18", joints=16, image_size=64, width_multiplier=0.125)
    >>> estimate = integral_tf.PoseEstimator(model)
    >>> image = np.zeros((120, 80, 3), "uint8")
    >>> poses = estimate(image, boxes=[[10, 10, 50, 100]])
    >>> poses[0].joints.shape, poses[0].scores.shape
    ((16, 2), (16,))
    >>> len(poses[0].named), poses[0].covariance.shape
    (16, (16, 2, 2))
    """

    def __init__(
        self,
        model: Any = None,
        skeleton: skeletons.Skeleton | str | os.PathLike | None = None,
        flip_test: bool = False,
        batch_size: int = 16,
        detector: Any = None,
    ) -> None:
        checks.whole(
            "batch_size",
            batch_size,
            "`batch_size` is how many people a step has.",
            least=1,
        )
        model = loading.starter() if model is None else model
        artifact = backends.find(model)
        if artifact:
            network = backends.load(artifact)
            skeleton = skeleton or loading.saved_skeleton(artifact)
        else:
            loaded, skeleton = loading.load_with_skeleton(model, skeleton)
            network = _keras(loaded)
        # An artifact may contain the flip test.
        flip_test = flip_test and not network.card.get("flip_test")
        self.skeleton = loading.skeleton_of(network, skeleton, flip_test)
        self.height, self.width = network.height, network.width
        self.batch_size = batch_size
        # A `layers.CovarianceCalibration`, or None.
        self.calibration = getattr(network, "calibration", None)
        self.detector = None if detector is None else detection.get(detector)
        # Networks of Simple Baselines and MMPose need crops as in their
        # training.
        self._cells = network.card.get("network", {}).get("cells", "middle")
        self._predict = network
        if flip_test and artifact:
            self._predict = flip.flipped_artifact(network, self.skeleton)
        elif flip_test:
            self._predict = _keras(network.model, self.skeleton)
        is_path = isinstance(model, (str, os.PathLike))
        name = str(model) if is_path else model.name
        self._has_maps = getattr(network, "has_maps", False)
        self._said = [
            repr("starter" if model is loading.STARTER else name),
            f"{len(self.skeleton)} joints of {self.skeleton.name}",
            f"{self.width} x {self.height}",
            type(network).__name__,
            *["flip test"] * bool(flip_test),
        ]

    def __repr__(self) -> str:
        return f"PoseEstimator({', '.join(self._said)})"

    def __call__(
        self, image: Any, boxes: Any = None, *, heatmaps: bool = False
    ) -> list[Pose] | list[list[Pose]] | Iterator[list[Pose]]:
        """Estimates the pose in each box of one picture or of several.

        Args:
            image: One picture: a path, a Pillow image, or an array
                (`pictures.read`). Or several: a list or tuple of pictures, an
                array `(N, H, W, 3)`, or an iterator. An iterator is read on
                demand, no further than the next batch of people needs.
            boxes: `(N, 4)` x, y, width, height in image pixels. None takes the
                boxes that the detector finds. Without a detector, None takes
                the whole picture as one person, and estimates again in the box
                around the first pose's sure joints. For several pictures, an
                iterable with one such value per picture.
            heatmaps: Give each pose its heat maps.

        Returns:
            List of a `pose.Pose` per box. For several pictures a list of such
            lists; for an iterator a generator of such lists.

        Raises:
            FileNotFoundError: there is no such picture.
            ValueError: a picture or a box is not valid, or the model has no
                heat maps.
        """
        if heatmaps and not self._has_maps:
            raise ValueError(
                "Heat maps are a Keras model's, of any method but R1 and "
                "SimCC; an exported network has none. "
                f"Received: heatmaps=True, {self!r}"
            )
        if not pictures.are_several(image):
            return next(self._stream([(image, boxes, "image")], heatmaps))
        found = self._stream(_paired(image, boxes), heatmaps)
        is_whole = isinstance(image, (list, tuple)) or hasattr(image, "shape")
        return list(found) if is_whole else found

    def _stream(self, asked, heatmaps):
        """Yields the poses of each picture, in order.

        Args:
            asked: Iterable of a picture, its boxes, and its name for messages.
            heatmaps: Give each pose its heat maps.
        """
        waiting, people, failed = collections.deque(), [], None
        for picture, boxes, name in asked:
            poses = []  # one per person; None until it is estimated
            try:
                picture = pictures.read(picture, name)
                people += self._people(picture, boxes, poses)
            except (FileNotFoundError, ValueError) as error:
                failed = error  # raised after the poses of earlier pictures
                break
            waiting.append(poses)
            while len(people) >= self.batch_size:
                people = self._answer(people, heatmaps)
            while waiting and not any(pose is None for pose in waiting[0]):
                yield waiting.popleft()
        while people:
            people = self._answer(people, heatmaps)
        yield from waiting
        if failed:
            raise failed

    def _people(self, picture, boxes, poses):
        """The `_Person`s of a picture; adds a None per person to `poses`."""
        is_whole = boxes is None and self.detector is None
        if is_whole:  # not checked: a picture may have any size
            boxes = [np.array([0, 0, *picture.shape[1::-1]], np.float64)]
        else:
            found = self.detector(picture)[:, :4] if boxes is None else boxes
            boxes = _checked_boxes(found)
        poses += [None] * len(boxes)
        return [
            _Person(picture, box, is_whole, poses, place)
            for place, box in enumerate(boxes)
        ]

    def _answer(self, people, heatmaps):
        """Estimates a batch of people; returns the people still waiting."""
        batch, again = people[: self.batch_size], []
        for person, pose in zip(batch, self._poses(batch, heatmaps)):
            box = None
            if person.first is not None:  # this was the second pass
                pose = max(person.first, pose, key=lambda each: each.score)
            elif person.is_whole:
                box = refinement.sure_box(pose.joints, pose.scores)
            if box is None:
                person.poses[person.place] = pose
            else:
                box = refinement.in_pixels(box)
                again.append(dataclasses.replace(person, box=box, first=pose))
        return again + people[self.batch_size :]

    def _poses(self, people, heatmaps):
        """The `Pose` of each of a batch of people."""
        crops, to_image = zip(*[self._crop(each) for each in people])
        asked = {"heatmaps": True} if heatmaps else {}
        outputs = self._predict(np.stack(crops), **asked)
        to_image = np.stack(to_image)
        joints = coordinates.apply(to_image, outputs["joints"])
        spread, maps = outputs.get("covariance"), outputs.get("heatmaps")
        poses = []
        for i, person in enumerate(people):
            pose = Pose(
                joints[i],
                outputs["scores"][i],
                person.box,
                self.skeleton,
                number=person.place + 1,
            )
            if spread is not None:
                linear = to_image[i, :, :2]
                pose.covariance = linear @ spread[i] @ linear.T
            if heatmaps:
                pose.heatmaps = maps[i]
                pose.maps_to_image = self._of_maps(to_image[i], maps[i].shape)
            poses.append(pose)
        return poses

    def _crop(self, person):
        """The network's input for a person, and its affine map to the image."""
        size = self.width, self.height
        if self._cells == "first":
            return opencv_crops.cut(person.picture, person.box, *size)
        region = coordinates.region_around(person.box, self.width / self.height)
        crop = windows.cut(person.picture, region, *size)
        to_image = coordinates.region_to_pixels(region, *size)
        return np.asarray(crop, np.float32), to_image

    def _of_maps(self, to_image, shape):
        """The affine map from heat-map pixels to the image.

        Args:
            to_image: `(2, 3)` affine map from the crop to the image.
            shape: Shape of the heat maps, `(height, width, K)`.
        """
        strides = self.width / shape[1], self.height / shape[0]
        origin = np.zeros((1, 2))
        first = coordinates.heatmap_to_crop(origin, strides, self._cells)
        linear = to_image[:, :2] * np.array(strides)
        return np.column_stack([linear, coordinates.apply(to_image, first)[0]])


def _keras(model, skeleton=None):
    # Imported late: an artifact needs no Keras.
    backend = importlib.import_module("integral_tf.inference.keras_backend")
    return backend.Keras(model, skeleton)


def _paired(images: Iterable, boxes: Any) -> Iterator[tuple]:
    """Yields pictures with their boxes and names, in order.

    Raises:
        ValueError: there are more pictures than boxes, or fewer.
    """
    if boxes is None:
        boxes = itertools.repeat(None)
        pairs = zip(images, boxes)
    else:
        pairs = itertools.zip_longest(images, boxes, fillvalue=_ENDED)
    for number, pair in enumerate(pairs):
        if any(each is _ENDED for each in pair):
            other = "pictures" if pair[0] is _ENDED else "boxes"
            raise ValueError(
                "Of several pictures `boxes` has an entry for each, None for "
                f"a whole picture. Received: {number} {other}, more of the "
                "other"
            )
        yield *pair, f"image[{number}]"


def _checked_boxes(boxes):
    if not isinstance(boxes, (list, tuple)):
        boxes = np.atleast_1d(boxes)
    if len(boxes) and not hasattr(boxes[0], "__len__"):
        boxes = [boxes]  # one box, not in a list
    checked = []
    for number, box in enumerate(boxes):
        try:
            checked.append(boxes_of.checked(box))
        except boxes_of.Unfit as reason:
            raise ValueError(
                "`boxes` are (N, 4): x, y, width and height in image pixels, "
                f"with a positive size, below {coordinates.LARGEST_BOX:.0f}. "
                f"Received: a box {reason}, boxes[{number}]={box}"
            ) from None
    return checked


__getattr__ = former.names(__name__)
