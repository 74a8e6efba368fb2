r"""A PyTorch checkpoint as a run that the other commands take.

    python experiments/import_checkpoint.py --skeleton=coco \
        --checkpoint=pose_resnet_50_256x192.pth.tar --out=runs/sb50

`--checkpoint` is Simple Baselines' or MMPose's, of a ResNet-18, 50 or 101;
docs/checkpoints.md says what is taken. OUT then holds model.keras,
skeleton.json and flags.cfg, all or none:

    python predict.py --model=runs/sb50 --images=photos --out=out
    python evaluate.py --workdir=runs/sb50 --data=data/coco
    python train.py --flagfile=runs/sb50/flags.cfg --init_from=runs/sb50 \
        --data=data/coco --workdir=runs/sb50_more
"""

import pathlib

from absl import app
from absl import flags

from integral_tf import config
from integral_tf import models
from integral_tf import skeletons
from integral_tf.inference import loading
from integral_tf.training import checkpoint


def define_flags():
    """Defines this command's flags; not on import, which tests do, too."""
    flags.DEFINE_string(
        "checkpoint",
        None,
        "File of torch.save or safetensors.",
        required=True,
    )
    flags.DEFINE_enum(
        "skeleton", None, sorted(skeletons.KNOWN), "Its joints.", required=True
    )
    flags.DEFINE_string("out", None, "Folder to write.", required=True)
    flags.DEFINE_integer("image_size", 256, "Height of its crops.")
    flags.DEFINE_integer(
        "image_width", 192, "Width of them; 0 makes them square."
    )
    flags.DEFINE_enum(
        "preprocessing",
        "auto",
        ["auto", "torch", "torch_bgr"],
        "What it was trained on: RGB, BGR, or by its names RGB for MMPose's.",
    )
    flags.DEFINE_enum(
        "bottleneck_stride",
        "pytorch",
        ["pytorch", "1x1"],
        "1x1 for a network of style caffe.",
    )


def write_run(out, skeleton, path, image_size, preprocessing, stride):
    """Writes the run's folder, whole or not at all.

    Raises:
        FileExistsError: there is one.
        ValueError: the checkpoint is of another network or skeleton.
    """
    checkpoint.check_new(out)
    model = models.from_pytorch(path, image_size, preprocessing, stride)
    loading.check_skeleton(model, skeleton)
    (body,) = [part for part in model.layers if "resnet" in part.name]
    head = model.get_layer("heatmap_head")
    # No workdir: a training from these flags must name its own.
    run = config.TrainConfig(
        method="H1",
        backbone=body.name,
        width=body.get_layer("conv1_conv").filters / 64,
        image_size=image_size[0],
        image_width=image_size[1],
        upsamplings=head.upsamplings,
        bottleneck_stride=stride,
        preprocessing=model.get_layer("centering").mode,
        head_channels=head.channels,
    )
    checkpoint.save_run(model, run, skeleton, out)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    values = flags.FLAGS
    out, height = pathlib.Path(values.out), values.image_size
    auto = values.preprocessing == "auto"
    try:
        write_run(
            out,
            skeletons.get(values.skeleton),
            values.checkpoint,
            (height, values.image_width or height),
            None if auto else values.preprocessing,
            values.bottleneck_stride,
        )
    except (ValueError, OSError, ImportError) as error:
        raise SystemExit(f"import_checkpoint: {error}") from None
    print(f"run: {out}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
