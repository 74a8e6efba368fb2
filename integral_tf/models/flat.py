"""Copies a part of a network, flat, for images of another size."""

import collections
import re

import keras

# Where Keras parts the name of a class with underscores.
_BEGINS = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


def copy(part: keras.Model, size: tuple[int, int], name: str) -> keras.Model:
    """Copies a network with its weights, the layers of inner models included.

    Layers without a name of their own are numbered from the first, so that
    every copy has the same names.

    Args:
        part: A functional model with one input of images; not changed.
        size: `(height, width)` of the copy's images.
        name: Name of the copy.

    Raises:
        ValueError: two layers of inner models have the same name, or a layer
            is bound to images of another size.
    """
    flat = keras.models.clone_model(
        part,
        input_tensors=keras.Input((*size, part.input.shape[-1])),
        clone_function=lambda layer: layer,
        call_function=_called,
    )
    seen = collections.Counter()

    def renamed(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer  # a keras.ops function
        config = layer.get_config()
        # Keras numbers such names over a whole process.
        kind = _BEGINS.sub("_", type(layer).__name__).lower()
        if re.fullmatch(rf"{kind}(_\d+)?", layer.name):
            seen[kind] += 1
            config["name"] = f"{kind}_{seen[kind]}"
        return type(layer).from_config(config)

    clone = keras.models.clone_model(flat, clone_function=renamed)
    clone.set_weights(flat.get_weights())
    return keras.Model(clone.input, clone.output, name=name)


def _called(layer, *args, **kwargs):
    """Calls a layer; of an inner model, its layers one by one."""
    if isinstance(layer, keras.Model):
        # Not `call`, which would leave an operation before the first layer. A
        # Sequential holds a functional model.
        graph = getattr(layer, "_functional", None) or layer
        return graph._run_through_graph(
            args, operation_fn=lambda inner: inner, call_fn=_called
        )
    return layer(*args, **kwargs)
