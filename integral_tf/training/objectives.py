"""The losses of each method in each phase (Table 2).

R1 and I* have the loss on the joints (Section 4). H1 to H3 have a loss on the
heat maps. I1 to I3 begin with the loss on the heat maps alone, and then have
both (Section 6.1). SimCC has a loss for each axis.

Shape letters: B people, K joints.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from integral_tf import config as configs
from integral_tf import joint_numbers
from integral_tf import layers
from integral_tf import losses
from integral_tf import skeletons
from integral_tf.models import methods
from integral_tf.ops import warp


def _labels(people, crops):
    """Labels of the joints, `(B, K, 3)`."""
    del people
    return crops["labels"]


def _of_x(people, crops):
    """Labels of the joints on the axis of x, `(B, K, 2)`."""
    del people
    return ops.take(crops["labels"], [0, 2], axis=-1)


def _of_y(people, crops):
    """Labels of the joints on the axis of y, `(B, K, 2)`."""
    del people
    return crops["labels"][..., 1:]


def _with_area(people, crops):
    """Labels with the person's area in square crop pixels, `(B, K, 4)`.

    ours: the box's area stands in for an area that is not known.
    """
    boxes, to_image = people["boxes"], people["to_image"]
    scale = to_image[:, 0, 0]  # image pixels that a window pixel spans
    area = ops.where(
        people["area"] > 0,
        people["area"] / ops.square(scale),
        boxes[:, 2] * boxes[:, 3],
    )
    area = area / warp.area_factor(crops["to_window"])
    visible = crops["visible"][..., None]
    column = ops.ones_like(visible) * area[:, None, None]
    return ops.concatenate([crops["joints"], column, visible], axis=-1)


def _absent(people, crops):
    """Marks of the joints that are not in the picture, `(B, K, 3)`."""
    marks = ops.ones_like(crops["visible"]) * people["negative"][:, None]
    return ops.concatenate([crops["joints"], marks[..., None]], axis=-1)


@dataclasses.dataclass(frozen=True)
class Objective:
    """A loss with what it compares, and how much it counts.

    Attributes:
        loss: The loss, without a reduction.
        output: Key of the model's output that the loss reads.
        weight: The loss's weight in the sum.
        truth: Function from people and their crops to `y_true`.
        joint_weights: Weight of each joint; None for the same.
    """

    loss: keras.losses.Loss
    output: str
    weight: float
    truth: Callable[[dict, dict], Any] = _labels
    joint_weights: tuple[float, ...] | None = None

    def costs(self, people: dict, crops: dict, outputs: dict) -> Any:
        """The people's costs, `(B,)`, without `weight`.

        Args:
            people: A batch of `pipeline.batches`.
            crops: What `layers.PersonCrop` made of these people.
            outputs: The model's outputs for these crops.
        """
        truth, weights = self.truth(people, crops), None
        if self.joint_weights:
            weights = ops.convert_to_tensor(self.joint_weights, "float32")
            weights = ops.ones_like(crops["visible"]) * weights
        return self.loss(truth, outputs[self.output], weights)


def objectives(
    config: configs.TrainConfig,
    phase: str,
    skeleton: skeletons.Skeleton = skeletons.MPII,
    *,
    negatives: bool = False,
) -> dict[str, Objective]:
    """Makes the losses of one phase.

    Args:
        config: A `config.TrainConfig`.
        phase: One of `schedule.PHASES`.
        skeleton: The records' `skeletons.Skeleton`, for flags that name
            joints.
        negatives: Whether there are pictures without anybody, which teach
            empty maps.

    Returns:
        Dict from a loss's name to its `Objective`.
    """
    heatmap = Objective(
        _heatmap_loss(config), "heatmaps", config.heatmap_weight
    )
    joint = _joint(config, skeleton)
    if config.method == "SimCC":
        wanted = _of_axes(config)
    elif config.method in ("R1", "I*"):
        wanted = {"joint": joint}
    elif config.method in configs.HEATMAP_METHODS or phase == "heatmap":
        wanted = {"heatmap": heatmap}
    elif config.joint_phase == "joint":
        wanted = {"joint": joint}
    else:
        wanted = {"heatmap": heatmap, "joint": joint}
    empty = _EMPTY.get(type(heatmap.loss))
    if negatives and empty and "heatmap" in wanted:
        wanted["empty"] = dataclasses.replace(
            heatmap, loss=empty(reduction=None), truth=_absent
        )
    weights = joint_numbers.weights(config.joint_weights, skeleton)
    return {
        methods.of_stage(name, stage, config.stages): dataclasses.replace(
            each,
            output=methods.of_stage(each.output, stage, config.stages),
            joint_weights=weights,
        )
        for stage in range(1, config.stages + 1)
        for name, each in wanted.items()
    }


# ours: what a picture without anybody teaches, by the heat-map loss.
_EMPTY = {
    losses.GaussianSquaredError: losses.EmptySquaredError,
    losses.BinaryCrossEntropy: losses.EmptyCrossEntropy,
}


def _of_axes(config):
    """SimCC's losses: of each axis, with a Gaussian over its scores.

    ours: its width is sqrt(side / 8) scores for a side in crop pixels. This
    gives MMPose's four: 4.9, 5.66, 6 and 6.93 for 192, 256, 288 and 384.
    """
    splits = layers.AxisHead.SPLITS
    height, width = config.size
    return {
        axis: Objective(
            losses.GaussianCrossEntropy(
                1 / splits, math.sqrt(side / 8), reduction=None
            ),
            axis,
            config.heatmap_weight,
            truth,
        )
        for axis, side, truth in (("x", width, _of_x), ("y", height, _of_y))
    }


def _joint(config, skeleton):
    """The loss on the joints, with its weight."""
    if config.joint_loss == "sampling":
        loss = losses.SamplingArgmax(
            methods.stride(config.upsamplings),
            beta(config),
            seed=config.seed,
            cells=config.cells,
            reduction=None,
        )
        return Objective(loss, "heatmaps", config.joint_weight)
    if config.joint_loss in configs.LIKELIHOODS:
        loss = losses.MapLikelihood(
            methods.stride(config.upsamplings),
            config.joint_loss,
            beta(config),
            cells=config.cells,
            reduction=None,
        )
        return Objective(loss, "heatmaps", config.joint_weight)
    if config.joint_loss == "OKS":
        sigmas = joint_numbers.usual_sigmas(skeleton)
        loss, truth = losses.JointOKS(sigmas, reduction=None), _with_area
    else:
        distances = {"L1": losses.JointL1, "L2": losses.JointL2}
        unit = methods.stride(config.upsamplings)
        loss, truth = (
            distances[config.joint_loss](unit, reduction=None),
            _labels,
        )
    return Objective(loss, "joints", config.joint_weight, truth)


def _heatmap_loss(config):
    """The loss on the heat maps of a method.

    H2 and I2 have the cross-entropy with a one-hot map, H3 and I3 the binary
    cross-entropy on a disk, H1 the squared error with a Gaussian, and I1 that
    error or the cross-entropy with a Gaussian.
    """
    cell = methods.stride(config.upsamplings)
    options = {"cells": config.cells, "reduction": None}
    if config.method in ("H2", "I2"):
        return losses.OneHotCrossEntropy(cell, **options)
    if config.method in ("H3", "I3"):
        return losses.BinaryCrossEntropy(
            cell, config.radius, config.negatives, config.seed, **options
        )
    # I1 applies a softmax to its maps, so by default its loss does, too.
    if config.method == "I1" and not reads_gaussian(config):
        return _SOFTMAXED[config.heatmap_reading](cell, config.sigma, **options)
    return losses.GaussianSquaredError(cell, config.sigma, **options)


_SOFTMAXED = {
    "softmax": losses.GaussianCrossEntropy,
    "divergence": losses.GaussianDivergence,
    "variance": losses.VarianceError,
}


def beta(config: configs.ModelConfig) -> float:
    """Factor before the softmax of Eq. (5) at the start of training."""
    if config.beta:
        return config.beta
    return 10.0 if reads_gaussian(config) else 1.0


def reads_gaussian(config: configs.ModelConfig) -> bool:
    """Whether I1's maps have H1's loss, so that beta must be calibrated."""
    return config.method == "I1" and config.heatmap_reading == "gaussian"


def chooses_beta(config: configs.TrainConfig) -> bool:
    """Whether a run has an integral and its flags leave beta open."""
    integrates = config.method in (*configs.TWO_PHASE_METHODS, "I*")
    return integrates and not config.beta
