"""The validation split, once an epoch: losses, PCKh, AP; AUC over beta."""

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import metrics
from integral_tf.evaluation import calibrate
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import predictions
from integral_tf.ops import integral
from integral_tf.pipeline import batches
from integral_tf.records import shards
from integral_tf.training import objectives as losses


class Validator:
    """Looks at the validation split without augmentation.

    Args:
        config: A `config.TrainConfig`.
        model: The pose model.
        crop: The `layers.RandomCrop` that makes its input.
        skeleton: The `skeletons.Skeleton` of the records.
    """

    def __init__(self, config, model, crop, skeleton):
        self.config = config
        self.model = model
        self.crop = crop
        self.skeleton = skeleton
        self.annotations = shards.read_annotations(config.data)

    def enter(self, objectives):
        """Takes the losses of a new phase; the graph is traced anew."""
        self.objectives = objectives
        self.step = tf.function(
            self._step, autograph=False, reduce_retracing=True
        )

    def figures(self):
        """Mean losses, PCKh@0.5, @0.1 and AUC in percent, and COCO's AP.

        AP stands there where the records hold COCO's ground truth.
        """
        costs, rows = {}, []
        for people in self._batches():
            each, *outputs = self.step(batches.for_device(people))
            for name, values in each.items():
                costs.setdefault(name, []).append(values.numpy())
            rows.append(predictions.of_batch(people, *outputs))
        figures = {
            name: float(np.concatenate(values).mean())
            for name, values in costs.items()
        }
        figures["loss"] = sum(
            weight * figures[name]
            for name, (_, _, weight) in self.objectives.items()
        )
        seen = predictions.concatenate(rows)
        score = self._score(seen)
        figures["pckh@0.5"], figures["pckh@0.1"] = score.at[0.5], score.at[0.1]
        figures["auc"] = score.auc
        if self.annotations:
            figures["ap"] = 100 * self._average_precision(seen)
        return figures

    def loss(self, people):
        """The loss of a batch of people, as its phase weights it."""
        costs, *_ = self.step(batches.for_device(people))
        return sum(
            weight * float(np.mean(costs[name]))
            for name, (_, _, weight) in self.objectives.items()
        )

    def aucs(self):
        """The AUC in percent of the maps read with each of `BETAS`."""
        stride = losses.stride(self.config)
        rows = {beta: [] for beta in calibrate.BETAS}
        for people, outputs, to_window in self._outputs():
            for beta, some in rows.items():
                read = integral.integrate(outputs["heatmaps"], float(beta))
                read = coordinates.heatmap_to_crop(
                    read, stride, self.config.cells
                )
                some.append(
                    predictions.of_batch(
                        people, read, outputs["scores"], to_window
                    )
                )
        return [
            self._score(predictions.concatenate(some)).auc
            for some in rows.values()
        ]

    def hits(self):
        """Scores of the labelled joints, and which are right: PCKh@0.5.

        Returns:
            `(M,)` scores and `(M,)` bools.
        """
        seen = predictions.concatenate(
            [
                predictions.of_batch(
                    people, outputs["joints"], outputs["scores"], to_window
                )
                for people, outputs, to_window in self._outputs()
            ]
        )
        errors = seen.errors()
        known = ~np.isnan(errors)
        return seen.scores[known], errors[known] <= 0.5

    def _score(self, seen):
        lengths, _ = metrics.reference_lengths(seen.head_size, seen.box)
        return metrics.pckh(
            seen.joints, seen.truth, seen.visible, lengths, self.skeleton
        )

    def _average_precision(self, seen):
        results = coco_results.of_predictions(seen, self.annotations)
        return metrics.coco_keypoint_ap(
            self.annotations, results, self.skeleton.sigmas
        )["AP"]

    def _outputs(self):
        """Batches of people, the model's outputs, and crop -> window."""
        for people in self._batches():
            crops = self.crop(batches.for_device(people))
            outputs = self.model(crops["images"], training=False)
            yield people, outputs, crops["to_window"]

    def _batches(self):
        with shards.reading(self.config.data, "val"):
            yield from batches.eval_batches(
                self.config.data, "val", self.config.batch_size
            )

    def _step(self, people):
        crops = self.crop(people, training=False)
        outputs = self.model(crops["images"], training=False)
        target = truth(crops)
        costs = {
            name: loss(target, outputs[output])
            for name, (loss, output, _) in self.objectives.items()
        }
        joints, scores = outputs["joints"], outputs["scores"]
        return costs, joints, scores, crops["to_window"]


def truth(crops):
    """`(B, K, 3)` x, y and visibility, as the losses want them."""
    return tf.concat([crops["joints"], crops["visible"][..., None]], axis=-1)
