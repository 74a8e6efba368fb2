"""A page's model without training or TensorFlow: its answers are constants."""

import json
import pathlib

import numpy as np

from integral_tf import skeletons
from integral_tf.models import archive
from tests.detection import graphs

SIDE = 64
CELLS = 16


def write(folder, joints, score=0.9, **card):
    """Writes `model.onnx`, its card and its skeleton into a folder.

    Every person has the same answers: the joints, their score, a covariance of
    4 and 1 square pixels, and maps with a peak in the map's middle.

    Args:
        folder: Folder, made if it is not there.
        joints: `(K, 2)` x, y in a crop of 64 x 64; the skeleton has 16.
        score: Of every joint.
        **card: Fields of the card; `cells` is one of its network.

    Returns:
        The folder.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shape = "batch", SIDE, SIDE, 3
    graph = graphs.Graph(images=(graphs.TensorProto.FLOAT, shape))
    means = graph.add("ReduceMean", "images", axes=[1, 2, 3], keepdims=0)
    # (batch,) zeros, which give each constant the batch's axis.
    zeros = graph.add("Mul", means, graph.constant(0))
    count = len(joints)
    maps = np.zeros((CELLS, CELLS, count))
    maps[CELLS // 2, CELLS // 2] = 5
    answers = {
        "joints": joints,
        "scores": np.full(count, score),
        "covariance": np.tile(np.diag([4.0, 1.0]), (count, 1, 1)),
        "heatmaps": maps,
    }
    for name, value in answers.items():
        sizes = np.shape(value)
        column = graph.constant([-1, *[1] * len(sizes)], "int64")
        column = graph.add("Reshape", zeros, column)
        value = graph.add("Add", column, graph.constant(value))
        graph.output(name, value, ["batch", *sizes])
    graph.save(folder / "model.onnx")
    skeleton = archive.to_json(skeletons.MPII)
    (folder / "skeleton.json").write_text(skeleton)
    network = {"cells": card.pop("cells", "middle"), "beta": 1.0}
    written = {"format": "web", "method": "I1", "network": network, **card}
    (folder / "card.json").write_text(json.dumps(written))
    return folder
