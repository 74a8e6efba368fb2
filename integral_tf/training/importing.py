"""A PyTorch checkpoint as a run that the other commands take."""

from integral_tf import config
from integral_tf import models
from integral_tf.inference import loading
from integral_tf.training import checkpoint


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
