r"""A PyTorch checkpoint as a run that the other commands take.

    python experiments/import_checkpoint.py \
        --checkpoint=pose_resnet_50_256x192.pth.tar --out=runs/sb50

`--checkpoint` is Simple Baselines' or MMPose's, of a ResNet-18, 50, 101 or
152; docs/checkpoints.md says what is taken. OUT then holds model.keras,
skeleton.json and flags.cfg, all or none:

    python predict.py --model=runs/sb50 --images=photos --out=out
    python evaluate.py --workdir=runs/sb50 --data=data/coco
    python train.py --flagfile=runs/sb50/flags.cfg --init_from=runs/sb50 \
        --data=data/coco --workdir=runs/sb50_more
"""

from absl import app
from absl import flags

from integral_tf import skeletons
from integral_tf.training import importing


def define_flags():
    """Defines this command's flags; not on import, which tests do, too."""
    flags.DEFINE_string(
        "checkpoint",
        None,
        "File of torch.save or safetensors.",
        required=True,
    )
    flags.DEFINE_string("out", None, "Folder to write.", required=True)
    flags.DEFINE_enum(
        "skeleton", None, sorted(skeletons.KNOWN), "Its joints; else guessed."
    )
    flags.DEFINE_integer(
        "image_size", 0, "Height of its crops; 0 guesses it.", 0
    )
    flags.DEFINE_integer(
        "image_width", 0, "Width of them; 0 makes them square.", 0
    )
    flags.DEFINE_enum(
        "preprocessing",
        None,
        ["torch", "torch_bgr"],
        "What it was trained on, RGB or BGR; else guessed.",
    )
    flags.DEFINE_enum(
        "bottleneck_stride",
        None,
        ["pytorch", "1x1"],
        "1x1 for a network of style caffe; else guessed.",
    )


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    values = flags.FLAGS
    height, width = values.image_size, values.image_width
    if width and not height:
        raise app.UsageError("--image_width needs --image_size beside it")
    try:
        importing.import_checkpoint(
            values.checkpoint,
            values.out,
            skeleton=values.skeleton and skeletons.get(values.skeleton),
            image_size=(height, width or height) if height else None,
            preprocessing=values.preprocessing,
            bottleneck_stride=values.bottleneck_stride,
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"import_checkpoint: {error}") from None
    print(f"run: {values.out}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
