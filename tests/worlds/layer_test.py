"""The layer's points in whichever Keras this is: the same file in every world.

Each column of the matrix in docs/layer.md has a test in this folder. The
points are compared with those of `numpy_reference`.
"""

import os

import numpy as np
import pytest

import integral_tf
from integral_tf.keras_version import keras
from integral_tf.keras_version import LEGACY
from tests.worlds import cases


def test_this_is_the_world_that_was_asked_for():
    worlds = {
        "jax": ("keras", "jax"),
        "torch": ("keras", "torch"),
        "modelgarden": ("tf_keras", "tensorflow"),
        "addons": ("keras", "tensorflow"),
    }
    asked = os.environ.get("WORLD")
    wanted = worlds.get(asked, ("keras", "tensorflow"))
    assert (keras.__name__, cases.BACKEND) == wanted
    assert LEGACY == (asked in ("modelgarden", "addons"))


@pytest.mark.parametrize("options", cases.OPTIONS.values(), ids=cases.OPTIONS)
def test_forward(options):
    got, want = cases.read(cases.blobs(), **options)
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, want, atol=cases.CLOSE)


@pytest.mark.parametrize("name", cases.OPTIONS)
def test_forward_of_nobody(name):
    # A detector found no person: a batch of 0 crops.
    layer = integral_tf.IntegralRegression(
        confidence=True, **cases.OPTIONS[name]
    )
    outputs = layer(np.zeros((0, 8, 12, 3), "float32"))
    joints = 8 if "data_format" in cases.OPTIONS[name] else 3
    assert outputs["joints"].shape == (0, joints, 2)


@pytest.mark.parametrize("base", [-1e4, 1e4])
def test_forward_of_huge_scores(base):
    maps = np.random.default_rng(0).normal(base, 2, (2, 8, 12, 3))
    got, want = cases.read(maps.astype("float32"))
    np.testing.assert_allclose(got, want, atol=cases.CLOSE)


def test_forward_of_huge_differences():
    maps = np.random.default_rng(0).uniform(-1e4, 1e4, (2, 8, 12, 3))
    got, want = cases.read(maps.astype("float32"))
    np.testing.assert_allclose(got, want, atol=cases.CLOSE)


def test_forward_of_a_large_map():
    # A softmax that sums to 1.00003 moves it by more.
    maps = np.random.default_rng(0).normal(size=(1, 1024, 600, 1)) * 3
    got, want = cases.read(maps.astype("float32"))
    np.testing.assert_allclose(
        got, want, rtol=0, atol=cases.STRIDE * cases.CLOSE
    )


@pytest.mark.parametrize("value, where", [(np.inf, 1), (-np.inf, 0)], ids=str)
def test_forward_of_infinite_scores(value, where):
    # One pixel of +inf is the joint; nothing but -inf is like a flat map.
    maps = np.full((1, 8, 12, 1), value if not where else 0, "float32")
    if where:
        maps[0, 3, 4] = value
    layer = integral_tf.IntegralRegression()
    want = (4, 3) if where else (5.5, 3.5)
    np.testing.assert_allclose(
        cases.array(layer(maps))[0, 0], want, atol=cases.CLOSE
    )
    gradient = cases.array(
        cases.gradient_of(layer, maps, np.ones((1, 1, 2), "float32"))
    )
    assert np.isfinite(gradient).all()
    maps[0, 1, 1] = np.nan
    assert np.isnan(cases.array(layer(maps))).all()


def test_a_window_of_a_map_of_minus_infinity():
    # The first pixel is as much a maximum as any; 3 around it are 2 x 2.
    maps = np.full((1, 8, 12, 1), -np.inf, "float32")
    for learned in (False, True):
        layer = integral_tf.IntegralRegression(window=3, learn_beta=learned)
        np.testing.assert_allclose(
            cases.array(layer(maps))[0, 0], 0.5, atol=cases.CLOSE
        )
