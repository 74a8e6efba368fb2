"""Any heat-map network, read by an integral."""

import keras
from keras import ops

from integral_tf import layers

# The smallest share of a map whose logarithm is taken.
_LEAST = 1e-12


def integralize(
    model,
    layer=None,
    probabilities=False,
    data_format="channels_last",
    stride=None,
    beta=1.0,
    learn_beta=False,
    background=None,
    window=None,
    covariance=False,
):
    """Makes a model that reads joints out of another one's heat maps. Eq. (7).

    Nothing is trained and no weight is copied: both models share them.
    `integral_tf.calibrate` then chooses beta, and `fit` goes on with a joint
    loss.

    Args:
        model: A built Keras model whose output, one of whose outputs, or one of
            whose layers' outputs, is a stack of heat maps.
        layer: Which: the name of an output, or of a layer or the layer itself.
            None takes the model's only output with four axes.
        probabilities: Whether the maps are normalised already: each sums to 1.
            Their logarithms are integrated then. Of maps behind a sigmoid name
            the layer before it, or leave False for ones like H1's Gaussians.
        data_format: Of the maps and the images, `"channels_last"` or
            `"channels_first"`.
        stride: Crop pixels per heat-map pixel; None takes it from the sizes of
            the model's input and of the maps.
        beta, learn_beta, background, window, covariance: As of
            `IntegralRegression`.

    Returns:
        A `keras.Model` from the same inputs to a dict: `joints` `(batch, K,
        2)`, x and y in pixels of the input, `scores` `(batch, K)` in [0, 1],
        and `heatmaps` `(batch, h, w, K)` unnormalised, channels last; with
        `covariance` that, `(batch, K, 2, 2)`, too.

    Raises:
        TypeError: `model` is not a Keras 3 model.
        ValueError: no such output or layer, several that it could be, maps
            without four axes, sizes that tell no stride, or a `background` of
            `probabilities`.

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
    inputs, maps = _heatmaps(model, layer)
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "`data_format` is 'channels_last' or 'channels_first'. "
            f"Received: data_format={data_format!r}"
        )
    if probabilities and background is not None:
        raise ValueError(
            "Maps that are normalised have no `background` that is known. "
            f"Received: probabilities=True, background={background}"
        )
    first = data_format == "channels_first"
    if first:
        maps = keras.layers.Permute((2, 3, 1), name="channels_last")(maps)
    if stride is None:
        stride = _stride(inputs, maps.shape[1:3], first)
    if probabilities:
        maps = ops.log(ops.maximum(ops.cast(maps, "float32"), _LEAST))
    outputs = layers.IntegralRegression(
        stride,
        beta,
        learn_beta,
        background,
        window,
        confidence=True,
        covariance=covariance,
        name="integral",
    )(maps)
    scores = layers.ScoreCalibration(name="score_calibration")
    outputs["scores"] = scores(outputs.pop("confidence"))
    outputs["heatmaps"] = maps
    return keras.Model(inputs, outputs, name=f"integral_{model.name}")


def _heatmaps(model, layer):
    """The model's inputs, and the symbolic maps."""
    # A Sequential keeps its graph inside, and replaces it as it grows.
    graph = getattr(model, "_functional", None) or model
    try:
        inputs, outputs = graph.input, graph.output
    except (AttributeError, ValueError):
        inputs, outputs = _called(model)
    named = _named(outputs)
    if layer is None:
        stacks = {k: v for k, v in named.items() if len(v.shape) == 4}
        if len(stacks) != 1:
            raise ValueError(
                "`layer` names the output or the layer that puts out the heat "
                "maps, where the model has not just one output with four "
                f"axes. Received: outputs of shapes {_shapes(named)}"
            )
        (maps,) = stacks.values()
    elif isinstance(layer, (str, int)) and layer in named:
        maps = named[layer]
    else:
        maps = _inside(graph, layer, named)
    if not hasattr(maps, "shape") or len(maps.shape) != 4:
        raise ValueError(
            "Heat maps have four axes: batch, height, width and joints. "
            f"Received: {_shapes(_named(maps))}"
        )
    return inputs, maps


def _inside(graph, layer, named):
    """The output of the one call of a layer in a model's own graph."""
    # A model that is written as a class has none.
    nodes = getattr(graph, "_nodes_by_depth", {}).values()
    calls = [node for depth in nodes for node in depth if node.parent_nodes]
    found = [
        node for node in calls if layer in (node.operation, node.operation.name)
    ]
    if len(found) != 1:
        names = dict.fromkeys(node.operation.name for node in calls)
        raise ValueError(
            f"`layer` is one of the model's outputs, "
            f"{', '.join(map(str, named))}, or one of its layers that is "
            f"called once: {', '.join(names) or 'none are seen from outside'}."
            f" Received: layer={layer!r}, called {len(found)} times"
        )
    maps = found[0].outputs
    return maps[0] if len(maps) == 1 else maps


def _called(model):
    """Inputs and outputs of a model that is written as a class."""
    try:
        shape = model.input_shape
    except (AttributeError, ValueError):
        shape = model._build_shapes_dict and next(
            iter(model._build_shapes_dict.values())
        )
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise ValueError(
            "A model that is written as a class has to be built on one "
            "four-axis input: `model.build((None, height, width, 3))`. "
            f"Received: {model.name!r} with input shape {shape}"
        )
    images = keras.Input(shape[1:], name="images")
    return images, model(images)


def _named(outputs):
    """Outputs by name: a dict's keys, a list's places, or `output`."""
    if isinstance(outputs, dict):
        return outputs
    if isinstance(outputs, (list, tuple)):
        return dict(enumerate(outputs))
    return {"output": outputs}


def _shapes(named):
    return ", ".join(f"{name} {value.shape}" for name, value in named.items())


def _stride(inputs, size, first):
    """Crop pixels per heat-map pixel, the same across and down."""
    images = [
        each for each in keras.tree.flatten(inputs) if len(each.shape) == 4
    ]
    shape = images[0].shape if len(images) == 1 else (None,) * 4
    height, width = shape[2:] if first else shape[1:3]
    known = None not in (height, width, *size)
    stride = height / size[0] if known else 0
    # Of 100 pixels, 13 of a map step by 8, not by 7.7.
    whole = stride and (stride % 1 == 0 or 1 / stride % 1 == 0)
    if not whole or height * size[1] != width * size[0]:
        raise ValueError(
            "`stride` is the crop pixels that a heat-map pixel spans, the same "
            "across and down; give it where the sizes are open or do not "
            f"divide. Received: images {shape}, maps of (height, width) "
            f"{tuple(size)}"
        )
    return int(stride) if stride >= 1 else stride
