"""The validation split, once an epoch: losses, PCKh, and AUC over beta."""

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import metrics
from integral_tf.ops import integral
from integral_tf.pipeline import batches
from integral_tf.training import objectives as losses

# What calibration chooses from.
BETAS = np.geomspace(1, 100, 21).round(2)


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

    def enter(self, objectives):
        """Takes the losses of a new phase; the graph is traced anew."""
        self.objectives = objectives
        self.step = tf.function(self._step, reduce_retracing=True)

    def figures(self):
        """Mean losses, and PCKh@0.5, PCKh@0.1 and AUC in percent."""
        costs, seen = {}, []
        for people in self._batches():
            each, target, joints, to_window = self.step(for_device(people))
            for name, values in each.items():
                costs.setdefault(name, []).append(values.numpy())
            seen.append((joints, target, _lengths(people, to_window)))
        figures = {
            name: float(np.concatenate(values).mean())
            for name, values in costs.items()
        }
        figures["loss"] = sum(
            weight * figures[name]
            for name, (_, _, weight) in self.objectives.items()
        )
        score = self._score(*map(np.concatenate, zip(*seen)))
        figures["pckh@0.5"], figures["pckh@0.1"] = score.at[0.5], score.at[0.1]
        figures["auc"] = score.auc
        return figures

    def aucs(self):
        """The AUC in percent that each of `BETAS` reads the maps with."""
        stride = losses.stride(self.config)
        seen, joints = [], [[] for _ in BETAS]
        for people in self._batches():
            crops = self.crop(for_device(people))
            maps = self.model(crops["images"], training=False)["heatmaps"]
            for beta, points in zip(BETAS, joints):
                read = integral.integrate(maps, float(beta))
                points.append(coordinates.heatmap_to_crop(read, stride))
            seen.append((truth(crops), _lengths(people, crops["to_window"])))
        target, lengths = map(np.concatenate, zip(*seen))
        return [
            self._score(np.concatenate(points), target, lengths).auc
            for points in joints
        ]

    def _score(self, joints, target, lengths):
        return metrics.pckh(
            joints, target[..., :2], target[..., 2], lengths, self.skeleton
        )

    def _batches(self):
        return batches.eval_batches(
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
        return costs, target, outputs["joints"], crops["to_window"]


def _lengths(people, to_window):
    """`(B,)` reference lengths in crop pixels."""
    lengths, _ = metrics.reference_lengths(
        people["head_size"], people["box_size"]
    )
    # Crop -> window -> image: two maps that scale x and y alike.
    return lengths / (to_window[:, 1, 1] * people["to_image"][:, 1, 1])


def for_device(people):
    """Leaves out text and numbers that only evaluation reads."""
    wanted = ("windows", "joints", "boxes", "visible", "draws")
    return {name: people[name] for name in wanted if name in people}


def truth(crops):
    """`(B, K, 3)` x, y and visibility, as the losses want them."""
    return tf.concat([crops["joints"], crops["visible"][..., None]], axis=-1)
