"""Tests for numbers that are calibrated: they are weights, and yet settings.

A network's outputs are compared with those of one that was built with the
numbers in its constructors.
"""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import layers

BUILT = {"beta": 2.0, "slope": 1.0, "offset": 0.0, "degrees": None}
FOUND = {"beta": 7.51, "slope": 0.63, "offset": 1.25, "degrees": 3.5}


@pytest.fixture
def maps():
    return np.random.default_rng(0).normal(size=(4, 5, 6, 2)).astype("float32")


def network(beta, slope, offset, degrees):
    """Reads maps; joints, calibrated scores and calibrated spreads."""
    maps = keras.Input((5, 6, 2))
    read = layers.IntegralRegression(
        beta=beta, confidence=True, covariance=True, name="integral"
    )
    outputs = read(keras.layers.Conv2D(2, 1, name="maps")(maps))
    scores = layers.ScoreCalibration(slope, offset, name="scores")
    spread = layers.CovarianceCalibration(slope, offset, degrees, name="spread")
    return keras.Model(
        maps,
        {
            "joints": outputs["joints"],
            "scores": scores(outputs["confidence"]),
            "covariance": spread(outputs["covariance"]),
        },
    )


def numbers(model):
    """What the layers' attributes say."""
    integral, scores, spread = map(
        model.get_layer, ("integral", "scores", "spread")
    )
    assert (scores.slope, scores.offset) == (spread.slope, spread.offset)
    return {
        "beta": integral.beta,
        "slope": spread.slope,
        "offset": spread.offset,
        "degrees": spread.degrees,
    }


def calibrate(model, beta, slope, offset, degrees):
    model.get_layer("integral").beta = beta
    model.get_layer("scores").slope = slope
    model.get_layer("scores").offset = offset
    model.get_layer("spread").slope = slope
    model.get_layer("spread").offset = offset
    model.get_layer("spread").degrees = degrees


@pytest.fixture
def model():
    """A network that was calibrated after it was built."""
    keras.utils.set_random_seed(0)
    model = network(**BUILT)
    calibrate(model, **FOUND)
    return model


def by_file_of_weights(model, new, folder):
    model.save_weights(folder / "a.weights.h5")
    new.load_weights(folder / "a.weights.h5")


def by_checkpoint(model, new, folder):
    path = tf.train.Checkpoint(model=model).save(str(folder / "checkpoint"))
    tf.train.Checkpoint(model=new).restore(path).assert_consumed()


def by_list(model, new, folder):
    new.set_weights(model.get_weights())


def by_old_h5(model, new, folder):
    model.save(folder / "a.h5")
    new.load_weights(folder / "a.h5")


@pytest.mark.parametrize(
    "carry", [by_file_of_weights, by_checkpoint, by_list, by_old_h5]
)
def test_weights_carry_them(carry, model, maps, tmp_path):
    assert numbers(model) == FOUND
    new = network(**BUILT)
    new(maps)
    carry(model, new, tmp_path)
    assert numbers(new) == FOUND
    for name, value in model(maps).items():
        np.testing.assert_allclose(new(maps)[name], value, atol=1e-5)


def test_a_keras_file_carries_them_and_a_clone_starts_anew(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert numbers(again) == FOUND
    # Twice, because the config still has the constructors' numbers.
    again.save(tmp_path / "again.keras")
    again = keras.saving.load_model(tmp_path / "again.keras")
    assert numbers(again) == FOUND
    assert numbers(keras.models.clone_model(model)) == BUILT


def test_an_h5_file_and_a_list_of_before(model, maps, tmp_path):
    # They have the convolution alone; docs/layer.md says how to read them.
    before = [weight.numpy() for weight in layers.network_weights(model)]
    path = tmp_path / "before.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        for name in ("integral", "scores", "spread"):
            file["model_weights"][name].attrs["weight_names"] = np.empty(0, "S")
    new = network(**FOUND)
    with pytest.warns(UserWarning, match="Skipping loading of weights"):
        new.load_weights(path, by_name=True, skip_mismatch=True)
    for name, value in model(maps).items():
        np.testing.assert_allclose(new(maps)[name], value, atol=1e-5)
    new = network(**FOUND)
    for weight, value in zip(layers.network_weights(new), before, strict=True):
        weight.assign(value)
    for name, value in model(maps).items():
        np.testing.assert_allclose(new(maps)[name], value, atol=1e-5)


def test_a_file_of_weights_of_before_leaves_them(model, tmp_path):
    path = tmp_path / "before.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        for name in (
            "integral_regression",
            "score_calibration",
            "covariance_calibration",
        ):
            numbers_of = file["layers"][name]["vars"]
            for key in list(numbers_of):
                del numbers_of[key]
    new = network(**{**FOUND, "beta": 3.0})
    new.load_weights(path)
    assert numbers(new) == {**FOUND, "beta": 3.0}
    np.testing.assert_array_equal(
        new.get_layer("maps").kernel, model.get_layer("maps").kernel
    )


