"""A model's predictions on a split of records, in the image frame.

Shape letters: N people, B people of a batch, K joints.
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import coordinates
from integral_tf import former
from integral_tf import layers
from integral_tf import metrics
from integral_tf import progress
from integral_tf import skeletons
from integral_tf import units
from integral_tf.inference import flip
from integral_tf.inference import keras_backend
from integral_tf.metrics import fitting
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records

# Square pixels; a map of one pixel has a covariance of 0.
_LEAST = 1e-6 * np.eye(2)


@dataclasses.dataclass
class Predictions:
    """Predicted joints of N people, with their annotations; float32.

    Attributes:
        joints: `(N, K, 2)` predicted x, y in the image frame.
        scores: `(N, K)` scores of the joints.
        truth: `(N, K, 2)` annotated x, y in the image frame.
        visible: `(N, K)` 1 where labelled, else 0.
        head_size: `(N,)` in image pixels; 0 if unknown.
        box: `(N, 4)` x, y, width, height in image pixels.
        box_score: `(N,)` a detector's score; 1 for an annotated box.
        image_id: `(N,)` numbers of the images.
        source_id: `(N,)` bytes that identify the person in the dataset.
        category: `(N,)` COCO's number of the person's category; 0 if the
            records have none. None becomes zeros.
        image_extent: `(N, 2)` width and height of the images; None if unknown.
        sigmas_off: `(N, K)` Mahalanobis distances of the truth from the
            joints, by the covariances of these; None if the model gives none.
        negative: `(N,)` above 0 for pictures without anybody; None for none.
        reference: The unit of `head_size`, if another length was named; None
            for heads.
    """

    joints: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    visible: np.ndarray
    head_size: np.ndarray
    box: np.ndarray
    box_score: np.ndarray
    image_id: np.ndarray
    source_id: np.ndarray
    category: np.ndarray | None = None
    image_extent: np.ndarray | None = None
    sigmas_off: np.ndarray | None = None
    negative: np.ndarray | None = None
    reference: units.Unit | None = None

    def __post_init__(self) -> None:
        if self.category is None:
            self.category = np.zeros(len(self.joints), int)
        self.category = np.asarray(self.category)

    @property
    def is_labelled(self) -> bool:
        """Whether any joint is labelled; a detector's boxes have no labels."""
        return bool((self.visible > 0).any())

    def of_people(self, people: bool = True) -> "Predictions":
        """The rows of people, without pictures of nobody; or these alone."""
        if self.negative is None or (people and not self.negative.any()):
            return self
        kept = (self.negative > 0) != people
        columns = {
            name: np.asarray(column)[kept]
            for name in _columns()
            if (column := getattr(self, name)) is not None
        }
        return dataclasses.replace(self, **columns)

    def measured(
        self,
        skeleton: skeletons.Skeleton,
        normalise_by: str = "",
        alpha: str = "",
    ) -> "Predictions":
        """These people, with errors in another unit or at other thresholds.

        Args:
            skeleton: The `skeletons.Skeleton` of the joints.
            normalise_by: As for `units.named`; empty keeps the unit.
            alpha: As for `units.alphas`; empty takes those of the unit.

        Raises:
            ValueError: one of these is not of its form, or nobody has this
                length.
        """
        unit, sizes = self.unit, self.lengths
        if normalise_by:
            unit = units.named(normalise_by, skeleton)
            sizes = units.lengths(
                normalise_by, skeleton, self.truth, self.visible, self.box
            )
        if alpha:
            unit = dataclasses.replace(unit, alphas=units.alphas(alpha))
        if self.is_labelled and not (sizes > 0).any():
            raise ValueError(
                "Nobody has the length that divides the errors: "
                f"{unit.words}. Received: --normalise_by={normalise_by}"
            )
        if not (normalise_by or alpha):
            return self
        return dataclasses.replace(self, head_size=sizes, reference=unit)

    def pckh(
        self,
        skeleton: skeletons.Skeleton,
        *,
        compat: str | None = None,
        weights: tuple[float, ...] | None = None,
    ) -> tuple[metrics.Pckh, str]:
        """PCKh of these people (Section 6.1); PCK if head sizes are unknown.

        Args:
            skeleton: The `skeletons.Skeleton` of the joints.
            compat: As in `metrics.pckh`.
            weights: As in `metrics.pckh`.

        Returns:
            A `metrics.Pckh`, and the metric's name: "PCKh" or "PCK".
        """
        unit = self.unit
        score = metrics.pckh(
            self.joints,
            self.truth,
            self.visible,
            self.lengths,
            skeleton,
            alphas=unit.alphas,
            up_to=unit.right,
            compat=compat,
            weights=weights,
        )
        return score, unit.metric

    def errors(self) -> np.ndarray:
        """`(N, K)` distances to the truth in lengths of `unit`.

        NaN without a label or a length; infinite if the prediction is not
        finite.
        """
        return metrics.normalised_errors(
            self.joints, self.truth, self.visible, self.lengths
        )

    @property
    def lengths(self) -> np.ndarray:
        """`(N,)` lengths that divide the errors, in image pixels."""
        if self.reference:
            return self.head_size
        return metrics.reference_lengths(self.head_size, self.box)[0]

    @property
    def unit(self) -> units.Unit:
        """The unit of `lengths`."""
        if self.reference:
            return self.reference
        _, metric = metrics.reference_lengths(self.head_size, self.box)
        return units.HEAD if metric == "PCKh" else units.TENTH

    def mean_errors(
        self, weights: tuple[float, ...] | None = None
    ) -> np.ndarray:
        """`(N,)` mean of each person's `errors`; NaN if none is known.

        Args:
            weights: K weights of the joints in the mean; None for the same.
        """
        return self.nme(weights).each

    def nme(self, weights: tuple[float, ...] | None = None) -> metrics.Nme:
        """The mean of `mean_errors`, and failures above `unit.right`.

        Args:
            weights: K weights of the joints in the mean; None for the same.
        """
        return metrics.nme(
            self.errors(), threshold=self.unit.right, weights=weights
        )


