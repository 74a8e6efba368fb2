"""What the layer can be set to, and when: the same file in every world.

References are those of `numpy_reference`, in pixels of the map.
"""

import numpy as np
import pytest

import integral_tf
from integral_tf.keras_version import keras
from tests import numpy_reference
from tests.worlds import cases
from tests.worlds.cases import array


@pytest.fixture
def maps():
    return cases.blobs()  # 8 x 12


def reader(**options):
    """A model that only reads maps, and its layer."""
    inputs = keras.Input((8, 12, 3))
    layer = integral_tf.IntegralRegression(**options)
    return keras.Model(inputs, layer(inputs)), layer


@pytest.mark.parametrize(
    "options, low, steps",
    [
        ({"stride": (16, 8)}, -0.5, (8, 16)),
        ({"stride": [0.5, 3]}, -0.5, (3, 0.5)),
        ({"output_range": (-1, 1)}, -1, (2 / 12, 2 / 8)),
        ({"output_range": (0, 1)}, 0, (1 / 12, 1 / 8)),
    ],
    ids=str,
)
def test_frames(maps, options, low, steps):
    layer = integral_tf.IntegralRegression(covariance=True, **options)
    outputs = layer(maps)
    points = numpy_reference.joints(maps)
    np.testing.assert_allclose(
        array(outputs["joints"]), (points + 0.5) * steps + low, atol=1e-4
    )
    spread = numpy_reference.covariance(maps)
    np.testing.assert_allclose(
        array(outputs["covariance"]), spread * np.outer(steps, steps), rtol=1e-4
    )


def test_a_beta_that_is_set_acts_on_what_was_traced(maps):
    model, layer = reader(beta=2.0)
    before = model.predict(maps, verbose=0)
    np.testing.assert_allclose(
        before, numpy_reference.joints(maps, beta=2.0), atol=1e-4
    )
    layer.beta = 7.51
    assert layer.beta == 7.51
    after = model.predict(maps, verbose=0)
    np.testing.assert_allclose(
        after, numpy_reference.joints(maps, beta=7.51), atol=1e-4
    )


@pytest.mark.skipif(
    cases.BACKEND == "jax", reason="jax.jit takes what it reads as fixed"
)
def test_a_beta_that_is_set_acts_on_what_was_compiled(maps):
    model, layer = reader(beta=2.0)
    given = keras.backend.constant(maps) if cases.LEGACY else maps
    if cases.BACKEND == "torch":
        import torch

        given = torch.tensor(maps)
    run = cases.compiled(model)
    run(given)
    layer.beta = 7.51
    np.testing.assert_allclose(
        array(run(given)), numpy_reference.joints(maps, beta=7.51), atol=1e-4
    )


def test_a_beta_that_is_set_is_saved(maps, tmp_path):
    model, layer = reader(beta=2.0)
    layer.beta = 7.51
    expected = numpy_reference.joints(maps, beta=7.51)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again.predict(maps, verbose=0), expected, atol=1e-4
    )
    model.save_weights(tmp_path / "model.weights.h5")
    for fill in (
        lambda new: new.load_weights(tmp_path / "model.weights.h5"),
        lambda new: new.set_weights(model.get_weights()),
    ):
        new, _ = reader(beta=3.0)
        fill(new)
        np.testing.assert_allclose(array(new(maps)), expected, atol=1e-4)
    # A clone starts anew.
    clone = keras.models.clone_model(model)
    np.testing.assert_allclose(
        array(clone(maps)), numpy_reference.joints(maps, beta=2.0), atol=1e-4
    )


@pytest.mark.parametrize("frames", [3, None])
def test_a_film(maps, frames):
    film = np.stack([maps, maps + 1, maps[:, ::-1]], axis=1)
    layer = integral_tf.IntegralRegression(
        stride=4, confidence=True, covariance=True, packed=True
    )
    inputs = keras.Input((frames, 8, 12, 3))
    packed = keras.layers.TimeDistributed(layer)(inputs)
    model = keras.Model(inputs, layer.unpack(packed))
    outputs = model.predict(film, verbose=0)
    plain = integral_tf.IntegralRegression(
        stride=4, confidence=True, covariance=True
    )
    for name, value in plain(film.reshape(6, 8, 12, 3)).items():
        value = array(value)
        expected = value.reshape(2, 3, *value.shape[1:])
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4)
    model.compile("sgd", {"joints": "mse"})
    model.fit(film, {"joints": np.zeros((2, 3, 3, 2))}, verbose=0)


def test_the_data_format_is_that_of_keras(maps):
    expected = numpy_reference.joints(maps)
    keras.backend.set_image_data_format("channels_first")
    try:
        layer = integral_tf.IntegralRegression()
        points = array(layer(maps.transpose(0, 3, 1, 2)))
    finally:
        keras.backend.set_image_data_format("channels_last")
    np.testing.assert_allclose(points, expected, atol=1e-4)
    # It keeps the one that it was made with.
    assert layer.get_config()["data_format"] == "channels_first"
