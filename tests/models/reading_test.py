"""Tests for reading a network's maps in another way than its method does."""

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf.models import reading


def network(method, **options):
    return integral_tf.pose_model(
        method,
        "resnet18",
        joints=2,
        image_size=64,
        width_multiplier=0.125,
        head_channels=8,
        upsamplings=3,
        **options,
    )


def outputs(model):
    crops = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3))
    found = model(crops.astype("float32"), training=False)
    return {name: np.asarray(value) for name, value in found.items()}


def argmax(maps):
    """`(B, K, 2)` x and y of the largest scores, in pixels of the maps."""
    flat = maps.reshape(len(maps), -1, maps.shape[-1]).argmax(axis=1)
    return np.stack([flat % maps.shape[2], flat // maps.shape[2]], axis=-1)


@pytest.mark.parametrize("method", ["H1", "I1"])
def test_a_maximum_is_where_numpy_finds_it(method):
    model = network(method)
    read = outputs(reading.reread(model, "argmax", 1.0))
    own = outputs(model)
    # At stride 4 a cell's middle is at 4 i + 1.5.
    expected = 4 * argmax(own["heatmaps"]) + 1.5
    np.testing.assert_allclose(read["joints"], expected)
    np.testing.assert_array_equal(read["scores"], own["scores"])
    assert (method == "H1") == np.allclose(own["joints"], expected)


def test_refined_maxima_lie_within_a_cell_of_it():
    model = network("H1")
    # In a new process Keras would call the reading as the network's own.
    keras.backend.clear_session()
    plain = outputs(reading.reread(model, "argmax", 1.0))["joints"]
    shift = outputs(reading.reread(model, "shift", 1.0))["joints"] - plain
    assert set(np.unique(abs(shift))) <= {0.0, 1.0}  # a quarter of 4 pixels
    moved = outputs(reading.reread(model, "dark", 1.0))["joints"] - plain
    assert abs(moved).max() <= 4 and (shift.any() or moved.any())


def test_h2s_maps_have_an_expectation():
    model = network("H2")
    own = outputs(model)["heatmaps"].astype(np.float64)
    mass = np.exp(own - own.max(axis=(1, 2), keepdims=True))
    mass /= mass.sum(axis=(1, 2), keepdims=True)
    y, x = np.indices(own.shape[1:3])
    expected = np.stack(
        [np.einsum("bhwk,hw->bk", mass, axis) for axis in (x, y)], axis=-1
    )
    got = outputs(reading.reread(model, "integral", 1.0))["joints"]
    np.testing.assert_allclose(got, 4 * expected + 1.5, atol=1e-3)


def test_its_own_reading_changes_nothing():
    model = network("I1")
    assert reading.reread(model, "", 1.0) is model
    assert reading.reread(model, "integral", 1.0) is model


@pytest.mark.parametrize(
    "method, by, message",
    [
        ("R1", "dark", "has no maps to read"),
        ("SimCC", "argmax", "as of R1 and SimCC, has no maps"),
        ("H1", "integral", "a beta that is chosen first"),
        ("H3", "integral", "a beta that is chosen first"),
    ],
)
def test_refuses_what_has_no_meaning(method, by, message):
    with pytest.raises(ValueError, match=f"{message}.*--read_by={by}"):
        reading.reread(network(method), by, 1.0)
