r"""Imports a PyTorch checkpoint as a run that the other commands take.

    integral-tf import --checkpoint=pose_resnet_50_256x192.pth.tar \
        --out=runs/sb50

`--checkpoint` is a file of Simple Baselines or MMPose with a ResNet-18, 50, 101
or 152; docs/checkpoints.md lists the supported networks. Settings that the file
does not have are guessed and printed. OUT then holds model.keras, skeleton.json
and flags.cfg:

    integral-tf predict --model=runs/sb50 --images=photos --out=out
    integral-tf evaluate --workdir=runs/sb50 --data=data/coco
    integral-tf train --flagfile=runs/sb50/flags.cfg --init_from=runs/sb50 \
        --data=data/coco --workdir=runs/sb50_more
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ImportConfig(settings.Checked):
    """A checkpoint, and settings that its file does not have."""

    checkpoint: str = setting(
        "", "File of torch.save or safetensors.", required=True
    )
    skeleton: str = setting(
        "",
        "Name of the joints' skeleton; empty guesses it.",
        main=True,
    )
    out: str = setting("", "Folder to write.", required=True)
    image_size: int = setting(
        0,
        "Height in pixels of the network's crops; 0 guesses it.",
        low=0,
        high=4096,
        main=True,
    )
    image_width: int = setting(
        0,
        "Width of the network's crops; 0 makes them square.",
        low=0,
        high=4096,
        main=True,
    )
    preprocessing: str = setting(
        "auto",
        "Channels that the network was trained on: torch for RGB, torch_bgr "
        "for BGR; auto guesses by the names of the weights.",
        ("auto", "torch", "torch_bgr"),
        main=True,
    )
    bottleneck_stride: str = setting(
        "auto",
        "Convolution that has the stride in a block: pytorch for the 3x3; 1x1 "
        "for MMPose's networks of style caffe; auto guesses.",
        ("auto", "pytorch", "1x1"),
        main=True,
    )


CONFIG = ImportConfig


def call(asked: ImportConfig) -> None:
    from integral_tf import skeletons
    from integral_tf.training import importing

    def given(value):
        return None if value in ("", "auto") else value

    height = asked.image_size
    if asked.image_width and not height:
        raise ValueError(
            "--image_width needs --image_size beside it. "
            f"Received: --image_width={asked.image_width}"
        )
    size = (height, asked.image_width or height) if height else None
    importing.import_checkpoint(
        asked.checkpoint,
        asked.out,
        skeleton=skeletons.get(asked.skeleton) if asked.skeleton else None,
        image_size=size,
        preprocessing=given(asked.preprocessing),
        bottleneck_stride=given(asked.bottleneck_stride),
    )
    print(f"run: {asked.out}")
