"""A user's program with the public names: mypy reads it, and it runs.

`make lint` and `tests/typing_test.py` have mypy read it as a user's project
would. The function `mistakes` never runs: its lines are wrong on purpose, and
mypy complains of a `type: ignore` where it no longer finds the mistake.
"""

from __future__ import annotations

import keras
import numpy as np

import integral_tf
from integral_tf import coordinates
from integral_tf import inference
from integral_tf import layers
from integral_tf import losses
from integral_tf import metrics
from integral_tf import models
from integral_tf import skeletons
from integral_tf.evaluation import calibrate
from integral_tf.metrics import fitting


def layer() -> list[float]:
    """Reads the one joint of a map; returns x and y."""
    heatmaps = np.zeros((1, 4, 4, 1), "float32")
    heatmaps[0, 2, 3, 0] = 50.0
    read = layers.IntegralRegression(stride=(8, 8), data_format="channels_last")
    read.beta = 2.0
    beta: float = read.beta
    config: dict[str, object] = read.get_config()
    again = layers.IntegralRegression.from_config({**config, "beta": beta})
    points = np.asarray(again(heatmaps))
    first: list[float] = points[0, 0].tolist()
    return first


def network() -> keras.Model:
    """A tiny network of one's own, read by an integral, ready for `fit`."""
    images = keras.Input((32, 32, 3))
    maps = keras.layers.Conv2D(2, 3, strides=4, padding="same")(images)
    model = integral_tf.integralize(
        keras.Model(images, maps), stride=[4, 4], data_format="channels_last"
    )
    model.compile(
        optimizer="adam",
        loss={
            "joints": losses.JointL1(unit=4),
            "heatmaps": losses.GaussianCrossEntropy(
                4, sigma=2, data_format="channels_last"
            ),
        },
        metrics={"joints": metrics.JointDistance()},
    )
    return model


def calibrated(model: keras.Model) -> calibrate.Calibration:
    """The beta of a network, from two people."""
    images = np.zeros((2, 32, 32, 3), "float32")
    truth = np.full((2, 2, 3), 16.0, "float32")
    found = calibrate.calibrate(model, (images, {"joints": truth}), reach=4)
    beta: float = found.beta
    errors: np.ndarray = found.errors
    assert beta > 0 and errors.shape == (21,)
    return found


def figures() -> dict[float, float]:
    """PCKh of one person whose joints are all right."""
    skeleton: skeletons.Skeleton = skeletons.MPII
    points = np.zeros((1, len(skeleton), 2))
    scored = metrics.pckh(points, points, [[1] * len(skeleton)], [9.0])
    slope, offset = fitting.fit_platt([0.1, 0.9], [False, True])
    layers.ScoreCalibration(slope, offset)
    kept: np.ndarray = inference.oks_nms(
        np.zeros((1, 17, 2)), scores=[0.5], areas=[100.0]
    )
    rescored = inference.rescore([0.5], [[0.9, 0.7]])
    assert len(kept) == len(rescored) == 1
    return scored.at


def places() -> np.ndarray:
    """A point in the frame of a photograph."""
    to_image = coordinates.region_to_pixels([10, 20, 64, 64], 64, 64)
    return coordinates.apply(to_image, [[0.0, 0.0]])


def mistakes() -> None:
    """What a type checker tells a user of."""
    layers.IntegralRegression(beta="sharp")  # type: ignore[arg-type]
    losses.JointL1(unit=None)  # type: ignore[arg-type]
    losses.OneHotCrossEntropy()  # type: ignore[call-arg]
    models.pose_model(18)  # type: ignore[arg-type]
    models.pose_model(weigths="imagenet")  # type: ignore[call-arg]
    metrics.pckh([[0.0]], [[0.0]], [[1]])  # type: ignore[call-arg]
    inference.rescore([0.5], [[0.9]], "0.2")  # type: ignore[arg-type]
    skeletons.get(16)  # type: ignore[arg-type]
    coordinates.region_around([0, 0, 4, 4], "1")  # type: ignore[arg-type]
