"""Photographs and boxes in, joints in image pixels out."""

import dataclasses

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf.inference import backends
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import flip
from integral_tf.inference import loading
from integral_tf.records import windows


@dataclasses.dataclass
class Pose:
    """One person's joints.

    Attributes:
        joints: `(K, 2)` x, y in image pixels.
        scores: `(K,)` in [0, 1].
        box: `(4,)` x, y, width, height of the person in image pixels.
    """

    joints: np.ndarray
    scores: np.ndarray
    box: np.ndarray

    @property
    def score(self):
        """Mean of the joints' scores."""
        return float(np.mean(self.scores))


class PoseEstimator:
    """Estimates poses with a trained model.

    Several threads may call one estimator.

    Args:
        model: Path of a `model.keras`, or of a run's folder that holds one,
            or a Keras model with a `joints` output; or what `export.py`
            published: a version's folder, or the file in it (.onnx, .tflite,
            .xml, .plan). None takes the starter model, which comes with the
            package, and says so (docs/starter.md).
        skeleton: The `skeletons.Skeleton`, its name, or the path of a
            `skeleton.json`; by default the one in the `model.keras`, or in
            `skeleton.json` beside the model's file. Where there is neither,
            the names are those of the known skeleton with the model's number
            of joints, and a warning says so.
        flip_test: Average each person with its mirror image; the skeleton
            must be known. An artifact that was exported so does it in any
            case.
        batch_size: People in a step.

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
    """

    def __init__(
        self, model=None, skeleton=None, flip_test=False, batch_size=16
    ):
        model = loading.starter() if model is None else model
        artifact = backends.find(model)
        if artifact:
            network = backends.load(artifact)
        else:
            network = _Keras(loading.load(model))
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
            self._predict = _Keras(network.model, self.skeleton)

    def __call__(self, image, boxes=None):
        """Estimates the pose in each box of an image.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            boxes: `(N, 4)` x, y, width, height; None for the whole image.

        Returns:
            List of N `Pose`.

        Raises:
            ValueError: the image is none, or a box, which is named by its
                position in `boxes`.
        """
        image, boxes = _checked(image, boxes)
        poses = []
        for start in range(0, len(boxes), self.batch_size):
            some = boxes[start : start + self.batch_size]
            crops, to_image = zip(*[self._crop(image, box) for box in some])
            outputs = self._predict(np.stack(crops))
            joints = coordinates.apply(np.stack(to_image), outputs["joints"])
            scores = np.asarray(outputs["scores"])
            poses += [Pose(*parts) for parts in zip(joints, scores, some)]
        return poses

    def _crop(self, image, box):
        """The network's input for a box, and its affine map to the image."""
        margin = coordinates.BOX_MARGIN
        region = coordinates.region_around(
            box, self.width / self.height, margin
        )
        crop = windows.cut(image, region, self.width, self.height)
        to_image = coordinates.region_to_pixels(region, self.width, self.height)
        return np.asarray(crop, np.float32), to_image


class _Keras:
    """A Keras model as one of `backends`; with a skeleton, flip-tested."""

    card = {}

    def __init__(self, model, skeleton=None):
        self.model = model
        self.height, self.width = model.input_shape[1:3]
        self.joints = model.output["joints"].shape[1]
        predict = flip.flipped(model, skeleton) if skeleton else model
        self.predict = tf.function(predict, reduce_retracing=True)

    def __call__(self, crops):
        outputs = self.predict(crops)
        return {name: np.asarray(outputs[name]) for name in backends.OUTPUTS}


def _checked(image, boxes):
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
        raise ValueError(
            "`image` is (height, width, 3) uint8 RGB. "
            f"Received: shape={image.shape}, dtype={image.dtype}"
        )
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
