"""The layer, trained by an optimizer of tensorflow-addons, on Keras 2.15."""

import os

import numpy as np
import pytest

# In its own world it must be there: `make test-addons` sets WORLD.
if os.environ.get("WORLD") != "addons":
    pytest.skip("of another world", allow_module_level=True)

import keras
import tensorflow_addons as tfa

import integral_tf
from integral_tf import losses

STRIDE = 4


@pytest.mark.parametrize(
    "optimizer",
    [
        tfa.optimizers.AdamW(weight_decay=1e-4, learning_rate=0.1),
        tfa.optimizers.LAMB(0.1),
    ],
    ids=["AdamW", "LAMB"],
)
def test_trains_and_is_restored(optimizer, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 3))
    maps = keras.layers.Conv2D(8, 4, STRIDE, activation=tfa.activations.mish)(
        inputs
    )
    maps = keras.layers.Conv2D(3, 3, padding="same")(maps)
    joints = integral_tf.IntegralRegression(stride=STRIDE, learn_beta=True)(
        maps
    )
    model = keras.Model(inputs, joints)
    model.compile(optimizer, losses.JointL1(unit=STRIDE))
    draw = np.random.default_rng(0)
    pictures = draw.normal(size=(4, 16, 16, 3)).astype("float32")
    labelled = draw.uniform(2, 13, (4, 3, 3)).astype("float32")
    labelled[..., 2] = 1
    costs = model.fit(pictures, labelled, epochs=30, verbose=0).history["loss"]
    assert costs[-1] < 0.7 * costs[0], costs
    assert model.layers[-1].beta != pytest.approx(1.0, abs=0.01)
    model.save(tmp_path / "model.keras")
    # Without the optimizer, which Keras' own format does not know.
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(
        again.predict(pictures, verbose=0),
        model.predict(pictures, verbose=0),
        atol=1e-4,
    )
