"""Figures of the validation split: losses, PCKh, AP, and AUC over beta."""

import numpy as np

from integral_tf import config as configs
from integral_tf import layers
from integral_tf import metrics
from integral_tf.evaluation import calibrate
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import predictions
from integral_tf.models import methods
from integral_tf.records.folder import Records
from integral_tf.training.objectives import Objective


class Validator:
    """Evaluates the validation split without augmentation.

    Args:
        config: A `config.TrainConfig`.
        observe: The `predictions.Observer` of the model.
        records: The `Records`.

    Attributes:
        predicted: The `predictions.Predictions` of the last `figures`, or None.
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

    def figures(self, objectives: dict[str, Objective]) -> dict[str, float]:
        """Figures of the validation split.

        Args:
            objectives: The losses of the phase, from `objectives.objectives`.

        Returns:
            Dict of the mean losses and their weighted sum `loss`; `pckh@0.5`,
            `pckh@0.1` and `auc` in percent; and `ap` in percent, if the
            records hold COCO's ground truth.
        """
        costs, rows = {}, []
        for people, crops, outputs in self._outputs():
            each = _costs(objectives, crops, outputs)
            for name, values in each.items():
                costs.setdefault(name, []).append(np.asarray(values))
            rows.append(_predicted(people, crops, outputs))
        figures = {
            name: float(np.concatenate(values).mean())
            for name, values in costs.items()
        }
        figures["loss"] = _weighted(objectives, figures)
        predicted = self.predicted = predictions.concatenate(rows)
        score, _ = predicted.pckh(self.records.skeleton)
        figures["pckh@0.5"], figures["pckh@0.1"] = score.at[0.5], score.at[0.1]
        figures["auc"] = score.auc
        if self.annotations:
            figures["ap"] = 100 * self._average_precision(predicted)
        return figures

    def training_loss(self, objectives: dict[str, Objective]) -> float:
        """The weighted loss on the first batch of the training split."""
        _, crops, outputs = next(self._outputs("train"))
        costs = _costs(objectives, crops, outputs)
        means = {name: float(np.mean(each)) for name, each in costs.items()}
        return _weighted(objectives, means)

    def best_beta(self) -> tuple[float, list[float]]:
        """Chooses the beta of `calibrate.BETAS` with the greatest AUC of PCKh.

        Returns:
            The beta; and the AUC in percent for each of `calibrate.BETAS`.
        """
        stride = methods.stride(self.config.upsamplings)
        integral = layers.IntegralRegression(stride, cells=self.config.cells)
        maps = (
            (outputs["heatmaps"], (people, crops, outputs))
            for people, crops, outputs in self._outputs()
        )
        beta, costs = calibrate.choose_beta(integral, maps, self._minus_aucs)
        return beta, [-cost for cost in costs]

    def _minus_aucs(self, readings):
        rows = [[] for _ in calibrate.BETAS]
        for read, _, (people, crops, outputs) in readings:
            for row, each in zip(rows, read):
                outputs_of_beta = {**outputs, "joints": each["joints"]}
                row.append(_predicted(people, crops, outputs_of_beta))
        return [
            -predictions.concatenate(row).pckh(self.records.skeleton)[0].auc
            for row in rows
        ]

    def hits(self) -> tuple[np.ndarray, np.ndarray]:
        """Scores of the M labelled joints, and which are right by PCKh@0.5.

        Returns:
            `(M,)` scores and `(M,)` bools.
        """
        predicted = predictions.concatenate(
            [_predicted(*observed) for observed in self._outputs()]
        )
        errors = predicted.errors()
        known = ~np.isnan(errors)
        return predicted.scores[known], errors[known] <= 0.5

    def _average_precision(self, predicted):
        results = coco_results.of_predictions(predicted, self.annotations)
        return metrics.coco_keypoint_ap(
            self.annotations, results, self.records.skeleton.sigmas
        )["AP"]

    def _outputs(self, split="val"):
        return self._observe(self.records, split, self.config.batch_size)


def _predicted(people, crops, outputs):
    """The `predictions.Predictions` of a batch."""
    return predictions.of_batch(
        people, outputs["joints"], outputs["scores"], crops["to_window"]
    )


def _weighted(objectives, means):
    """The sum of the mean losses, with the phase's weights."""
    return sum(each.weight * means[name] for name, each in objectives.items())


def _costs(objectives, crops, outputs):
    """Dict from a loss's name to its `(B,)` unweighted values."""
    return {
        name: each.loss(crops["labels"], outputs[each.output])
        for name, each in objectives.items()
    }
