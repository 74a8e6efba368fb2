"""The layer on a backbone of TensorFlow Model Garden, which is tf_keras's."""

import os

import numpy as np
import pytest

# In its own world it must be there: `make test-modelgarden` sets WORLD.
if os.environ.get("WORLD") != "modelgarden":
    pytest.skip("of another world", allow_module_level=True)

import tf_keras
from official.vision.modeling.backbones import resnet

import integral_tf
from integral_tf import losses
from tests.worlds import processes

STRIDE = 16


@pytest.fixture(scope="module")
def trained():
    """A pose network after a few steps, its pictures, and its losses."""
    tf_keras.utils.set_random_seed(0)
    inputs = tf_keras.Input((64, 64, 3))
    features = resnet.ResNet(model_id=18)(inputs)["5"]  # (2, 2, 512)
    features = tf_keras.layers.Conv2DTranspose(
        32, 4, strides=2, padding="same", activation="relu"
    )(features)
    maps = tf_keras.layers.Conv2D(3, 1)(features)
    joints = integral_tf.IntegralRegression(stride=STRIDE)(maps)
    model = tf_keras.Model(inputs, joints)
    model.compile(tf_keras.optimizers.Adam(1e-3), losses.JointL1(unit=STRIDE))
    draw = np.random.default_rng(0)
    pictures = draw.uniform(-1, 1, (4, 64, 64, 3)).astype("float32")
    labelled = draw.uniform(16, 48, (4, 3, 3)).astype("float32")
    labelled[..., 2] = 1
    history = model.fit(pictures, labelled, epochs=15, verbose=0)
    return model, pictures, history.history["loss"]


def test_trains(trained):
    model, pictures, costs = trained
    assert costs[-1] < 0.7 * costs[0], costs
    assert model.predict(pictures, verbose=0).shape == (4, 3, 2)


def test_loads_in_a_fresh_process(trained, tmp_path):
    model, pictures, _ = trained
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "pictures.npy", pictures)
    processes.fresh(
        """
import sys, numpy, tf_keras, integral_tf
from official.vision.modeling.backbones import resnet
model = tf_keras.models.load_model(sys.argv[1] + "/model.keras")
pictures = numpy.load(sys.argv[1] + "/pictures.npy")
numpy.save(sys.argv[1] + "/joints.npy", model.predict(pictures, verbose=0))
""",
        tmp_path,
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "joints.npy"),
        model.predict(pictures, verbose=0),
        atol=1e-3,
    )


def test_exports(trained, tmp_path):
    model, pictures, _ = trained
    model.export(str(tmp_path / "model"))
    np.save(tmp_path / "pictures.npy", pictures)
    processes.fresh(
        """
import sys, numpy, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1] + "/model")
pictures = numpy.load(sys.argv[1] + "/pictures.npy")
numpy.save(sys.argv[1] + "/joints.npy", loaded.serve(tf.constant(pictures)))
assert not {"official", "integral_tf"} & set(sys.modules)
""",
        tmp_path,
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "joints.npy"),
        model.predict(pictures, verbose=0),
        atol=1e-3,
    )


def test_refuses_a_tensor_of_keras_3():
    import keras

    with pytest.raises(TypeError, match="set TF_USE_LEGACY_KERAS=0") as error:
        integral_tf.IntegralRegression()(keras.Input((8, 8, 3)))
    assert "Received: a KerasTensor of keras" in str(error.value)


def test_without_the_variable_it_says_to_set_it(monkeypatch):
    # Model Garden imports tf_keras whatever the variable says, and TensorFlow
    # itself imports Keras 3: only the variable tells which one is wanted.
    monkeypatch.delenv("TF_USE_LEGACY_KERAS")
    printed = processes.fresh(
        """
import tf_keras, integral_tf
try:
    integral_tf.IntegralRegression()(tf_keras.Input((8, 8, 3)))
except TypeError as error:
    print(error)
"""
    )
    assert "set TF_USE_LEGACY_KERAS=1 before Python starts" in printed
    assert "Received: a KerasTensor of tf_keras" in printed
