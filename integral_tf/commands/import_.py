r"""A PyTorch checkpoint as a run that the other commands take.

    integral-tf import --checkpoint=pose_resnet_50_256x192.pth.tar \
        --out=runs/sb50

`--checkpoint` is Simple Baselines' or MMPose's, of a ResNet-18, 50, 101
or 152; docs/checkpoints.md says what is taken. What the file does not say is
guessed and printed. OUT then holds model.keras,
skeleton.json and flags.cfg, all or none:

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
    """A checkpoint, and what it does not say of itself."""

    checkpoint: str = setting(
        "", "File of torch.save or safetensors.", required=True
    )
    skeleton: str = setting(
        "",
        "Its joints: a known skeleton's name; empty guesses them.",
        main=True,
    )
    out: str = setting("", "Folder to write.", required=True)
    image_size: int = setting(
        0, "Height of its crops; 0 guesses it.", low=0, high=4096, main=True
    )
    image_width: int = setting(
        0,
        "Width of them; 0 makes them square.",
        low=0,
        high=4096,
        main=True,
    )
    preprocessing: str = setting(
        "auto",
        "What it was trained on: RGB, BGR, or a guess by its names.",
        ("auto", "torch", "torch_bgr"),
        main=True,
    )
    bottleneck_stride: str = setting(
        "auto",
        "1x1 for a network of style caffe; auto guesses.",
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
