"""Reads and checks the dataset of `calibrate`, in the forms that `fit` takes.

Shape letters: K joints, D axes of a point (2 in pictures), M labelled joints.
"""

import itertools
import operator
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from integral_tf import checks
from integral_tf.ops import labels

_BATCH = 32
# Batches after which a dataset of unknown length may be endless.
_MANY = 1000
# Fewest labelled joints for a warning about where they lie.
_ENOUGH = 10


def batches(dataset: Any, steps: int | None = None) -> Iterator[tuple]:
    """Yields batches `(images, truth)` of a dataset or of two arrays.

    Args:
        dataset: An iterable of tuples, a `keras.utils.PyDataset`, or a tuple
            of arrays.
        steps: Most batches; None for all.

    Raises:
        ValueError: the dataset is endless and `steps` is None, or its batches
            are not tuples.
    """
    if steps is not None:
        steps = checks.whole(
            "steps", steps, "`steps` counts batches, from 1.", least=1
        )
    elif _endless(dataset):
        raise ValueError(
            "`dataset` has no end: leave its repeat() out, or say by `steps` "
            f"how many batches to read. Received: {_said(dataset)}, steps=None"
        )
    if _are_arrays(dataset):
        dataset = _cut(dataset)
    elif not hasattr(dataset, "__iter__") and hasattr(dataset, "__len__"):
        dataset = map(dataset.__getitem__, range(len(dataset)))
    if not hasattr(dataset, "__iter__"):
        raise ValueError(
            "`dataset` gives batches (images, truth), or is two arrays. "
            f"Received: {_said(dataset)}"
        )
    for number, batch in enumerate(itertools.islice(dataset, steps), start=1):
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise ValueError(
                "`dataset` gives batches (images, truth), or is two arrays. "
                f"Received: {_said(batch)} as batch {number}"
            )
        if (
            steps is None
            and number == _MANY
            and not hasattr(dataset, "__len__")
        ):
            warnings.warn(
                f"calibrate has read {_MANY} batches, and reads on. Where "
                "`dataset` has no end, give `steps`.",
                stacklevel=3,
            )
        yield batch[0], batch[1]


def labelled(
    truth: Any, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Splits a batch's truth into points and a mask of labelled joints.

    Args:
        truth: `(batch, K, D + 1)`, or a dict with this array as `joints`.
        shape: The shape of the model's joints, `(batch, K, D)`.

    Returns:
        `(batch, K, D)` points and `(batch, K)` bools, NumPy arrays.

    Raises:
        ValueError: the truth has another shape, or a labelled joint is not
            finite.
    """
    if isinstance(truth, dict):
        if "joints" not in truth:
            raise ValueError(
                "The truth is (batch, joints, 3), or a dict with it as "
                f"`joints`. Received: a dict of {', '.join(truth) or 'nothing'}"
            )
        truth = truth["joints"]
    points, visible = labels.parted(truth, *shape)
    points = np.asarray(keras.ops.convert_to_numpy(points))
    known = np.asarray(keras.ops.convert_to_numpy(visible)) > 0
    wrong = np.argwhere(~np.isfinite(points).all(axis=-1))
    if len(wrong):
        person, joint = wrong[0]
        raise ValueError(
            "A joint that is labelled, by a visibility above 0, has finite "
            f"coordinates. Received: {points[person, joint].tolist()} as joint "
            f"{joint} of person {person} in its batch"
        )
    return points, known


def check_units(
    batches_of_points: list[np.ndarray],
    lengths: np.ndarray,
    steps: np.ndarray,
    low: np.ndarray,
) -> None:
    """Checks whether the truth seems to be in pixels of the crop.

    Args:
        batches_of_points: List of `(M, D)` labelled points, one per batch.
        lengths: `(D,)` lengths of the maps in pixels, x first.
        steps: `(D,)` what a pixel of the maps spans, in the unit of the joints.
        low: `(D,)` where the first pixel begins, in the unit of the joints.

    Raises:
        ValueError: no joint is labelled, or all of them lie within 1 pixel.

    Warns:
        UserWarning: the truth seems to be in pixels of the maps, or of the
            photographs.
    """
    points = np.concatenate(batches_of_points)
    side = lengths * steps
    if not len(points):
        raise ValueError(
            "`dataset` has no labelled joint, one with a visibility above 0. "
            f"Received: {len(batches_of_points)} batches without"
        )
    crop = f"a crop of {' x '.join(f'{each:g}' for each in side)}"
    most = np.abs(points).max(axis=0)
    said = f"Received: coordinates up to {most.round(3).tolist()} in {crop}"
    if points.size >= 4 and most.max() <= 1 and min(side) > 4:
        raise ValueError(
            "The truth is in pixels of the crop, and seems to be normalised to "
            f"its size: multiply it (coordinates.unit_to_crop). {said}"
        )
    if len(points) < _ENOUGH:
        return
    if min(steps) >= 2 and (most < lengths).all():
        _warn(f"The truth seems to be in pixels of the maps. {said}")
    outside = (points < low) | (points > low + side)
    if outside.any(axis=-1).mean() > 0.5:
        _warn(
            "Most of the truth lies outside the crops, whose pixels it is in; "
            f"are they those of the photographs? {said}"
        )


def check_read(differences: np.ndarray) -> None:
    """Requires that decoded joints are not NaN.

    Args:
        differences: `(betas, M, D)` decoded joints minus the truth.

    Raises:
        ValueError: a difference is NaN.
    """
    wrong = np.isnan(differences).any(axis=(0, -1))
    if wrong.any():
        raise ValueError(
            "Maps with a NaN have no joint: the images have one, or the "
            f"weights. Received: {wrong.sum()} of {wrong.size} labelled joints "
            "of a batch read as NaN"
        )


def none_read() -> None:
    """Raises the error for a dataset without batches."""
    raise ValueError(
        "`dataset` gives no batch. A generator gives its batches once. "
        "Received: nothing"
    )


def _endless(dataset):
    """Whether a dataset is known to be endless."""
    if isinstance(dataset, keras.utils.PyDataset):
        return dataset.num_batches is None
    if isinstance(dataset, (itertools.cycle, itertools.count)):
        return True
    if isinstance(dataset, itertools.repeat):
        return operator.length_hint(dataset, -1) < 0
    count = getattr(dataset, "cardinality", None)
    return callable(count) and int(count()) == -1  # tf.data's INFINITE


def _are_arrays(dataset):
    return (
        isinstance(dataset, (tuple, list))
        and len(dataset) in (2, 3)
        and (hasattr(dataset[1], "shape") or isinstance(dataset[1], dict))
    )


def _cut(arrays):
    """Yields batches of whole arrays `(images, truth, ...)`."""
    lengths = {len(each) for each in keras.tree.flatten(tuple(arrays))}
    if len(lengths) != 1:
        raise ValueError(
            "Images and truth are of the same people, as many of one as of "
            f"the other. Received: {' and '.join(map(str, sorted(lengths)))}"
        )
    (count,) = lengths
    for start in range(0, count, _BATCH):
        cut = operator.itemgetter(slice(start, start + _BATCH))
        yield keras.tree.map_structure(cut, tuple(arrays))


def _said(value):
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return kind if shape is None else f"{kind} of shape {tuple(shape)}"


def _warn(sentence):
    warnings.warn(sentence, stacklevel=4)
