"""Tests for batch normalisation over all devices."""

import keras

from integral_tf.training import batch_norm
from tests import untrained


def test_every_normalisation_is_synchronized_and_none_is_saved_so(tmp_path):
    model = untrained.network("I1", backbone="resnet18")

    def norms(model):
        return [
            layer.synchronized
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
        ]

    # ResNet-18 has 20, with those of its three shortcuts; the head has two.
    assert norms(model) == [False] * 22
    batch_norm.synchronize(model)
    assert norms(model) == [True] * 22
    with batch_norm.apart(model):
        model.save(tmp_path / "model.keras")
    assert norms(model) == [True] * 22
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert norms(loaded) == [False] * 22
