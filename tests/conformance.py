"""What every layer in this package must survive, written once."""

import contextlib

import keras
import numpy as np
import tensorflow as tf


def check_layer(layer, inputs, expected_shape, tmp_path):
    """Runs a layer the ways a user will, and requires one answer.

    Args:
        layer: A configured `keras.layers.Layer` instance.
        inputs: A NumPy array to call it on.
        expected_shape: The output shape, batch included; for a layer that
            returns a dict, a dict of shapes.
        tmp_path: pytest's temporary directory.
    """
    eager = _named(layer(inputs))
    shapes = _named(expected_shape)
    assert {name: value.shape for name, value in eager.items()} == shapes
    _require_finite(eager)

    rebuilt = type(layer).from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()

    for jit_compile in (False, True):
        graph = tf.function(layer, jit_compile=jit_compile)
        _require_equal(graph(inputs), eager, atol=1e-4)

    image = keras.Input(inputs.shape[1:], dtype=inputs.dtype.name)
    symbolic = layer(image)
    assert {name: value.shape for name, value in _named(symbolic).items()} == {
        name: (None, *shape[1:]) for name, shape in shapes.items()
    }
    model = keras.Model(image, symbolic)

    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    _require_equal(reloaded(inputs), eager, atol=1e-5)

    model.export(tmp_path / "saved_model", verbose=False)
    # Kept in a name: its variables live as long as it does.
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    _require_equal(loaded.serve(inputs), eager, atol=1e-5)

    config = layer.get_config()
    del config["dtype"]  # so that the policy in force is asked for one
    with policy("mixed_float16"):
        mixed = type(layer).from_config(config)
        if np.issubdtype(inputs.dtype, np.floating):
            inputs = inputs.astype("float16")  # what the layer before gives
        _require_finite(_named(mixed(inputs)))


@contextlib.contextmanager
def policy(name):
    """Sets Keras's dtype policy for the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _named(outputs):
    return outputs if isinstance(outputs, dict) else {"output": outputs}


def _require_finite(outputs):
    for name, value in outputs.items():
        value = keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
        assert np.isfinite(value).all(), name


def _require_equal(outputs, expected, atol):
    outputs = _named(outputs)
    assert outputs.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(
            outputs[name], value, rtol=1e-5, atol=atol, err_msg=name
        )
