"""Photographs and boxes in, joints in image pixels out."""

import collections
import importlib
import itertools
import os
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import numpy as np

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.inference import backends
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import flip
from integral_tf.inference import loading
from integral_tf.inference import pictures
from integral_tf.inference.pose import Pose
from integral_tf.records import windows

# What ends before the other of two iterators.
_ENDED = object()


class PoseEstimator:
    """Estimates poses with a trained model.

    Several threads may call one estimator.

    Args:
        model: Path of a `model.keras`, or of a run's folder that holds one,
            or a Keras model with a `joints` output; or what `export.py`
            published: a version's folder, or the file in it (.onnx, .tflite,
            .xml, .plan).
        skeleton: The `skeletons.Skeleton`, its name, or the path of a
            `skeleton.json`; by default the one in the `model.keras`, or in
            `skeleton.json` beside the model's file. Where there is neither,
            the names are those of the known skeleton with the model's number
            of joints, and a warning says so.
        flip_test: Average each person with its mirror image; the skeleton
            must be known. An artifact that was exported so does it in any
            case.
        batch_size: People in a step, of one picture or of several.

    An artifact is run by its own runtime; neither TensorFlow nor Keras is
    imported for .onnx, .tflite, .xml and .plan.

    Raises:
        FileNotFoundError: there is no such model.
        ImportError: the artifact's runtime is not installed.
        ValueError: the model has no `joints` output, or no known skeleton; or
            a flip test is wanted, and the skeleton would be a guess.

    Example (a small, untrained model):

    >>> import numpy as np, integral_tf
    >>> model = integral_tf.pose_model(
    ...     "I*", "resnet18", joints=16, image_size=64, width=0.125)
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
        model: Any,
        skeleton: skeletons.Skeleton | str | os.PathLike | None = None,
        flip_test: bool = False,
        batch_size: int = 16,
    ) -> None:
        artifact = backends.find(model)
        if artifact:
            network = backends.load(artifact)
        else:
            network = _keras(loading.load(model))
        if skeleton is None:
            skeleton = loading.saved_skeleton(artifact or model)
        # An artifact may have been exported with the flip test inside.
        flip_test = flip_test and not network.card.get("flip_test")
        self.skeleton = loading.skeleton_of(network, skeleton, flip_test)
        self.height, self.width = network.height, network.width
        self.batch_size = batch_size
        self._predict = network
        if flip_test and artifact:
            self._predict = flip.flipped_artifact(network, self.skeleton)
        elif flip_test:
            self._predict = _keras(network.model, self.skeleton)
        is_path = isinstance(model, (str, os.PathLike))
        self._has_maps = getattr(network, "has_maps", False)
        self._said = [
            repr(str(model) if is_path else model.name),
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
        """Estimates the pose in each box of a picture, or of several.

        Args:
            image: A picture: a path, an image of Pillow's, or an array
                (`pictures.read`). Several: a list or a tuple of such, an array
                `(N, H, W, 3)`, or an iterator, which is read as the answers
                are asked for, and no further than a batch of people needs.
            boxes: `(N, 4)` x, y, width, height; None for the whole picture.
                Of several pictures an iterable with as many of these.
            heatmaps: Give each pose its maps.

        Returns:
            List of a `pose.Pose` for each box. Of several pictures a list of
            such lists; of an iterator a generator of them.

        Raises:
            FileNotFoundError: there is no such picture.
            ValueError: a picture is none, or a box, which is named by its
                position in `boxes`; or the model has no heat maps.
        """
        if heatmaps and not self._has_maps:
            raise ValueError(
                "Heat maps are a Keras model's, of any method but R1; an "
                f"exported network has none. Received: heatmaps=True, {self!r}"
            )
        if not pictures.are_several(image):
            return next(self._stream([(image, boxes, "image")], heatmaps))
        found = self._stream(_paired(image, boxes), heatmaps)
        is_whole = isinstance(image, (list, tuple)) or hasattr(image, "shape")
        return list(found) if is_whole else found

    def _stream(self, asked, heatmaps):
        """Yields the poses of each picture, in order.

        Args:
            asked: Iterable of a picture, its boxes, and what to call it.
            heatmaps: Give each pose its maps.
        """
        waiting, batch = collections.deque(), []
        for picture, boxes, name in asked:
            picture, boxes = _checked(picture, boxes, name)
            # Of each box its pose, once that is known.
            poses = [None] * len(boxes)
            waiting.append(poses)
            for place, box in enumerate(boxes):
                batch.append((poses, place, box, *self._crop(picture, box)))
                if len(batch) == self.batch_size:
                    self._answer(batch, heatmaps)
                    batch = []
            while waiting and not any(pose is None for pose in waiting[0]):
                yield waiting.popleft()
        if batch:
            self._answer(batch, heatmaps)
        yield from waiting

    def _answer(self, batch, heatmaps):
        """Puts the poses of a batch of people where they belong."""
        everyone, places, boxes, crops, regions = zip(*batch)
        asked = {"heatmaps": True} if heatmaps else {}
        outputs = self._predict(np.stack(crops), **asked)
        to_image = np.stack(
            [
                coordinates.region_to_pixels(region, self.width, self.height)
                for region in regions
            ]
        )
        joints = coordinates.apply(to_image, outputs["joints"])
        spread, maps = outputs.get("covariance"), outputs.get("heatmaps")
        for i, poses in enumerate(everyone):
            pose = Pose(
                joints[i],
                outputs["scores"][i],
                boxes[i],
                self.skeleton,
                number=places[i] + 1,
            )
            if spread is not None:
                linear = to_image[i, :, :2]
                pose.covariance = linear @ spread[i] @ linear.T
            if heatmaps:
                pose.heatmaps = maps[i]
                pose.maps_to_image = coordinates.region_to_pixels(
                    regions[i], *maps[i].shape[1::-1]
                )
            poses[places[i]] = pose

    def _crop(self, picture, box):
        """The network's input for a box, and its region of the picture."""
        margin = coordinates.BOX_MARGIN
        region = coordinates.region_around(
            box, self.width / self.height, margin
        )
        crop = windows.cut(picture, region, self.width, self.height)
        return np.asarray(crop, np.float32), region


def _keras(model, skeleton=None):
    # Late: whoever has an artifact may have no Keras.
    backend = importlib.import_module("integral_tf.inference.keras_backend")
    return backend.Keras(model, skeleton)


def _paired(images: Iterable, boxes: Any) -> Iterator[tuple]:
    """Yields pictures with their boxes and names, in order.

    Raises:
        ValueError: there are not as many of one as of the other.
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


def _checked(picture, boxes, name):
    image = pictures.read(picture, name)
    if boxes is None:  # however large the photograph
        return image, [np.array([0, 0, *image.shape[1::-1]], np.float64)]
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
    return image, checked
