"""Which losses a method has in which phase: Table 2 as code."""

from integral_tf import losses


def objectives(config, phase, stride):
    """The losses of one phase.

    Args:
        config: A `config.TrainConfig`.
        phase: One of `schedule.PHASES`.
        stride: Crop pixels that one heat-map pixel spans.

    Returns:
        Dict from a name to `(loss, output, weight)`: `output` is the key of
        the model's output that the loss reads.
    """
    joint = (
        losses.JointL1(unit=stride, reduction=None),
        "joints",
        config.joint_weight,
    )
    if config.method in ("R1", "I*"):
        return {"joint": joint}
    # I1's map is read by a softmax, and is supervised as one unless asked.
    if config.method == "I1" and config.heatmap_reading == "softmax":
        map_loss = losses.GaussianCrossEntropy(
            stride, config.sigma, beta(config), reduction=None
        )
    else:
        map_loss = losses.GaussianSquaredError(
            stride, config.sigma, reduction=None
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
