"""Adds an integral to any heat-map network."""

from __future__ import annotations

import itertools

import keras
from keras import ops

from integral_tf import keras_version
from integral_tf import layers
from integral_tf.models import doubts
from integral_tf.models import pose
from integral_tf.models import stack
from integral_tf.signatures import Stride

# Probabilities are raised to this before the logarithm.
_LEAST = 1e-12


def integralize(
    model: keras.Model,
    layer: str | int | keras.layers.Layer | None = None,
    *,
    probabilities: bool = False,
    data_format: str | None = None,
    stride: Stride | None = None,
    beta: float = 1.0,
    learn_beta: bool = False,
    background: float | None = None,
    window: int | None = None,
    covariance: bool = False,
    cells: str | None = None,
) -> keras.Model:
    """Makes a model that reads joints from another model's heat maps. Eq. (7).

    Nothing is trained. The two models share their weights. Afterwards
    `integral_tf.calibrate` can choose beta, and `fit` can continue with a joint
    loss.

    Args:
        model: A built Keras model. One of its outputs, or of its layers'
            outputs, is a stack of heat maps.
        layer: The output that holds the maps: its name or index, or
            `"a/heat"` for an output in a nested structure. Or the layer whose
            output they are: its name or the layer itself, or `"head/maps"` for
            a layer of a nested model. None takes the output called `heatmaps`,
            or the only output with as many axes as the input.
        probabilities: Whether the maps are normalised, so that each sums to 1.
            Their logarithms are then integrated. If the maps come after a
            sigmoid, pass the layer before it as `layer`. For maps trained on
            Gaussians of peak 1 (H1), leave this False.
        data_format: Order of the maps' axes, `"channels_last"` or
            `"channels_first"`; None takes `keras.config.image_data_format()`.
        stride: Crop pixels per heat-map pixel, as in `IntegralRegression`; None
            computes it from the sizes of the model's input and of the maps.
        beta: As in `IntegralRegression`.
        learn_beta: As in `IntegralRegression`.
        background: As in `IntegralRegression`.
        window: As in `IntegralRegression`.
        covariance: As in `IntegralRegression`.
        cells: As in `IntegralRegression`; None takes `cells` of the model's
            `Argmax`, if it has one (a network of `from_pytorch` does), or
            else `"middle"`.

    Returns:
        A `keras.Model` from the same inputs to a dict: `joints` `(batch, K,
        2)`, x and y in pixels of the input; `scores` `(batch, K)` in [0, 1];
        `heatmaps` `(batch, h, w, K)`, unnormalised, channels last; and, with
        `covariance`, `covariance` `(batch, K, 2, 2)` in square pixels. For
        lines and volumes points have 1 or 3 coordinates, x first, and maps
        have as many spatial axes. The new layers are called `integral` and
        `score_calibration`, with a number if the network has such names.

    Raises:
        TypeError: `model` is not a Keras 3 model.
        ValueError: there is no such output or layer, or more than one; the
            sizes determine no stride; the maps are already softmaxed, or those
            of a film; or `background` is given with `probabilities`.

    Warns:
        UserWarning: `probabilities` do not sum to 1; the maps look like a
            backbone's features; or the sizes contradict `stride`, so that
            joints are not in pixels of the input.

    Example:

    >>> network = keras.Sequential(
    ...     [
    ...         keras.Input((64, 64, 3)),
    ...         keras.layers.Conv2D(16, 3, strides=4, padding="same"),
    ...     ]
    ... )
    >>> pose = integralize(network)
    >>> pose.output["joints"].shape, pose.get_layer("integral").stride
    ((None, 16, 2), 4)
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            "`model` is a keras.Model of Keras 3, built. "
            f"Received: {type(model).__module__}.{type(model).__name__}"
        )
    if probabilities and background is not None:
        raise ValueError(
            "Maps that are normalised have no `background` that is known. "
            f"Received: probabilities=True, background={background}"
        )
    given, data_format = data_format, keras_version.data_format(data_format)
    inputs, maps = stack.find(model, layer)
    doubts.refuse_film(maps)
    sizes = doubts.Sizes(inputs, maps, data_format, given is not None)
    if stride is None:
        stride = sizes.stride()
    taken = {each.name for each in keras.Model(inputs, maps).operations}
    read = layers.IntegralRegression(
        stride=stride,
        beta=beta,
        learn_beta=learn_beta,
        background=background,
        window=window,
        confidence=True,
        covariance=covariance,
        data_format="channels_last",
        cells=cells or _cells(model),
        name=_free("integral", taken),
    )
    sizes.check(read.stride)
    if data_format == "channels_first":
        maps = keras.layers.Permute((*range(2, len(maps.shape)), 1))(maps)
    doubts.check_joints(maps.shape[1:-1], maps.shape[-1])
    doubts.check_sums(inputs, maps, probabilities)
    if probabilities:
        maps = ops.log(ops.maximum(ops.cast(maps, "float32"), _LEAST))
    outputs = read(maps)
    scores = layers.ScoreCalibration(name=_free("score_calibration", taken))
    outputs["scores"] = scores(outputs.pop("confidence"))
    outputs["heatmaps"] = maps
    return pose.PoseModel(inputs, outputs, name=f"integral_{model.name}")


def _cells(model):
    """`cells` of a model's `Argmax` layers."""
    read = [x.cells for x in model.layers if isinstance(x, layers.Argmax)]
    return read[-1] if read else "middle"


def _free(name, taken):
    """The name, with a number if the network already has it."""
    numbered = (f"{name}_{i}" for i in itertools.count(1))
    return next(
        each for each in itertools.chain([name], numbered) if each not in taken
    )
