"""The losses of each method in each phase (Table 2).

R1 and I* have the loss on the joints (Section 4). H1 to H3 have a loss on the
heat maps. I1 to I3 begin with the loss on the heat maps alone, and then have
both (Section 6.1).
"""

import dataclasses

import keras

from integral_tf import config as configs
from integral_tf import losses
from integral_tf.models import methods


@dataclasses.dataclass(frozen=True)
class Objective:
    """A loss, the key of the model's output that it reads, and its weight."""

    loss: keras.losses.Loss
    output: str
    weight: float


def objectives(config: configs.TrainConfig, phase: str) -> dict[str, Objective]:
    """Makes the losses of one phase.

    Args:
        config: A `config.TrainConfig`.
        phase: One of `schedule.PHASES`.

    Returns:
        Dict from a loss's name to its `Objective`.
    """
    cell = methods.stride(config.upsamplings)
    distance = {"L1": losses.JointL1, "L2": losses.JointL2}[config.joint_loss]
    joint = Objective(
        distance(unit=cell, reduction=None), "joints", config.joint_weight
    )
    heatmap = Objective(
        _heatmap_loss(config), "heatmaps", config.heatmap_weight
    )
    if config.method in ("R1", "I*"):
        wanted = {"joint": joint}
    elif config.method in configs.HEATMAP_METHODS or phase == "heatmap":
        wanted = {"heatmap": heatmap}
    elif config.joint_phase == "joint":
        wanted = {"joint": joint}
    else:
        wanted = {"heatmap": heatmap, "joint": joint}
    return {
        methods.of_stage(name, stage, config.stages): dataclasses.replace(
            each, output=methods.of_stage(each.output, stage, config.stages)
        )
        for stage in range(1, config.stages + 1)
        for name, each in wanted.items()
    }


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
    if config.method == "I1" and config.heatmap_reading == "softmax":
        return losses.GaussianCrossEntropy(cell, config.sigma, **options)
    return losses.GaussianSquaredError(cell, config.sigma, **options)


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
