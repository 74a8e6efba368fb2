"""Calibration of an integral model: its beta, and what its scores mean."""

import dataclasses

import numpy as np
from keras import ops

from integral_tf import layers
from integral_tf import metrics

READ = {"joints", "scores", "heatmaps"}
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

    Changes the model, and trains nothing: the best of `BETAS`, or the beta that
    it has, becomes that of its integrals, and its scores become the chance that
    a joint is within `reach` of the truth. The error is the mean of
    min(distance, reach), which is least where the area under the curve of
    correct joints up to `reach` is greatest, and does not heed how far off a
    lost joint is.

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
            a truth of another shape, or maps that are softmaxed already.
    """
    outputs = getattr(model, "output", None)
    integrals = integrals_of(model)
    if not integrals or not (
        isinstance(outputs, dict) and READ <= set(outputs)
    ):
        raise ValueError(
            "`model` reads its `heatmaps` by an IntegralRegression and has "
            "`joints` and `scores`; integral_tf.integralize makes one of any "
            f"heat-map model. Received: {model.name!r}"
        )
    config = {**integrals[-1].get_config(), "confidence": True}
    config |= {"learn_beta": False, "covariance": False}
    # The one that it has first: what is best already stays.
    betas = [integrals[-1].beta, *BETAS]
    probes = [
        layers.IntegralRegression.from_config({**config, "beta": float(beta)})
        for beta in betas
    ]
    distances, confidences = [], []
    for images, truth, *_ in dataset:
        truth = _checked(truth, outputs["joints"].shape[1])
        known = truth[..., 2] > 0
        reach = _reach(images) if reach is None else reach
        maps = model(images, training=False)["heatmaps"]
        _check_scores(maps)
        read = [probe(maps) for probe in probes]
        points = np.stack([_numpy(each["joints"]) for each in read])
        apart = np.linalg.norm(points[:, known] - truth[known, :2], axis=-1)
        distances.append(apart)
        confidence = np.stack([_numpy(each["confidence"]) for each in read])
        confidences.append(confidence[:, known])
    if not sum(apart.shape[1] for apart in distances):
        raise ValueError("`dataset` has no labelled joint. Received: none")
    distances = np.concatenate(distances, axis=1)
    confidences = np.concatenate(confidences, axis=1)
    errors = np.minimum(distances, reach).mean(axis=1)
    best = int(np.argmin(errors))
    before = scored(model, confidences[0])
    set_beta(model, betas[best])
    fit_scores(model, confidences[best], distances[best] <= reach)
    # What Keras has traced so far knows the old numbers.
    model.train_function = model.test_function = model.predict_function = None
    after = scored(model, confidences[best])
    return Calibration(
        beta=float(betas[best]),
        errors=errors[1:],
        error_before=float(errors[0]),
        reach=float(reach),
        calibration_error=metrics.calibration_error(
            after, distances[best] <= reach
        ),
        calibration_error_before=metrics.calibration_error(
            before, distances[0] <= reach
        ),
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


def fit_scores(model, confidence, hits):
    """Makes a model's scores the chance that a joint is right.

    Args:
        model: The pose model; one without scores is left as it is.
        confidence: `(M,)` in [0, 1], as its maps are read.
        hits: `(M,)` bools.
    """
    slope, offset = metrics.platt(confidence, hits)
    for layer in score_layers(model):
        layer.slope, layer.offset = slope, offset


def scored(model, confidence):
    """`(M,)` confidences through the model's own calibration."""
    for layer in score_layers(model):
        confidence = layer(confidence)
    return _numpy(confidence)


def score_layers(model):
    """The model's `ScoreCalibration`; R1 has none."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, layers.ScoreCalibration)
    ]


def _reach(images):
    """A sixteenth of the longer side of a batch of images."""
    shape = getattr(images, "shape", ())
    if len(shape) != 4:
        raise ValueError(
            "`reach` is the pixels within which a joint is right; give it for "
            "a model whose input is not one batch of images. "
            f"Received: reach=None, images of type {type(images).__name__}"
        )
    return max(shape[1:]) / 16


def _check_scores(maps):
    """Requires that maps are not softmaxed: they would be so twice."""
    maps = _numpy(maps)
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    if maps.min() >= 0 and np.allclose(total, 1, atol=1e-3):
        raise ValueError(
            "These maps are probabilities, each with a sum of 1, and would be "
            "softmaxed twice: integralize(..., probabilities=True), or name "
            "the layer before the softmax. Received: sums of "
            f"{total.min():.4f} to {total.max():.4f}"
        )


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
