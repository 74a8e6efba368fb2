"""Which losses a method has in which phase: Table 2 as code."""

from integral_tf import losses


def objectives(config, phase):
    """The losses of one phase.

    Args:
        config: A `config.TrainConfig`.
        phase: One of `schedule.PHASES`.

    Returns:
        Dict from a name to `(loss, output, weight)`: `output` is the key of
        the model's output that the loss reads.
    """
    cell = stride(config)
    joint = (
        losses.JointL1(unit=cell, reduction=None),
        "joints",
        config.joint_weight,
    )
    if config.method in ("R1", "I*"):
        return {"joint": joint}
    # I1's map is read by a softmax, and is supervised as one unless asked.
    if config.method == "I1" and config.heatmap_reading == "softmax":
        map_loss = losses.GaussianCrossEntropy(
            cell, config.sigma, reduction=None
        )
    else:
        map_loss = losses.GaussianSquaredError(
            cell, config.sigma, reduction=None
        )
    heatmap = (map_loss, "heatmaps", config.heatmap_weight)
    if config.method == "H1" or phase == "heatmap":
        return {"heatmap": heatmap}
    return {"heatmap": heatmap, "joint": joint}


def beta(config):
    """The factor before the softmax that a method starts with."""
    if config.beta:
        return config.beta
    gaussian = config.method == "I1" and config.heatmap_reading == "gaussian"
    return 10.0 if gaussian else 1.0


def stride(config):
    """Crop pixels that one heat-map pixel spans; R1's, too, for its loss."""
    return 32 / 2**config.upsamplings
