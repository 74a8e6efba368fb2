"""Finds the heat maps of a user's network: an output, or a layer's output.

A path names them. `"heat"` is an output, `"a/heat"` an output in a nested
structure. `"maps"` is a layer, `"head/maps"` a layer of a nested model.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

# Number of layers that an error names, the last ones of the network.
_NAMED = 8
# Side of the images for a network of open size.
_SIDE = 128


class _Place(NamedTuple):
    """A symbolic tensor of a network.

    `path` is the path of the layer whose output it is, empty for an output of
    the network; `leaf` is its path within the layer's output.
    """

    path: tuple[str, ...]
    leaf: tuple[str, ...]
    layer: Any
    shape: tuple
    give: Callable

    def __str__(self):
        name = "/".join(self.path + self.leaf) or "output"
        return f"{name} {tuple(self.shape)}"


def find(model, layer):
    """The network's inputs, and its symbolic heat maps.

    Args:
        model: A built Keras model.
        layer: A path, the index of an output, or a layer. None takes the output
            called `heatmaps`, or the only output with as many axes as the
            input.

    Returns:
        The symbolic inputs, in the model's structure, and a tensor of 3, 4 or
        5 axes.

    Raises:
        ValueError: there is no such output or layer, or more than one, or it
            has another number of axes.
    """
    graph = _graph(model)
    inputs, values = _called(model) if graph is None else _ends(graph)
    outputs = list(_leaves(values))
    axes = max(len(each.shape) for each in keras.tree.flatten(inputs))
    calls = []
    if layer is None:
        found = [each for each in outputs if len(each.shape) == axes]
        called = [each for each in found if each.leaf[-1:] == ("heatmaps",)]
        found = called or found
    else:
        found = _outputs(outputs, layer)
        if not found and graph is not None:
            calls = list(_calls(graph))
            found = _layers(calls, layer)
        if len(found) > 1:
            found = [each for each in found if len(each.shape) == axes] or found
    if len(found) != 1:
        raise ValueError(_unfound(layer, found, outputs, calls, axes))
    if not 3 <= len(found[0].shape) <= 5:
        raise ValueError(
            "Heat maps have four axes: batch, height, width and joints; lines "
            f"have three, volumes five. Received: {found[0]}"
        )
    return inputs, found[0].give()


def _graph(model):
    """The graph of a model, or None for a subclassed model."""
    # A Sequential holds a functional model, and replaces it as it grows.
    model = getattr(model, "_functional", None) or model
    return model if hasattr(model, "_nodes_by_depth") else None


def _ends(graph):
    return graph.input, graph.output


def _called(model):
    """Symbolic inputs and outputs of a subclassed model."""
    shapes = getattr(model, "_build_shapes_dict", None) or {}
    if not model.built or len(shapes) != 1:
        raise ValueError(
            "A model that is written as a class has to be built, on one input: "
            "call it once, or `model.build((None, height, width, 3))`. "
            f"Received: {model.name!r} with inputs {shapes or 'not known'}"
        )
    (shape,) = shapes.values()
    inputs = _inputs(shape, "images")
    outputs = model(inputs)
    if isinstance(outputs, dict) and keras.backend.backend() == "jax":
        # Traced by JAX, a dict would be sorted by its keys.
        zeros = [
            np.zeros((1, *(length or _SIDE for length in each.shape[1:])))
            for each in keras.tree.flatten(inputs)
        ]
        order = model(keras.tree.pack_sequence_as(inputs, zeros))
        outputs = {key: outputs[key] for key in order}
    return inputs, outputs


def _inputs(shapes, name):
    """Symbolic inputs of a structure of shapes."""
    if isinstance(shapes, dict):
        return {key: _inputs(each, key) for key, each in shapes.items()}
    if shapes and isinstance(shapes[0], (tuple, list)):
        each = enumerate(shapes)
        return [_inputs(shape, f"{name}_{i}") for i, shape in each]
    return keras.Input(shapes[1:], name=name)


def _leaves(values, path=(), leaf=(), layer=None):
    """The `_Place`s of a structure of tensors; dicts are not sorted."""
    if isinstance(values, dict):
        pairs = values.items()
    elif isinstance(values, (list, tuple)):
        pairs = enumerate(values)
    else:
        yield _Place(path, leaf, layer, values.shape, lambda: values)
        return
    for key, value in pairs:
        yield from _leaves(value, path, (*leaf, str(key)), layer)


def _outputs(outputs, layer):
    """The outputs with this index or path."""
    wanted = ()
    if isinstance(layer, (int, np.integer)):
        tops = list(dict.fromkeys(each.leaf[:1] for each in outputs))
        if not -len(tops) <= layer < len(tops):
            return []
        wanted = tops[layer]
        if not wanted:
            return outputs  # the only one
    elif isinstance(layer, str) and outputs[0].leaf:
        wanted = tuple(layer.split("/"))
    elif layer == "output":
        return outputs
    found = [each for each in outputs if each.leaf[: len(wanted)] == wanted]
    return found if wanted else []


def _layers(calls, layer):
    """The outputs of a layer, found by its path, the path's end, or itself."""
    if not isinstance(layer, str):
        return [each for each in calls if each.layer is layer]
    wanted = tuple(layer.split("/"))
    for start in (0, -len(wanted)):
        found = [
            each
            for each in calls
            if wanted in (each.path[start:], (each.path + each.leaf)[start:])
        ]
        if found:
            break
    return found


def _calls(graph, above=()):
    """The `_Place`s of every call in a graph and in nested models."""
    nodes = [node for depth in graph._nodes_by_depth.values() for node in depth]
    for node in nodes:
        if not node.parent_nodes:
            continue  # an input
        path, values = (*above, node.operation.name), node.outputs
        inner = _graph(node.operation)
        if inner is not None:
            values = keras.tree.pack_sequence_as(inner.output, values)
        elif len(values) == 1:
            (values,) = values
        yield from _leaves(values, path, layer=node.operation)
        if inner is not None:
            for each in _calls(inner, path):
                give = _through(node, inner, each.give)
                yield each._replace(give=give)


def _through(node, inner, give):
    """A tensor inside a nested model, for the model's actual inputs."""

    def run():
        part = keras.Model(inner.input, give(), name=node.operation.name)
        return part(*node.arguments.args, **node.arguments.kwargs)

    return run


def _unfound(layer, found, outputs, calls, axes):
    """The error's text, which lists the outputs and layers to choose from."""
    names = list(dict.fromkeys("/".join(each.path) for each in calls))
    more = f", and {len(names) - _NAMED} before" if len(names) > _NAMED else ""
    inside = ", ".join(names[:_NAMED]) + more
    inside = inside or "not seen of a model written as a class"
    if layer is None:
        return (
            "`layer` names the output or the layer that puts out the heat "
            f"maps, where the model has not just one output with {axes} axes, "
            f"as its input has. Received: outputs {_said(outputs)}"
        )
    return (
        "`layer` is one output of the model, or one layer that is called once. "
        f"Outputs: {_said(outputs)}; last layers: {inside}. Received: "
        f"layer={layer!r}, which is {_said(found) or 'none of them'}"
    )


def _said(places):
    return ", ".join(map(str, places))
