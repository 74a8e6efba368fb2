"""Imports a PyTorch checkpoint as a run that the other commands take."""

import os

from integral_tf import config
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.models import loading
from integral_tf.models import pytorch_checkpoint

# Simple Baselines and MMPose train with this, in heat-map pixels.
_SIGMA = 2.0


def import_checkpoint(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    *,
    skeleton: skeletons.Skeleton | None = None,
    image_size: int | tuple[int, int] | None = None,
    preprocessing: str | None = None,
    bottleneck_stride: str | None = None,
) -> None:
    """Writes the folder of a run, whole or not at all.

    The folder has model.keras, skeleton.json and flags.cfg. Arguments that are
    None are guessed, and the guesses are printed.

    Args:
        checkpoint: As in `models.from_pytorch`.
        out: Folder to write.
        skeleton: The `skeletons.Skeleton` of the joints.
        image_size, preprocessing, bottleneck_stride: As in
            `models.from_pytorch`.

    Raises:
        FileExistsError: the folder exists.
        FileNotFoundError: there is no such checkpoint.
        ValueError: the checkpoint is of another network or skeleton, or its
            skeleton cannot be guessed.
    """
    runs.check_new(out)
    model, skeleton = pytorch_checkpoint.opened(
        checkpoint,
        skeleton=skeleton,
        image_size=image_size,
        preprocessing=preprocessing,
        bottleneck_stride=bottleneck_stride,
    )
    if skeleton is None:
        raise ValueError(
            "Nothing says what the joints of this checkpoint are; give "
            "`skeleton`. Received: a checkpoint with "
            f"{model.output['joints'].shape[1]} joints"
        )
    loading.check_skeleton(model, skeleton)
    runs.save_run(model, _config(model), skeleton, out)


def _config(model):
    """The run's flags, without a workdir, which a training must name."""
    (body,) = [part for part in model.layers if "resnet" in part.name]
    head = model.get_layer("heatmap_head")
    height, width = model.input_shape[1:3]
    return config.TrainConfig(
        method="H1",
        backbone=body.name,
        width_multiplier=body.get_layer("conv1_conv").filters / 64
        if body.name == "resnet18"
        else 1.0,
        image_size=height,
        image_width=width,
        upsamplings=head.upsamplings,
        bottleneck_stride=_stride(body),
        preprocessing=model.get_layer("centering").mode,
        head_channels=head.channels,
        cells=model.get_layer("argmax").cells,
        sigma=_SIGMA,
    )


def _stride(body):
    """The `bottleneck_stride` that a backbone was built with."""
    names = [layer.name for layer in body.layers]
    return "pytorch" if "conv3_block1_2_pad" in names else "1x1"
