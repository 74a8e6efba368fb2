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
    """A tiny `pose_model`."""
    return integral_tf.pose_model(method, joints=joints, **{**TINY, **changes})


def backbone(path):
    """Writes a backbone of five convolutions, which trains in half the time.

    Returns:
        Its settings, to replace those of `TINY`.
    """
    features = image = keras.Input((None, None, 3))
    for channels in (8, 8, 16, 16, 32):
        features = keras.layers.Conv2D(
            channels, 3, strides=2, padding="same", use_bias=False
        )(features)
        features = keras.layers.BatchNormalization()(features)
        features = keras.layers.ReLU()(features)
    keras.Model(image, features, name="five").save(path)
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
