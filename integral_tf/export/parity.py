"""Compares an artifact's joints with those of its Keras model."""

import os

import keras
import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.export import folding
from integral_tf.export import people
from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import backends
from integral_tf.inference import estimator
from integral_tf.inference import flip

_BATCH, _PICTURES = 16, 8
# ours: for --max_pixel_error=0, the largest distance in pixels of the crop, and
# the percentage of joints that must keep it. It is below 100 where rounding may
# move a joint from one peak of its map to another of equal height.
LIMITS = {"float32": (0.01, 100), "float16": (0.25, 95), "int8": (4.0, 95)}


class Refused(Exception):
    """Artifacts were not published; the text says which, and why."""


class Reference:
    """The Keras model's outputs for people, for comparisons.

    Args:
        config: A `config.ExportConfig`.
        model: The run's pose model.
        skeleton: The `skeletons.Skeleton` of the joints.
        shown: The people, from `people.of_run`.
    """

    def __init__(
        self,
        config: configs.ExportConfig,
        model: keras.Model,
        skeleton: skeletons.Skeleton,
        shown: people.OfRecords | people.Drawn,
    ) -> None:
        self._config = config
        self._people = shown
        self._crops = shown.crops(config.compare_people, model.input_shape[1:3])
        predict = folding.in_float32(model)
        if config.flip_test:
            predict = flip.flipped(predict, skeleton)
        self._outputs = _in_batches(
            lambda crops: _numpy(predict(crops)), self._crops
        )

    def compare(self, folder: str | os.PathLike, precision: str) -> dict:
        """Opens an artifact, and compares its outputs with the Keras model's.

        Args:
            folder: Folder of the artifact.
            precision: One of `LIMITS`.

        Returns:
            Dict of the distances, for the artifact's card.

        Raises:
            Refused: joints moved by more than the limit.
        """
        backend = backends.load(backends.find(folder))
        # Also a batch of another size, because the batch is free.
        answers = [_in_batches(backend, self._crops), backend(self._crops[:1])]
        distance = np.linalg.norm(self._differences(answers, "joints"), axis=-1)
        scores = np.abs(self._differences(answers, "scores"))
        limit, percent = LIMITS[precision]
        if self._config.max_pixel_error:
            limit, percent = self._config.max_pixel_error, 100
        parity = {
            "people": len(self._crops),
            "split": self._people.split,
            "typical_px": float(np.median(distance)),
            "within_px": float(np.percentile(distance, 95)),
            "largest_px": float(distance.max()),
            "largest_score": float(scores.max()),
            "limit_px": limit,
            "limit_percent": percent,
        }
        if not np.percentile(distance, percent) <= limit:  # NaN fails, too
            raise Refused(
                f"not published: joints moved by up to "
                f"{parity['largest_px']:.3g} px of the crop compared with "
                f"Keras (95 of 100 by at most {parity['within_px']:.3g}, "
                f"typically by {parity['typical_px']:.3g}), and {percent} of "
                f"100 may move by {limit:g}"
            )
        return parity

    def _differences(self, answers, name):
        """An output minus the Keras model's, for several batches."""
        want = self._outputs[name]
        return np.concatenate(
            [each[name] - want[: len(each[name])] for each in answers]
        )

    def compare_pictures(
        self, folder: str | os.PathLike, frozen: Frozen, limit: float
    ) -> float:
        """Compares `predict_bytes` of a SavedModel with the estimator.

        The photographs are windows of a few records, or drawn.

        Args:
            folder: Folder of the SavedModel.
            frozen: The `frozen_network.Frozen` that it contains.
            limit: Largest median distance, in pixels of the crop.

        Returns:
            The median distance of the joints, in pixels of the crop.

        Raises:
            Refused: the distance is above the limit.
        """
        estimate = estimator.PoseEstimator(
            folder, frozen.skeleton, batch_size=1
        )
        served = backends.load(folder).loaded.signatures["predict_bytes"]
        differences = []
        for picture, box in self._people.pictures(_PICTURES):
            png = tf.io.encode_png(picture)
            got = served(image_bytes=png, boxes=box[None])
            (want,) = estimate(picture, box[None])
            side = coordinates.crop_side(
                *box[2:], frozen.width / frozen.height, max
            )
            distance = np.linalg.norm(got["joints"][0] - want.joints, axis=-1)
            differences.append(distance * frozen.height / side)
        # Single pixels may differ by a grey level, so the median is checked.
        typical = float(np.median(differences))
        if not typical <= limit:
            raise Refused(
                f"not published: from a picture's bytes, joints move by "
                f"{typical:.3g} px of the crop, and {limit:g} are allowed"
            )
        return typical


def _in_batches(predict, crops):
    parts = [
        predict(crops[start : start + _BATCH])
        for start in range(0, len(crops), _BATCH)
    ]
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in backends.OUTPUTS
    }


def _numpy(outputs):
    return {name: np.asarray(outputs[name]) for name in backends.OUTPUTS}
