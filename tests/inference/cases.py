"""A model for the tests here, whose joints are the middle of their box."""

import keras

from integral_tf import layers
from integral_tf.models import archive


def flat_model(folder, skeleton):
    """Writes a `model.keras` for 32 pixels whose maps are all flat.

    So a joint is its crop's middle, and the joints of a box that of the box.

    Args:
        folder: Folder of the file.
        skeleton: Skeleton of 14 joints that the file holds.

    Returns:
        The file's path, a text.
    """
    images = keras.Input((32, 32, 3), name="images")
    maps = keras.layers.Conv2D(
        14, 1, kernel_initializer="zeros", use_bias=False
    )(images)
    read = layers.IntegralRegression(1, confidence=True)(maps)
    outputs = {"joints": read["joints"], "scores": read["confidence"]}
    path = folder / "model.keras"
    keras.Model(images, outputs).save(path)
    archive.write_skeleton(path, skeleton)
    return str(path)
