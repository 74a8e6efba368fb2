"""Tests for the optimizer: weight decay, and a learning rate that rises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf.training import optimizers


def test_kernels_decay_by_the_learning_rate_and_biases_do_not():
    # Without a gradient Adam itself does nothing.
    variables = [keras.Variable(np.full(3, 10.0, "float32")) for _ in range(3)]
    kernel, slowed, bias = variables
    adam = optimizers.Adam(
        0.1, [slowed], 0.5, decayed=[kernel, slowed], decay=0.5
    )
    adam.build(variables)
    for _ in range(2):
        adam.apply([np.zeros(3, "float32")] * 3, variables)
    np.testing.assert_allclose(kernel, 10 * 0.95**2, rtol=1e-6)
    np.testing.assert_allclose(slowed, 10 * 0.975**2, rtol=1e-6)
    np.testing.assert_allclose(bias, 10.0)


def falls(adam, variable, steps):
    """How far a variable falls in each step under a gradient of 1."""
    found = []
    for _ in range(steps):
        before = variable.numpy().item()
        adam.apply([np.ones(1, "float32")], [variable])
        found.append(before - variable.numpy().item())
    return found


def test_the_learning_rate_rises_evenly_and_goes_on_rising():
    # Under a constant gradient each step of Adam is the learning rate.
    variable = keras.Variable([0.0])
    adam = optimizers.Adam(0.4, warmup_steps=4)
    adam.build([variable])
    assert falls(adam, variable, 2) == pytest.approx([0.1, 0.2], rel=1e-4)
    # Another optimizer, with the variables of a checkpoint.
    resumed = optimizers.Adam(0.4, warmup_steps=4)
    resumed.build([variable])
    resumed.set_weights([each.numpy() for each in adam.variables])
    found = falls(resumed, variable, 4)
    assert found == pytest.approx([0.3, 0.4, 0.4, 0.4], rel=1e-4)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_is_that_of_keras(compiled):
    # Of many sizes, so that epsilon matters.
    rng = np.random.default_rng(0)
    steps = [rng.normal(size=5) * 10.0 ** (i - 15) for i in range(20)]

    def after(adam):
        variable = keras.Variable(np.ones(5, "float32"), name="kernel")
        adam.build([variable])
        apply = tf.function(
            lambda gradient: adam.apply([gradient], [variable]),
            jit_compile=compiled,
        )
        for each in steps:
            apply(tf.constant(each, tf.float32))
        return {each.name: each.numpy() for each in (variable, *adam.variables)}

    ours = after(optimizers.Adam(0.01))
    theirs = after(keras.optimizers.Adam(0.01))
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=2e-5, err_msg=name)
