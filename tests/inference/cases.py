"""A model whose joints are the middle of their box, and files of answers."""

import json

import keras

from integral_tf import layers
from integral_tf.models import archive

# Of the fixture `clip`.
FRAMES, RATE, HEIGHT, WIDTH = 10, 4, 48, 64


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


def whole_frames():
    """Boxes: in each frame there is one person, who fills it."""
    box = [0, 0, WIDTH, HEIGHT]
    return [{"frame": i, "bbox": box} for i in range(FRAMES)]


def lines(folder):
    text = (folder / "joints.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def files(folder):
    return sorted(path.name for path in folder.iterdir())