def traced_by_tensorflow(model, jit_compile=False):
    return tf.function(model, jit_compile=jit_compile)


def traced_by_xla(model):
    return traced_by_tensorflow(model, jit_compile=True)


def traced_by_keras(model):
    return lambda maps: model.predict(maps, verbose=0)


@pytest.mark.parametrize(
    "trace", [traced_by_tensorflow, traced_by_xla, traced_by_keras]
)
def test_what_was_traced_before_follows(trace, maps):
    model = network(**BUILT)
    run = trace(model)
    before = run(maps)
    calibrate(model, **FOUND)
    after = run(maps)
    expected = network(**FOUND)
    expected.set_weights(model.get_weights())
    for name, value in expected(maps).items():
        np.testing.assert_allclose(after[name], value, atol=1e-4)
        assert np.abs(after[name] - before[name]).max() > 1e-2


def test_no_optimizer_touches_them(model, maps):
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    model.compile(optimizer, {"joints": "mse"}, jit_compile=False)
    model.fit(maps, {"joints": np.zeros((4, 2, 2))}, epochs=2, verbose=0)
    assert numbers(model) == FOUND


@pytest.mark.parametrize("excluded", [True, False])
def test_weight_decay_and_a_learned_beta(excluded):
    # No gradient: flat maps read the same joint for any beta.
    layer = layers.IntegralRegression(beta=5.0, learn_beta=True)
    model = keras.Sequential([keras.Input((5, 6, 2)), layer])
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=["log_beta"])
    model.compile(optimizer, "mse", jit_compile=False)
    model.fit(np.zeros((4, 5, 6, 2)), np.zeros((4, 2, 2)), verbose=0)
    # Decayed, it is 5 to the power of 1 - 0.1 * 0.5.
    expected = 5.0 if excluded else 5**0.95
    assert layer.beta == pytest.approx(expected, rel=1e-5)


def test_a_learned_and_a_calibrated_beta_read_each_others_files(tmp_path):
    def single(**options):
        layer = layers.IntegralRegression(**options)
        return keras.Sequential([keras.Input((5, 6, 2)), layer]), layer

    learned, there = single(learn_beta=True, beta=3.0)
    calibrated, here = single(beta=2.0)
    path = tmp_path / "beta.weights.h5"
    learned.save_weights(path)
    calibrated.load_weights(path)
    assert here.beta == 3
    here.beta = 4.5
    calibrated.save_weights(path)
    learned.load_weights(path)
    assert there.beta == pytest.approx(4.5)


def test_a_layer_that_is_made_in_every_trace(maps):
    # TensorFlow takes no variables there.
    @tf.function
    def read(maps):
        return layers.IntegralRegression(beta=2.0)(maps)

    expected = layers.IntegralRegression(beta=2.0)(maps)
    for part in (maps, maps[:1], maps[:, :, :4]):
        assert read(part).shape == (len(part), 2, 2)
    np.testing.assert_allclose(read(maps), expected, atol=1e-5)


def test_an_attribute_is_a_number_while_a_graph_is_traced(model):
    @tf.function
    def trace():
        assert numbers(model) == FOUND

    trace()


def test_on_several_devices(maps):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = network(**BUILT)
    calibrate(model, **FOUND)
    assert numbers(model) == FOUND
    run = tf.function(lambda: strategy.run(model, args=(maps,)))
    for name, values in run().items():
        for value in strategy.experimental_local_results(values):
            np.testing.assert_allclose(value, model(maps)[name], atol=1e-5)


def test_which_weights_are_which(model):
    found = layers.calibrated_weights(model)
    names = ["beta", "slope", "offset", "slope", "offset", "degrees"]
    assert sorted(weight.name for weight in found) == sorted(
        f"calibrated_{name}" for name in names
    )
    rest = layers.network_weights(model)
    assert [weight.name for weight in rest] == ["kernel", "bias"]
    assert len(model.weights) == len(found) + len(rest)


@pytest.mark.parametrize(
    "name, attribute, value",
    [
        ("integral", "beta", 0),
        ("integral", "beta", float("nan")),
        ("integral", "beta", "4"),
        ("scores", "slope", -1.0),
        ("scores", "offset", float("inf")),
        ("spread", "offset", -1.0),
        ("spread", "degrees", 0),
        ("spread", "degrees", True),
    ],
)
def test_each_is_checked_when_it_is_set(model, name, attribute, value):
    with pytest.raises(ValueError, match=f"Received: {attribute}={value!r}"):
        setattr(model.get_layer(name), attribute, value)
    assert numbers(model) == FOUND
