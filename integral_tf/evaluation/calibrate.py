"""Calibrates an integral model: its beta, and its scores as probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import former
from integral_tf import layers
from integral_tf import metrics
from integral_tf.evaluation import feed
from integral_tf.metrics import fitting
from integral_tf.models import doubts
from integral_tf.models import reading
from integral_tf.signatures import ArrayLike

_READ = {"joints", "scores", "heatmaps"}
# The candidates that calibration chooses from.
BETAS = np.geomspace(1, 100, 21).round(2)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Result of `calibrate`.

    Attributes:
        beta: The chosen factor before the softmax of Eq. (5).
        errors: `(21,)` mean of min(distance, reach) in pixels of the crop, for
            each of `BETAS`.
        error_before: The same for the beta that the model had before.
        reach: Distance in pixels of the crop within which a joint is right.
        calibration_error, calibration_error_before: Expected calibration error
            of the scores after and before, on the same people.
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
    """Chooses the beta with the least error on a dataset, and fits the scores.

    Changes the model without training it. Its integrals get the best of `BETAS`
    and of the beta that they have. Its scores become the probability that a
    joint is within `reach` of the truth. The error is the mean of
    min(distance, reach): minimising it maximises the area under the PCK curve
    up to `reach`, and a joint on the wrong limb never costs more than `reach`.

    Args:
        model: A model of `integralize` or `pose_model`, with an integral.
        dataset: People that the model was not trained on, in the form that
            `fit` takes: batches `(images, truth)`, or two arrays. The truth is
            `(batch, K, 3)`: x and y in pixels of the crop and visibility, above
            0 for labelled joints; or a dict with this array as `joints`. For
            lines and volumes it has the form that the losses take.
        reach: Distance in pixels of the crop. None takes a sixteenth of the
            crop's longer side, about half a head. ours: PCKh and the trainer
            take half the head's size, which a dataset need not have.
        steps: Most batches to read; None reads all. An endless dataset needs
            it. A generator does not say whether it is endless.

    Returns:
        A `Calibration`.

    Raises:
        ValueError: the model has no integral, the dataset is endless or has no
            labelled joint, the truth has another shape or another unit, or the
            maps are softmaxed already.

    Warns:
        UserWarning: the truth seems to be in pixels of the maps or of the
            photographs, or the dataset seems to be endless.
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
    error = _ClippedError(integral, joints[1:], reach)
    # The present beta comes first, so that it stays if it is the best.
    betas = [integral.beta, *map(float, BETAS)]
    probe = probe_of(integral)

    def readings():
        for images, truth in feed.batches(dataset, steps):
            maps = model(images, training=False)["heatmaps"]
            yield list(read_at(betas, probe, maps)), maps, truth

    errors = error(readings())
    best = int(np.argmin(errors))
    beta = betas[best]
    before = reading.scored(model, error.confidences[0])
    reading.set_beta(model, beta)
    hits = error.distances <= error.reach
    fit_scores(model, error.confidences[best], hits[best])
    after = reading.scored(model, error.confidences[best])
    return Calibration(
        beta=beta,
        errors=errors[1:],
        error_before=float(errors[0]),
        reach=float(error.reach),
        calibration_error=metrics.calibration_error(after, hits[best]),
        calibration_error_before=metrics.calibration_error(before, hits[0]),
    )


def probe_of(
    integral: layers.IntegralRegression,
) -> layers.IntegralRegression:
    """A copy of an integral that gives `confidence`, too."""
    config = {**integral.get_config(), "confidence": True}
    config |= {"learn_beta": False, "covariance": False}
    return layers.IntegralRegression.from_config(config)


def read_at(
    betas: Iterable[float],
    probe: layers.IntegralRegression,
    maps: Any,
    call: Callable[[Any], dict] | None = None,
) -> Iterator[dict]:
    """Reads maps by a probe at each of these betas, one after another.

    Args:
        betas: The betas.
        probe: What `probe_of` gave; its beta is changed.
        maps: Heat maps, as the probe takes them.
        call: The probe in a compiled function; None calls the probe itself.
    """
    for beta in betas:
        probe.beta = float(beta)
        yield (call or probe)(maps)


class _ClippedError:
    """The criterion of `calibrate`: the mean of min(distance, reach).

    Attributes:
        distances, confidences: `(betas, M)` of the M labelled joints that were
            read.
        reach: Pixels of the crop.
    """

    def __init__(
        self,
        integral: layers.IntegralRegression,
        joints: Sequence[int],
        reach: float | None,
    ) -> None:
        self.reach = reach
        self._integral, self._joints = integral, joints

    def __call__(self, readings: Iterable[tuple]) -> np.ndarray:
        truths, distances, confidences = [], [], []
        for outputs, maps, truth in readings:
            points, known = feed.labelled(truth, (len(maps), *self._joints))
            sums = doubts.sums_of(maps, self._integral.data_format)
            doubts.refuse_softmaxed(sums)
            frame = _frame(maps, self._integral)
            joints = np.stack([_numpy(each["joints"]) for each in outputs])
            differences = joints[:, known] - points[known]
            feed.check_read(differences)
            truths.append(points[known])
            distances.append(np.linalg.norm(differences, axis=-1))
            scores = np.stack([_numpy(each["confidence"]) for each in outputs])
            confidences.append(scores[:, known])
        feed.check_units(truths, *frame) if truths else feed.none_read()
        if self.reach is None:
            lengths, steps, _ = frame
            self.reach = max(lengths * steps) / 16
        self.distances = np.concatenate(distances, axis=1)
        self.confidences = np.concatenate(confidences, axis=1)
        return np.minimum(self.distances, self.reach).mean(axis=1)


def fit_scores(
    model: keras.Model, confidence: ArrayLike, hits: ArrayLike
) -> None:
    """Makes a model's scores the probability that a joint is right.

    Args:
        model: The pose model; not changed if it has no scores.
        confidence: `(M,)` uncalibrated scores in [0, 1].
        hits: `(M,)` bools, whether the joint is right.
    """
    slope, offset = fitting.fit_platt(confidence, hits)
    for layer in reading.score_layers(model):
        layer.slope, layer.offset = slope, offset


def _read_by(model):
    """The integral that decodes a model's maps, and the joints' shape."""
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


def _frame(maps, integral):
    """The frame of the maps in the unit of the joints.

    Returns:
        Three arrays `(D,)`, x first: the maps' lengths in pixels, what a pixel
        spans, and where the first pixel begins.
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


__getattr__ = former.names(__name__)
