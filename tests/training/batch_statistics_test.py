"""Tests for batch normalisation in one operation, against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf.training import batch_statistics


def network():
    """A normalisation of maps, after a factor of each channel."""
    inputs = keras.Input((4, 6, 3))
    norm = keras.layers.BatchNormalization(epsilon=1e-3, momentum=0.9)
    model = keras.Model(inputs, norm(inputs))
    rng = np.random.default_rng(0)
    for weight in norm.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model, norm


def trained(maps, fused, trainable=True, training=True):
    """Outputs, gradients of their weighted sum, and the weights after it."""
    model, norm = network()
    norm.trainable = trainable
    if fused:
        batch_statistics.fuse(model)
    maps = tf.constant(maps)
    factors = np.random.default_rng(1).normal(size=maps.shape)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = model(maps, training=training)
        total = tf.reduce_sum(outputs * factors.astype("float32"))
    sources = [maps, norm.gamma.value, norm.beta.value]
    return [outputs, *tape.gradient(total, sources), *model.get_weights()]


@pytest.mark.parametrize("people", [1, 5])
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_averages_are_those_of_keras(
    people, trainable, training
):
    maps = np.random.default_rng(2).normal(3, 2, (people, 4, 6, 3))
    maps = maps.astype("float32")
    plain = trained(maps, False, trainable, training)
    fused = trained(maps, True, trainable, training)
    for left, right in zip(plain, fused, strict=True):
        np.testing.assert_allclose(right, left, atol=2e-5, rtol=1e-5)


def test_the_statistics_are_taken_in_one_operation():
    model, _ = network()
    batch_statistics.fuse(model)

    @tf.function
    def run(maps):
        return model(maps, training=True)

    graph = run.get_concrete_function(tf.zeros((2, 4, 6, 3))).graph
    kinds = {node.op for node in graph.as_graph_def().node}
    kinds |= {
        node.op
        for each in graph.as_graph_def().library.function
        for node in each.node_def
    }
    assert "FusedBatchNormV3" in kinds


def test_a_saved_model_is_kerass(tmp_path):
    model, _ = network()
    batch_statistics.fuse(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    (norm,) = [layer for layer in again.layers if layer.weights]
    assert type(norm) is keras.layers.BatchNormalization
    assert "call" not in vars(norm)
    maps = np.ones((1, 4, 6, 3), "float32")
    np.testing.assert_array_equal(again(maps), model(maps))
