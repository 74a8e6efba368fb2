"""What a model says of a split of records, in the image frame."""

import dataclasses

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import layers
from integral_tf import metrics
from integral_tf import progress
from integral_tf.inference import flip
from integral_tf.pipeline import batches
from integral_tf.records import shards


@dataclasses.dataclass
class Predictions:
    """Joints of N people, and what the records say of them.

    Attributes:
        joints: `(N, K, 2)` x, y in the image frame.
        scores: `(N, K)`.
        truth: `(N, K, 2)` in the image frame.
        visible: `(N, K)` 1 where labelled.
        head_size: `(N,)` image pixels; 0 where unknown.
        box: `(N, 4)` x, y, width, height in the image.
        box_score: `(N,)` a detector's; 1 of an annotated box.
        image_id: `(N,)`.
        source_id: `(N,)` bytes.
        category: `(N,)` COCO's number of the person's category; 0 where the
            records have none, and by default.
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

    def __post_init__(self):
        if self.category is None:
            self.category = np.zeros(len(self.joints), int)
        self.category = np.asarray(self.category)

    @property
    def is_labelled(self):
        """Whether anybody's truth is known; not so of a detector's boxes."""
        return bool((self.visible > 0).any())

    def errors(self):
        """`(N, K)` distances to the truth in reference lengths, such as heads.

        NaN where there is no truth or no such length, infinite where a
        prediction is not a number.
        """
        lengths, _ = metrics.reference_lengths(self.head_size, self.box)
        known = (self.visible > 0) & (lengths > 0)[:, None]
        distance = np.linalg.norm(self.joints - self.truth, axis=-1)
        relative = distance / np.where(lengths > 0, lengths, 1)[:, None]
        relative = np.where(np.isfinite(relative), relative, np.inf)
        return np.where(known, relative, np.nan)


def of_batch(people, joints, scores, to_window):
    """`Predictions` of a batch.

    Args:
        people: What `batches.eval_batches` gives.
        joints: `(B, K, 2)` in the crop frame.
        scores: `(B, K)`.
        to_window: `(B, 2, 3)` affine maps crop -> window.
    """
    to_image = np.asarray(people["to_image"], np.float64)
    joints = coordinates.apply(to_window, joints)
    return Predictions(
        joints=coordinates.apply(to_image, joints),
        scores=np.asarray(scores),
        truth=coordinates.apply(to_image, people["joints"]),
        visible=np.asarray(people["visible"]),
        head_size=np.asarray(people["head_size"]),
        box=np.asarray(people["image_boxes"]),
        box_score=np.asarray(people["box_score"]),
        image_id=np.asarray(people["image_id"]),
        source_id=np.asarray(people["source_id"]),
        category=people.get("category"),
    )


def concatenate(rows):
    """One `Predictions` of several."""
    names = [field.name for field in dataclasses.fields(Predictions)]
    return Predictions(
        **{n: np.concatenate([getattr(row, n) for row in rows]) for n in names}
    )


def predict(model, config, data, skeleton):
    """Runs a model over a split of records.

    Args:
        model: A pose model; None for the records' own truth, sent through the
            crop and back, as a model without error would have it.
        config: A `config.EvaluateConfig`.
        data: Folder of records.
        skeleton: Its `skeletons.Skeleton`.

    Returns:
        `Predictions`, in the order of the records.
    """
    if model is None:
        side = shards.read_manifest(data)["window_size"]
        crop = layers.RandomCrop(side, side, skeleton.mirrored_order)
    else:
        crop = layers.RandomCrop(
            *model.input_shape[1:3], skeleton.mirrored_order
        )
        estimate = (
            flip.flipped(model, skeleton, config.flip_merge)
            if config.flip_test
            else model
        )

    @tf.function(reduce_retracing=True)
    def step(people):
        crops = crop(people, training=False)
        if model is None:
            return crops["joints"], crops["visible"], crops["to_window"]
        outputs = estimate(crops["images"])
        return outputs["joints"], outputs["scores"], crops["to_window"]

    total = shards.read_manifest(data)["splits"][config.split]["people"]
    total = min(total, config.limit or total)
    rows = []
    with (
        progress.bar("evaluate", total, unit="people") as bar,
        shards.reading(data, config.split),
    ):
        for people in batches.eval_batches(
            data, config.split, config.batch_size, config.limit
        ):
            rows.append(of_batch(people, *step(batches.for_device(people))))
            bar.update(len(rows[-1].joints))
    return concatenate(rows)
