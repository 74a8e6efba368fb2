"""Calibration of an integral model: its beta, and what its scores mean."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import layers
from integral_tf import metrics
from integral_tf.evaluation import feed
from integral_tf.metrics import fitting
from integral_tf.models import doubts
from integral_tf.models import reading
from integral_tf.signatures import ArrayLike

_READ = {"joints", "scores", "heatmaps"}
# What calibration chooses from.
BETAS = np.geomspace(1, 100, 21).round(2)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What `calibrate` chose, and from what.

    Attributes:
        beta: The factor before the softmax.
        errors: `(21,)` mean error in pixels of the crop, each joint's cut at
            `reach`, of each of `BETAS`.
        error_before: The same of the beta that the model had.
        reach: In pixels of the crop.
        calibration_error, calibration_error_before: Expected calibration error
            of the scores, on the same people.
    """

    beta: float
    errors: np.ndarray
    error_before: float
    reach: float
    calibration_error: float
    calibration_error_before: float


def calibrate(
    model: keras.Model,
    dataset: Any,
    reach: float | None = None,
    *,
    steps: int | None = None,
) -> Calibration:
    """Chooses the beta that reads a model's maps best, and fits its scores.

    Changes the model, and trains nothing: the best of `BETAS`, or the beta that
    it has, becomes that of its integrals, and its scores become the chance that
    a joint is within `reach` of the truth. The error is the mean of
    min(distance, reach), which is least where the area under the curve of
    correct joints up to `reach` is greatest, and does not heed how far off a
    lost joint is.

    Args:
        model: Of `integralize` or `pose_model`, with an integral.
        dataset: People that it was not trained on, as `fit` takes them: batches
            `(images, truth)`, or two arrays. Truth is `(batch, K, 3)`, x and y
            in pixels of the crop and visibility, above 0 where labelled, or a
            dict with it as `joints`; of lines and volumes as of the losses.
        reach: Pixels of the crop. None takes a sixteenth of its longer side,
            about half a head. ours: there need be no head sizes here, which
            PCKh and the trainer go by.
        steps: Batches to read at most; None reads all. A dataset without an
            end needs it. A generator does not say whether it has one.

    Returns:
        A `Calibration`.

    Raises:
        ValueError: no integral in the model, an endless dataset, no labelled
            joint in it, a truth of another shape or in another unit, or maps
            that are softmaxed already.

    Warns:
        UserWarning: the truth looks as if in pixels of the maps or of the
            photographs, or the dataset seems to have no end.
    """
    integral, joints = _read_by(model)
    if reach is not None:
        reach = checks.number(
            "reach",
            reach,
            "`reach` is the crop pixels within which a joint is right, so it "
            "is positive.",
            above=0,
        )
    # The one that it has first: what is best already stays.
    betas = [integral.beta, *map(float, BETAS)]
    probes = _probes(integral, betas)
    seen, distances, confidences = [], [], []
    for images, truth in feed.batches(dataset, steps):
        maps = model(images, training=False)["heatmaps"]
        points, known = feed.labelled(truth, (len(maps), *joints[1:]))
        sums = doubts.sums_of(maps, integral.data_format)
        doubts.refuse_softmaxed(sums)
        frame = _frame(maps, integral)
        read = [probe(maps) for probe in probes]
        found = np.stack([_numpy(each["joints"]) for each in read])
        apart = found[:, known] - points[known]
        feed.check_read(apart)
        seen.append(points[known])
        distances.append(np.linalg.norm(apart, axis=-1))
        confidence = np.stack([_numpy(each["confidence"]) for each in read])
        confidences.append(confidence[:, known])
    feed.check_units(seen, *frame) if seen else feed.none_read()
    if reach is None:
        lengths, steps, _ = frame
        reach = max(lengths * steps) / 16
    return _calibrated(model, betas, reach, distances, confidences)


def _calibrated(model, betas, reach, distances, confidences):
    """Sets a model to the best of the betas that were tried."""
    distances = np.concatenate(distances, axis=1)
    confidences = np.concatenate(confidences, axis=1)
    errors = np.minimum(distances, reach).mean(axis=1)
    best = int(np.argmin(errors))
    before = reading.scored(model, confidences[0])
    reading.set_beta(model, betas[best])
    fit_scores(model, confidences[best], distances[best] <= reach)
    after = reading.scored(model, confidences[best])
    return Calibration(
        beta=betas[best],
        errors=errors[1:],
        error_before=float(errors[0]),
        reach=float(reach),
        calibration_error=metrics.calibration_error(
            after, distances[best] <= reach
        ),
        calibration_error_before=metrics.calibration_error(
            before, distances[0] <= reach
        ),
    )


def fit_scores(
    model: keras.Model, confidence: ArrayLike, hits: ArrayLike
) -> None:
    """Makes a model's scores the chance that a joint is right.

    Args:
        model: The pose model; one without scores is left as it is.
        confidence: `(M,)` in [0, 1], as its maps are read.
        hits: `(M,)` bools.
    """
    slope, offset = fitting.fit_platt(confidence, hits)
    for layer in reading.score_layers(model):
        layer.slope, layer.offset = slope, offset


def _read_by(model):
    """The integral that reads a model's maps, and the shape of its joints."""
    outputs = getattr(model, "output", None)
    integrals = reading.integrals_of(model) if hasattr(model, "layers") else []
    if not integrals or not (
        isinstance(outputs, dict) and _READ <= set(outputs)
    ):
        raise ValueError(
            "`model` reads its `heatmaps` by an IntegralRegression and has "
            "`joints` and `scores`; integral_tf.integralize makes one of any "
            f"heat-map model. Received: {getattr(model, 'name', model)!r}"
        )
    return integrals[-1], tuple(outputs["joints"].shape)


def _probes(integral, betas):
    """Layers that read as the model's does, with these betas."""
    config = {**integral.get_config(), "confidence": True}
    config |= {"learn_beta": False, "covariance": False}
    return [
        layers.IntegralRegression.from_config({**config, "beta": beta})
        for beta in betas
    ]


def _frame(maps, integral):
    """Of the maps: their lengths, the steps of a pixel, and where they begin.

    All three `(D,)`, x first, in the unit of the joints.
    """
    first = integral.data_format == "channels_first"
    spatial = maps.shape[2:] if first else maps.shape[1:-1]
    lengths = np.array(spatial[::-1])
    steps = coordinates.steps(integral.stride, len(lengths))
    low = -0.5
    if integral.output_range is not None:
        low, high = integral.output_range
        steps = (high - low) / lengths
    return lengths, *np.broadcast_arrays(steps, low, lengths)[:2]


def _numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))
