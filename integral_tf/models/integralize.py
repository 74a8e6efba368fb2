"""Any heat-map network, read by an integral."""

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

# The smallest share of a map whose logarithm is taken.
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
    """Makes a model that reads joints out of another one's heat maps. Eq. (7).

    Nothing is trained and no weight is copied: both models share them.
    `integral_tf.calibrate` then chooses beta, and `fit` goes on with a joint
    loss.

    Args:
        model: A built Keras model whose output, one of whose outputs, or one of
            whose layers' outputs, is a stack of heat maps.
        layer: Which: the name of an output or its place, `"a/heat"` of outputs
            within outputs; the name of a layer or the layer itself,
            `"head/maps"` of one within a model that is a layer. None takes the
            output called `heatmaps`, or the only one with the input's axes.
        probabilities: Whether the maps are normalised already: each sums to 1.
            Their logarithms are integrated then. Of maps behind a sigmoid name
            the layer before it, or leave False for ones like H1's Gaussians.
        data_format: Of the maps, `"channels_last"` or `"channels_first"`; None
            takes `keras.config.image_data_format()`.
        stride: Crop pixels per heat-map pixel, as of `IntegralRegression`; None
            takes it from the sizes of the model's input and of the maps.
        beta: As of `IntegralRegression`.
        learn_beta: As of `IntegralRegression`.
        background: As of `IntegralRegression`.
        window: As of `IntegralRegression`.
        covariance: As of `IntegralRegression`.
        cells: As of `IntegralRegression`; None takes those of the model's
            `Argmax`, as of a network of `from_pytorch`, or `"middle"`.

    Returns:
        A `keras.Model` from the same inputs to a dict: `joints` `(batch, K,
        2)`, x and y in pixels of the input, `scores` `(batch, K)` in [0, 1],
        and `heatmaps` `(batch, h, w, K)` unnormalised, channels last; with
        `covariance` that, `(batch, K, 2, 2)`, too. Of a network on lines or
        volumes points have 1 or 3 coordinates, x first, and maps as many axes.
        The layers are called `integral` and `score_calibration`, with a number
        where the network has such names already.

    Raises:
        TypeError: `model` is not a Keras 3 model.
        ValueError: no such output or layer, several that it could be, sizes
            that tell no stride, maps that are softmaxed already or of a
            film, or a `background` of `probabilities`.

    Warns:
        UserWarning: `probabilities` that do not sum to 1, maps that look like
            a backbone's features, or a stride that sizes contradict: joints
            are then in another unit than pixels of the input.

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
    """Where the cells lie that a model reads at their maximum."""
    read = [x.cells for x in model.layers if isinstance(x, layers.Argmax)]
    return read[-1] if read else "middle"


def _free(name, taken):
    """The name, numbered where the network has it already."""
    numbered = (f"{name}_{i}" for i in itertools.count(1))
    return next(
        each for each in itertools.chain([name], numbered) if each not in taken
    )