def _columns():
    """Names of the fields that have a row for each person."""
    return [
        field.name
        for field in dataclasses.fields(Predictions)
        if field.name != "reference"
    ]


def of_batch(
    people: dict[str, Any],
    joints: Any,
    scores: Any,
    to_window: Any,
    covariance: Any = None,
    reference: units.Unit | None = None,
) -> Predictions:
    """Makes the `Predictions` of a batch.

    Args:
        people: A batch of `batches.eval_batches`.
        joints: `(B, K, 2)` predicted x, y in the crop frame.
        scores: `(B, K)` scores of the joints.
        to_window: `(B, 2, 3)` affine maps from the crop to the window.
        covariance: `(B, K, 2, 2)` of each joint's x and y in the crop frame,
            or None.
        reference: `Records.unit`.
    """
    to_image = np.asarray(people["to_image"], np.float64)
    joints = coordinates.apply(to_image, coordinates.apply(to_window, joints))
    truth = coordinates.apply(to_image, people["joints"])
    sigmas_off = None
    if covariance is not None:
        window = np.asarray(to_window)
        linear = (to_image[:, :, :2] @ window[:, :, :2])[:, None]
        spread = linear @ np.asarray(covariance) @ linear.mT + _LEAST
        sigmas_off = np.float32(fitting.mahalanobis(joints - truth, spread))
    return Predictions(
        joints=np.float32(joints),
        scores=np.asarray(scores),
        truth=np.float32(truth),
        visible=np.asarray(people["visible"]) > 0,
        head_size=np.asarray(people["head_size"]),
        box=np.asarray(people["image_boxes"]),
        box_score=np.asarray(people["box_score"]),
        image_id=np.asarray(people["image_id"]),
        source_id=np.asarray(people["source_id"]),
        category=people.get("category"),
        image_extent=people.get("image_extent"),
        sigmas_off=sigmas_off,
        negative=np.asarray(people["negative"])
        if "negative" in people
        else None,
        reference=reference,
    )


