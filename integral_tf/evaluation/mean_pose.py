"""The mean pose of people: a baseline that ignores the picture."""

import numpy as np

from integral_tf import coordinates
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records

_BLOCK = 4096  # people at a time


def of_records(records: Records, split: str) -> np.ndarray:
    """Computes the mean position of each joint in people's crops.

    Args:
        records: The `Records`.
        split: Split whose people are averaged.

    Returns:
        `(K, 2)` x, y relative to the unaugmented crop, which spans [0, 1].
    """
    total, count = 0.0, 0.0
    everyone = batches.eval_batches(records, split, 256, windows=False)
    for people in everyone.as_numpy_iterator():
        shares = coordinates.crop_to_unit(
            people["joints"] - _corner(people["boxes"]),
            _extent(people["boxes"]),
        )
        visible = people["visible"][..., None]
        total = total + (visible * shares).sum(axis=0)
        count = count + visible.sum(axis=0)
    return total / np.maximum(count, 1)


def place(mean: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Places the mean pose in each box.

    Args:
        mean: `(K, 2)`, from `of_records`.
        boxes: `(N, 4)` x, y, width, height.

    Returns:
        `(N, K, 2)` x, y in the boxes' frame, float32.
    """
    placed = np.empty((len(boxes), *mean.shape), np.float32)
    for start in range(0, len(boxes), _BLOCK):
        some = boxes[start : start + _BLOCK]
        placed[start : start + _BLOCK] = coordinates.unit_to_crop(
            mean, _extent(some)
        ) + _corner(some)
    return placed


def _corner(boxes):
    regions = np.stack([coordinates.region_around(box) for box in boxes])
    return regions[:, None, :2]


def _extent(boxes):
    regions = np.stack([coordinates.region_around(box) for box in boxes])
    return regions[:, None, 2:]
