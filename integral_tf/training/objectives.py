"""Which losses a method has in which phase: Table 2 as code."""

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


def objectives(config, phase):
    """The losses of one phase.

    Args:
        config: A `config.TrainConfig`.
        phase: One of `schedule.PHASES`.

    Returns:
        Dict from a name to its `Objective`.
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
    """The loss on the maps of a method, or of the one that it builds on."""
    cell = methods.stride(config.upsamplings)
    options = {"cells": config.cells, "reduction": None}
    if config.method in ("H2", "I2"):
        return losses.OneHotCrossEntropy(cell, **options)
    if config.method in ("H3", "I3"):
        return losses.BinaryCrossEntropy(
            cell, config.radius, config.negatives, config.seed, **options
        )
    # I1's map is read by a softmax, and is supervised as one unless asked.
    if config.method == "I1" and config.heatmap_reading == "softmax":
        return losses.GaussianCrossEntropy(cell, config.sigma, **options)
    return losses.GaussianSquaredError(cell, config.sigma, **options)


def beta(config):
    """The factor before the softmax that a method starts with."""
    if config.beta:
        return config.beta
    return 10.0 if reads_gaussian(config) else 1.0


def reads_gaussian(config):
    """Whether I1 integrates H1's own map, which needs a calibrated beta."""
    return config.method == "I1" and config.heatmap_reading == "gaussian"
