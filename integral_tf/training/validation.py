"""The validation split, once an epoch: losses, PCKh, AP; AUC over beta."""

import numpy as np

from integral_tf import coordinates
from integral_tf import metrics
from integral_tf.evaluation import calibrate
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import predictions
from integral_tf.models import methods
from integral_tf.ops import integral


class Validator:
    """Looks at the validation split without augmentation.

    Args:
        config: A `config.TrainConfig`.
        observe: The `predictions.Observer` of the model.
        records: The `Records`.
    """

    def __init__(self, config, observe, records):
        self.config = config
        self.records = records
        self.annotations = records.annotations()
        self._observe = observe

    def figures(self, objectives):
        """Mean losses, PCKh@0.5, @0.1 and AUC in percent, and COCO's AP.

        AP stands there where the records hold COCO's ground truth.

        Args:
            objectives: Those of the phase, from `objectives.objectives`.
        """
        costs, rows = {}, []
        for people, crops, outputs in self._outputs():
            each = _costs(objectives, crops, outputs)
            for name, values in each.items():
                costs.setdefault(name, []).append(np.asarray(values))
            rows.append(_read(people, crops, outputs))
        figures = {
            name: float(np.concatenate(values).mean())
            for name, values in costs.items()
        }
        figures["loss"] = _weighted(objectives, figures)
        seen = predictions.concatenate(rows)
        score, _ = seen.pckh(self.records.skeleton)
        figures["pckh@0.5"], figures["pckh@0.1"] = score.at[0.5], score.at[0.1]
        figures["auc"] = score.auc
        if self.annotations:
            figures["ap"] = 100 * self._average_precision(seen)
        return figures

    def training_loss(self, objectives):
        """The loss of the first people of the training split, as weighted."""
        _, crops, outputs = next(self._outputs("train"))
        costs = _costs(objectives, crops, outputs)
        means = {name: float(np.mean(each)) for name, each in costs.items()}
        return _weighted(objectives, means)

    def aucs(self):
        """The AUC in percent of the maps read with each of `BETAS`."""
        stride = methods.stride(self.config.upsamplings)
        rows = {beta: [] for beta in calibrate.BETAS}
        for people, crops, outputs in self._outputs():
            for beta, some in rows.items():
                read = integral.integrate(outputs["heatmaps"], float(beta))
                read = coordinates.heatmap_to_crop(
                    read, stride, self.config.cells
                )
                some.append(_read(people, crops, {**outputs, "joints": read}))
        return [
            predictions.concatenate(some).pckh(self.records.skeleton)[0].auc
            for some in rows.values()
        ]

    def hits(self):
        """Scores of the labelled joints, and which are right: PCKh@0.5.

        Returns:
            `(M,)` scores and `(M,)` bools.
        """
        seen = predictions.concatenate(
            [_read(*observed) for observed in self._outputs()]
        )
        errors = seen.errors()
        known = ~np.isnan(errors)
        return seen.scores[known], errors[known] <= 0.5

    def _average_precision(self, seen):
        results = coco_results.of_predictions(seen, self.annotations)
        return metrics.coco_keypoint_ap(
            self.annotations, results, self.records.skeleton.sigmas
        )["AP"]

    def _outputs(self, split="val"):
        return self._observe(self.records, split, self.config.batch_size)


def _read(people, crops, outputs):
    """The `predictions.Predictions` of a batch."""
    return predictions.of_batch(
        people, outputs["joints"], outputs["scores"], crops["to_window"]
    )


def _weighted(objectives, means):
    """The sum of the mean losses, as the phase weights them."""
    return sum(each.weight * means[name] for name, each in objectives.items())


def _costs(objectives, crops, outputs):
    """`(B,)` of each loss, unweighted."""
    return {
        name: each.loss(crops["labels"], outputs[each.output])
        for name, each in objectives.items()
    }
