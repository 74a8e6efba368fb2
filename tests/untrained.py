"""A tiny network's settings, and a run of one that nobody has trained."""

import keras

import integral_tf
from integral_tf import config
from integral_tf import runs
from integral_tf import skeletons

TINY = {
    "backbone": "resnet18",
    "width_multiplier": 0.125,
    "image_size": 64,
    "head_channels": 8,
}


def settings(method="I1", **changes):
    """A tiny network's `config.TrainConfig`."""
    return config.TrainConfig(method=method, **{**TINY, **changes})


def network(method="I1", joints=16, **changes):
    """A tiny `pose_model`.

    Of one stage, and without a `backbone` named, it has `six_convolutions`.
    """
    if "backbone" not in changes and changes.get("stages", 1) == 1:
        changes = {
            "backbone": six_convolutions(),
            "width_multiplier": 1.0,
            "preprocessing": "caffe",  # ResNet-18's
            **changes,
        }
    return integral_tf.pose_model(method, joints=joints, **{**TINY, **changes})


def six_convolutions():
    """A backbone with what ResNet-18 has, in a third of the layers."""
    features = image = keras.Input((None, None, 3))
    for channels in (8, 8, 16, 16, 32):
        features = _normalised(features, channels, strides=2)
        features = keras.layers.ReLU()(features)
    branch = _normalised(features, 32)
    features = keras.layers.ReLU()(keras.layers.add([features, branch]))
    return keras.Model(image, features, name="six_convolutions")


def _normalised(features, channels, strides=1):
    features = keras.layers.Conv2D(
        channels, 3, strides=strides, padding="same", use_bias=False
    )(features)
    return keras.layers.BatchNormalization()(features)


def backbone(path):
    """Writes `six_convolutions`, which trains in half the time.

    Returns:
        Its settings, to replace those of `TINY`.
    """
    six_convolutions().save(path)
    return {"backbone": str(path), "width_multiplier": 1.0}


def run(folder, method="I1", data="", skeleton=skeletons.MPII, model=None):
    """Writes a run's folder as training leaves it, with random weights.

    Args:
        folder: Folder to write, which is not there.
        method: Row of Table 2.
        data: Records of the run.
        skeleton: Skeleton of the records.
        model: The network, or None for a new one.

    Returns:
        The folder.
    """
    runs.save_run(
        model or network(method, len(skeleton)),
        settings(method, data=str(data), workdir=str(folder)),
        skeleton,
        folder,
    )
    return folder
