"""Photographs and boxes in, joints in image pixels out."""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import layers  # noqa: F401 - Keras finds them by their names
from integral_tf import skeletons
from integral_tf.inference import backends
from integral_tf.inference import flip
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

    Args:
        model: Path of a `model.keras`, or of a run's folder that holds one,
            or a Keras model with a `joints` output; or what `export.py`
            published: a version's folder, or the file in it (.onnx, .tflite,
            .xml, .plan).
        skeleton: The `skeletons.Skeleton` or its name; by default the one
            that `skeleton.json` beside the model's file holds, or the known
            one with the model's number of joints.
        flip_test: Average each person with its mirror image. An artifact that
            was exported so does it in any case.
        batch_size: People in a step.

    Raises:
        FileNotFoundError: there is no such model.
        ImportError: the artifact's runtime is not installed.
        ValueError: the model has no `joints` output, or no known skeleton.

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

    def __init__(self, model, skeleton=None, flip_test=False, batch_size=16):
        artifact = backends.find(model)
        if artifact:
            network = backends.load(artifact)
        else:
            network = _Keras(load(model))
        if skeleton is None:
            skeleton = _saved_skeleton(artifact or model)
        self.skeleton = _skeleton(network, skeleton)
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
            ValueError: the image or a box is not one.
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

    def __init__(self, model, skeleton=None):
        self.model = model
        self.height, self.width = model.input_shape[1:3]
        self.joints = model.output["joints"].shape[1]
        predict = flip.flipped(model, skeleton) if skeleton else model
        self.predict = tf.function(predict, reduce_retracing=True)

    def __call__(self, crops):
        outputs = self.predict(crops)
        return {name: np.asarray(outputs[name]) for name in backends.OUTPUTS}


def load(model):
    """A Keras model from a `model.keras`, a run's folder, or itself.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a pose model.
    """
    if not isinstance(model, keras.Model):
        path = _path(model)
        if not path.is_file():
            raise FileNotFoundError(
                "A model is a model.keras, or the folder of a finished run "
                "that holds one, or a version's folder that export.py "
                f"published. Received: {str(model)!r}"
            )
        try:
            model = keras.saving.load_model(path, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ValueError(
                f"{path} is not a Keras model that this version reads: {error}"
            ) from None
    if not isinstance(model.output, dict) or "joints" not in model.output:
        raise ValueError(
            "A pose model has named outputs, `joints` among them, as "
            f"integral_tf.pose_model builds it. Received: {model.name!r}"
        )
    return model


def check_skeleton(model, skeleton):
    """Requires that a model has a skeleton's number of joints.

    Raises:
        ValueError: it has another.
    """
    _check_joints(model.output["joints"].shape[1], skeleton)


def _check_joints(joints, skeleton):
    if len(skeleton) != joints:
        raise ValueError(
            f"The model has {joints} joints, the skeleton has "
            f"{len(skeleton)}. Received: skeleton={skeleton.name!r}"
        )


def _path(model):
    path = pathlib.Path(model)
    saved_model = (path / "saved_model.pb").is_file()
    return path / "model.keras" if path.is_dir() and not saved_model else path


def _saved_skeleton(model):
    """The skeleton that a run saved beside its model, or None."""
    if isinstance(model, keras.Model):
        return None
    path = _path(model)
    # A SavedModel is a folder, any other artifact a file in one.
    folder = path if path.is_dir() else path.parent
    path = folder / "skeleton.json"
    if not path.is_file():
        return None
    try:
        return skeletons.from_dict(json.loads(path.read_text()))
    except ValueError as error:
        raise ValueError(
            f"{path} is not a skeleton that this version reads: {error}"
        ) from None


def _skeleton(network, skeleton):
    if skeleton is None:
        known = skeletons.KNOWN.values()
        skeleton = next((s for s in known if len(s) == network.joints), None)
        if skeleton is None:
            raise ValueError(
                "No known skeleton has the model's number of joints; give "
                f"`skeleton`. Received: a model with {network.joints} joints"
            )
    elif isinstance(skeleton, str):
        skeleton = skeletons.get(skeleton)
    _check_joints(network.joints, skeleton)
    return skeleton


def _checked(image, boxes):
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
        raise ValueError(
            "`image` is (height, width, 3) uint8 RGB. "
            f"Received: shape={image.shape}, dtype={image.dtype}"
        )
    if boxes is None:
        boxes = [[0, 0, image.shape[1], image.shape[0]]]
    boxes = np.asarray(boxes, np.float64).reshape(-1, np.shape(boxes)[-1] or 4)
    if boxes.shape[1:] != (4,) or not (
        np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()
    ):
        raise ValueError(
            "`boxes` are (N, 4): x, y, width and height in image pixels, with "
            f"a positive size. Received: {boxes.tolist()}"
        )
    return image, boxes