def concatenate(parts: Iterable[Predictions], total: int = 0) -> Predictions:
    """Joins `Predictions` into one.

    Args:
        parts: At least one.
        total: How many people they have; 0 counts them, and then all parts are
            in memory. Else each part is copied to its place, and forgotten.
    """
    parts = parts if total else list(parts)
    total = total or sum(len(part.joints) for part in parts)
    joined, end = {}, 0
    for part in parts:
        start, end = end, end + len(part.joints)
        for name in _columns():
            if (column := getattr(part, name)) is not None:
                if name not in joined:
                    shape, kind = np.shape(column)[1:], np.asarray(column).dtype
                    joined[name] = np.empty((total, *shape), kind)
                joined[name][start:end] = column
    return Predictions(**joined, reference=part.reference)


class Observer:
    """Runs a model on the people of records, in batches, without augmentation.

    Args:
        model: The pose model, or another function from images to a dict of
            outputs. None gives no outputs, and crops without images.
        skeleton: The `skeletons.Skeleton` of the records.
        size: (height, width) of the crops; None takes the model's input.
    """

    def __init__(
        self,
        model: Any,
        skeleton: skeletons.Skeleton,
        size: tuple[int, int] | None = None,
    ) -> None:
        size = size or model.input_shape[1:3]
        self._crop = layers.PersonCrop(*size, skeleton.mirrored_order)
        self._model = model
        self._step = tf.function(
            self._observed, autograph=False, reduce_retracing=True
        )

    def __call__(
        self, records: Records, split: str, batch_size: int, limit: int = 0
    ) -> Iterator[tuple[dict, dict, dict]]:
        """Yields people, their crops and the model's outputs.

        Args:
            records: The `Records`.
            split: Name of the split.
            batch_size: People in a batch.
            limit: Most people; 0 for all.

        Yields:
            Three dicts per batch: of `batches.eval_batches`, of
            `layers.PersonCrop` and of the model. Batches have the order of the
            records.
        """
        with records.reading(split):
            for people in batches.eval_batches(
                records, split, batch_size, limit
            ):
                yield self.batch(people)

    def batch(self, people: dict) -> tuple[dict, dict, dict]:
        """A batch of people, their crops and the model's outputs."""
        return people, *self._step(batches.for_device(people))

    def _observed(self, people):
        crops = self._crop(people, training=False)
        if self._model is None:
            del crops["images"]  # so TensorFlow does not compute them
            return crops, {}
        return crops, self._model(crops["images"], training=False)


def predict(
    model: keras.Model, config: configs.EvaluateConfig, records: Records
) -> Predictions:
    """Runs a model over a split of records.

    Args:
        model: A pose model.
        config: A `config.EvaluateConfig`.
        records: The `Records`.

    Returns:
        `Predictions`, in the order of the records.
    """
    size = model.input_shape[1:3]
    estimate = keras_backend.with_covariance(model)
    if config.flip_test:
        estimate = flip.flipped(estimate, records.skeleton, config.flip_merge)
    observer = Observer(estimate, records.skeleton, size)
    return _gathered(observer, config, records)


def truth(config: configs.EvaluateConfig, records: Records) -> Predictions:
    """Makes `Predictions` of the records' truth, mapped to the crop and back.

    A model without error would predict these. Scores are 1 for labelled
    joints, else 0.

    Args:
        config: A `config.EvaluateConfig`.
        records: The `Records`.
    """
    side = records.window_size
    nothing = Observer(None, records.skeleton, (side, side))
    return _gathered(nothing, config, records)


def _gathered(observer, config, records):
    total = records.people(config.split)
    total = min(total, config.limit or total)

    def parts():
        with progress.bar("evaluate", total, unit="people") as bar:
            for people, crops, outputs in observer(
                records, config.split, config.batch_size, config.limit
            ):
                part = of_batch(
                    people,
                    outputs.get("joints", crops["joints"]),
                    outputs.get("scores", crops["visible"]),
                    crops["to_window"],
                    outputs.get("covariance"),
                    records.unit,
                )
                bar.update(len(part.joints))
                yield part

    return concatenate(parts(), total)


__getattr__ = former.names(__name__)
