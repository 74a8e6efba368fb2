"""Figures of the validation split, in one pass: losses, PCKh, AP, AUC, beta.

All figures but the losses are those of the model that would be saved now: read
at the best beta, with calibrated scores. The losses are those of the training.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from integral_tf import config as configs
from integral_tf import joint_numbers
from integral_tf import layers
from integral_tf import metrics
from integral_tf.evaluation import calibrate
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import predictions
from integral_tf.metrics import fitting
from integral_tf.models import methods
from integral_tf.records.folder import Records
from integral_tf.training import objectives as losses
from integral_tf.training.objectives import Objective


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a pass over the validation split finds.

    Attributes:
        figures: Dict of the mean losses and their weighted sum `loss`;
            `pckh@0.5`, `pckh@0.1` and `auc` in percent, `pck@...` where the
            unit is no head; `nme` in percent, if the records have a named
            unit; `ap` in percent, if the records hold COCO's ground truth; and
            `beta`, if it is chosen.
        beta: The beta with the greatest AUC; None if it is not chosen.
        aucs: AUC in percent for each of `calibrate.BETAS`, or for the model's
            own reading alone.
        slope, offset: For `layers.ScoreCalibration`.
        calibration_error: Expected calibration error of the scores before and
            after; None if the method has no scores.
    """

    figures: dict[str, float]
    beta: float | None
    aucs: list[float]
    slope: float = 1.0
    offset: float = 0.0
    calibration_error: tuple[float, float] | None = None


class Validator:
    """Evaluates the validation split without augmentation.

    Args:
        config: A `config.TrainConfig`.
        observe: The `predictions.Observer` of the model, whose scores are not
            calibrated.
        records: The `Records`.

    Attributes:
        predicted: The `predictions.Predictions` of the last reading at the best
            beta, or None.
    """

    def __init__(
        self,
        config: configs.TrainConfig,
        observe: predictions.Observer,
        records: Records,
    ) -> None:
        self.config = config
        self.records = records
        self.annotations = records.annotations()
        self.predicted: predictions.Predictions | None = None
        self._observe = observe
        self._weights = joint_numbers.weights(
            config.joint_weights, records.skeleton
        )
        self._probe = None
        if losses.chooses_beta(config):
            stride = methods.stride(config.upsamplings)
            integral = layers.IntegralRegression(
                stride,
                cells=config.cells,
                background=methods.background(config),
            )
            self._probe = calibrate.probe_of(integral)
        # Traced once: the probe's beta is a variable.
        self._probed = tf.function(
            lambda maps: self._probe(maps),
            autograph=False,
            reduce_retracing=True,
        )

    def read(self, objectives: dict[str, Objective] | None = None) -> Reading:
        """Runs the model once over the validation split.

        Args:
            objectives: The losses of the phase, from `objectives.objectives`;
                None computes none.
        """
        costs, rows = {}, []
        batches = self._observe(self.records, "val", self.config.batch_size)
        for people, crops, outputs in batches:
            each = _costs(objectives or {}, people, crops, outputs)
            for name, values in each.items():
                costs.setdefault(name, []).append(np.asarray(values))
            rows.append(
                [
                    _predicted(people, crops, joints, scores, self.records.unit)
                    for joints, scores in self._readings(outputs)
                ]
            )
        figures = {
            name: float(np.concatenate(values).mean())
            for name, values in costs.items()
        }
        if objectives:
            figures["loss"] = _weighted(objectives, figures)
        candidates = [predictions.concatenate(list(row)) for row in zip(*rows)]
        found = [
            each.pckh(self.records.skeleton, weights=self._weights)[0]
            for each in candidates
        ]
        best = int(np.argmax([score.auc for score in found]))
        beta = float(calibrate.BETAS[best]) if self._probe else None
        return self._calibrated(
            candidates[best],
            Reading(
                {
                    **figures,
                    **_shown(found[best], candidates[best], self._weights),
                    **({} if beta is None else {"beta": beta}),
                },
                beta,
                [score.auc for score in found],
            ),
        )

    def _calibrated(self, predicted, reading):
        """Adds the calibration of the scores, and the AP, to a `Reading`."""
        errors = predicted.errors()
        known = ~np.isnan(errors)
        hits = errors[known] <= predicted.unit.right
        scores = predicted.scores[known]
        # A network's early maps may be NaN, while moving averages settle.
        if self.config.method != "R1" and np.isfinite(predicted.scores).all():
            slope, offset = fitting.fit_platt(scores, hits)
            layer = layers.ScoreCalibration(slope, offset)
            predicted = dataclasses.replace(
                predicted, scores=np.asarray(layer(predicted.scores))
            )
            pair = scores, predicted.scores[known]
            reading = dataclasses.replace(
                reading,
                slope=slope,
                offset=offset,
                calibration_error=tuple(
                    metrics.calibration_error(each, hits) for each in pair
                ),
            )
        if self.annotations:
            reading.figures["ap"] = 100 * self._average_precision(predicted)
        self.predicted = predicted
        return reading

    def training_loss(
        self, objectives: dict[str, Objective], records: Records
    ) -> float:
        """The weighted loss on the first batch of a training split."""
        batches = self._observe(records, "train", self.config.batch_size)
        costs = _costs(objectives, *next(batches))
        means = {name: float(np.mean(each)) for name, each in costs.items()}
        return _weighted(objectives, means)

    def _readings(self, outputs):
        """Pairs of joints and scores: one for each beta, or the model's own."""
        if self._probe is None:
            return [(outputs["joints"], outputs["scores"])]
        read = calibrate.read_at(
            calibrate.BETAS, self._probe, outputs["heatmaps"], self._probed
        )
        return [(each["joints"], each["confidence"]) for each in read]

    def _average_precision(self, predicted):
        results = coco_results.Results(predicted, self.annotations)
        return metrics.coco_keypoint_ap(
            self.annotations,
            results,
            self.records.skeleton.sigmas,
            weights=self._weights,
        )["AP"]


def _shown(score, predicted, weights):
    """The figures of joints, with the names that they have in the log."""
    metric = predicted.unit.metric.lower()
    figures = {
        f"{metric}@{alpha:g}": value for alpha, value in score.at.items()
    }
    figures["auc"] = score.auc
    if predicted.reference:
        figures["nme"] = predicted.nme(weights).nme
    return figures


def _predicted(people, crops, joints, scores, unit):
    """The `predictions.Predictions` of a batch's people."""
    return predictions.of_batch(
        people, joints, scores, crops["to_window"], reference=unit
    ).of_people()


def _weighted(objectives, means):
    """The sum of the mean losses, with the phase's weights."""
    return sum(each.weight * means[name] for name, each in objectives.items())


def _costs(objectives, people, crops, outputs):
    """Dict from a loss's name to its `(B,)` unweighted values."""
    return {
        name: each.costs(people, crops, outputs)
        for name, each in objectives.items()
    }
