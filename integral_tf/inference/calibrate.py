"""What an integral model is given after training: beta, and scores that mean
something."""

import dataclasses

import numpy as np
from keras import ops

from integral_tf import layers
from integral_tf import metrics

# What calibration chooses from.
BETAS = np.geomspace(1, 100, 21).round(2)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What `calibrate` chose, and from what.

    Attributes:
        beta: The factor before the softmax.
        errors: `(21,)` mean error in pixels of the crop, each joint's cut at
            `reach`, of each of `BETAS`.
        error_before: The same of the beta that the model had.
        reach: In pixels of the crop.
        calibration_error, calibration_error_before: Expected calibration error
            of the scores, on the same people.
    """

    beta: float
    errors: np.ndarray
    error_before: float
    reach: float
    calibration_error: float
    calibration_error_before: float


def calibrate(model, dataset, reach=None):
    """Chooses the beta that reads a model's maps best, and fits its scores.

    Changes the model, and trains nothing: the best of `BETAS` becomes the beta
    of its integrals, and its scores become the chance that a joint is within
    `reach` of the truth. The error is the mean of min(distance, reach), which
    is least where the area under the curve of correct joints up to `reach` is
    greatest, and does not heed how far off a lost joint is.

    Args:
        model: Of `integralize` or `pose_model`, with an integral.
        dataset: Batches `(images, truth)`, of people that it was not trained
            on, as `fit` takes them: truth is `(batch, K, 3)`, x and y in
            pixels of the crop and visibility, or a dict with it as `joints`.
        reach: Pixels of the crop. None takes a sixteenth of its longer side,
            about half a head. ours: there need be no head sizes here, which
            PCKh and the trainer go by.

    Returns:
        A `Calibration`.

    Raises:
        ValueError: no integral in the model, no labelled joint in the dataset,
            or a truth of another shape.
    """
    integrals = integrals_of(model)
    if not integrals or "heatmaps" not in model.output:
        raise ValueError(
            "`model` reads its `heatmaps` by an IntegralRegression; "
            "integral_tf.integralize makes one of any heat-map model. "
            f"Received: {model.name!r}"
        )
    if reach is None:
        reach = max(n for n in model.input_shape[1:] if n) / 16
    config = {**integrals[-1].get_config(), "confidence": True}
    config |= {"learn_beta": False, "covariance": False}
    betas = [integrals[-1].beta, *BETAS]
    probes = [
        layers.IntegralRegression.from_config({**config, "beta": float(beta)})
        for beta in betas
    ]
    distances, confidences = [], []
    for images, truth, *_ in dataset:
        truth = _checked(truth, model.output["joints"].shape[1])
        known = truth[..., 2] > 0
        maps = model(images, training=False)["heatmaps"]
        read = [probe(maps) for probe in probes]
        points = np.stack([_numpy(each["joints"]) for each in read])
        apart = np.linalg.norm(points[:, known] - truth[known, :2], axis=-1)
        distances.append(apart)
        confidence = np.stack([_numpy(each["confidence"]) for each in read])
        confidences.append(confidence[:, known])
    if not sum(apart.shape[1] for apart in distances):
        raise ValueError("`dataset` has no labelled joint. Received: none")
    distances = np.concatenate(distances, axis=1)
    before, *errors = np.minimum(distances, reach).mean(axis=1)
    best = int(np.argmin(errors))
    confidence = np.concatenate(confidences, axis=1)[1 + best]
    hits = distances[1 + best] <= reach
    slope, offset = metrics.platt(confidence, hits)
    scores = layers.ScoreCalibration(slope, offset)(confidence)
    set_beta(model, BETAS[best])
    for layer in model.layers:
        if isinstance(layer, layers.ScoreCalibration):
            layer.slope, layer.offset = slope, offset
    # What Keras has traced so far knows the old numbers.
    model.train_function = model.test_function = model.predict_function = None
    return Calibration(
        beta=float(BETAS[best]),
        errors=np.array(errors),
        error_before=float(before),
        reach=float(reach),
        calibration_error=metrics.calibration_error(_numpy(scores), hits),
        calibration_error_before=metrics.calibration_error(confidence, hits),
    )


def integrals_of(model):
    """The model's `IntegralRegression` layers, the last stage's last."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.IntegralRegression)
    ]


def set_beta(model, beta):
    """Gives every integral of a model this factor before the softmax."""
    for layer in integrals_of(model):
        layer.beta = beta


def _checked(truth, joints):
    truth = _numpy(truth["joints"] if isinstance(truth, dict) else truth)
    if truth.shape[1:] != (joints, 3):
        raise ValueError(
            "The truth is (batch, joints, 3): x and y in pixels of the crop, "
            f"and visibility; the model has {joints} joints. "
            f"Received: shape={truth.shape}"
        )
    return np.nan_to_num(truth)


def _numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))
