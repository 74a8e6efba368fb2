"""Tests for the integral operation.

Expected values are worked out by hand, or by `numpy_reference`.
"""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.ops import integral
from integral_tf.ops import layout
from tests import numpy_reference
from tests.ops import cases


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("spatial", cases.SPATIAL, ids=str)
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_points_are_those_of_numpy(spatial, data_format, beta):
    maps = cases.random_maps(spatial)
    points = integral.integrate(
        cases.arrange(maps, data_format), beta=beta, data_format=data_format
    )
    assert points.dtype == "float32"
    np.testing.assert_allclose(
        points, numpy_reference.joints(maps, beta), atol=1e-4
    )


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("spatial", cases.SPATIAL, ids=str)
def test_its_parts_are_those_of_numpy_too(spatial, data_format):
    maps = cases.random_maps(spatial)
    given = cases.arrange(maps, data_format)
    masses, points, axes = cases.read(given, data_format)
    weight = numpy_reference.probabilities(maps)
    share = np.asarray(masses, np.float64)
    share = share / share.sum(axis=axes, keepdims=True)
    np.testing.assert_allclose(
        share, cases.arrange(weight, data_format), atol=1e-6
    )
    np.testing.assert_allclose(points, numpy_reference.joints(maps), atol=1e-4)
    flat, lengths = layout.flatten_maps(given, data_format)
    assert lengths == spatial
    share = integral.spatial_softmax(flat)
    weight = np.swapaxes(weight.reshape(2, -1, 3), 1, 2)
    np.testing.assert_allclose(share, weight, atol=1e-6)


# 1023 and 600 are no multiples of the steps in which long axes are summed.
@pytest.mark.parametrize("beta", [0.05, 3.0])
@pytest.mark.parametrize("spatial", [(1024, 1024), (1023, 600), (128,) * 3])
def test_large_maps(spatial, beta):
    maps = np.random.default_rng(0).normal(size=(1, *spatial, 1))
    maps = maps.astype("float32")
    maps[(0, *[5] * len(spatial))] = 4.0 / beta  # more on one side
    points = integral.integrate(maps, beta)
    expected = numpy_reference.joints(maps, beta)
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    "values, expected",
    [
        pytest.param({(5, 2): np.inf}, (5, 2), id="one"),
        pytest.param({(5, 2): np.inf, (1, 0): np.inf}, (3, 1), id="two"),
        pytest.param({(5, 2): np.inf, (1, 0): 1e38}, (5, 2), id="beside"),
        pytest.param({...: np.inf}, (2.5, 1.5), id="everywhere"),
        pytest.param({...: -np.inf}, (2.5, 1.5), id="nothing"),
        pytest.param({...: -np.inf, (4, 3): -9.0}, (4, 3), id="but one"),
        pytest.param({...: -3e38, (4, 3): -2e38}, (4, 3), id="by beta"),
    ],
)
def test_infinite_scores_are_cut(values, expected, jit_compile):
    # Equal infinities share the map equally; beta makes more of them.
    maps = np.zeros((1, 4, 6, 1), "float32")
    for spot, score in values.items():
        maps[(0, *spot[::-1], 0) if spot != ... else ...] = score
    graph = tf.function(
        lambda maps: (
            integral.integrate(maps, 1.5),
            cases.pulled(maps, np.ones((1, 1, 2)), beta=1.5),
        ),
        jit_compile=jit_compile,
    )
    points, gradient = graph(maps)
    np.testing.assert_allclose(points[0, 0], expected, atol=1e-5)
    assert np.isfinite(gradient).all()


def test_nan_stays_nan():
    maps = np.zeros((1, 4, 6, 2), "float32")
    maps[0, 1, 1, 0] = np.nan
    points = integral.integrate(maps)
    assert np.isnan(points[0, 0]).all()
    np.testing.assert_allclose(points[0, 1], (2.5, 1.5), atol=1e-5)


@pytest.mark.parametrize("x, y", [(0, 0), (63, 0), (0, 63), (63, 63)])
def test_a_corner_is_returned_as_it_is(x, y):
    maps = np.zeros((1, 64, 64, 1), "float32")
    maps[0, y, x, 0] = 50.0
    np.testing.assert_allclose(
        integral.integrate(maps)[0, 0], (x, y), atol=1e-3
    )


def test_a_flat_map_gives_its_middle():
    # The mean of 0..63 and of 0..31.
    points = integral.integrate(np.full((1, 32, 64, 1), -7.0, "float32"))
    np.testing.assert_allclose(points[0, 0], (31.5, 15.5), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_huge_scores_are_finite(dtype, jit_compile):
    maps = np.full((2, 4, 6, 1), -1e4, "float32")
    maps[0, 2, 5], maps[1] = 1e4, 1e4  # one pixel; then a flat map
    maps = tf.cast(maps, dtype)
    graph = tf.function(
        lambda maps: (
            integral.integrate(maps),
            cases.pulled(maps, np.ones((2, 1, 2))),
        ),
        jit_compile=jit_compile,
    )
    points, gradient = graph(maps)
    assert points.dtype == "float32"
    np.testing.assert_allclose(points[:, 0], [(5, 2), (2.5, 1.5)], atol=1e-5)
    assert gradient.dtype == dtype
    assert np.isfinite(tf.cast(gradient, "float32")).all()


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize(
    "shape, jit_compile",
    [
        pytest.param((2, 5, 4, 3), False, id="static"),
        pytest.param((2, 5, 4, 3), True, id="static, XLA"),
        pytest.param((None, 5, 4, 3), False, id="unknown batch"),
        pytest.param((None, None, None, 3), False, id="unknown size"),
        pytest.param((None, None, None, None), False, id="unknown everything"),
    ],
)
def test_in_a_graph(shape, jit_compile, data_format):
    maps = cases.random_maps((5, 4))
    upstream = np.random.default_rng(1).normal(size=(2, 3, 2))
    if data_format == "channels_first":
        shape = (shape[0], shape[3], shape[1], shape[2])

    @tf.function(
        input_signature=[tf.TensorSpec(shape, tf.float32)],
        jit_compile=jit_compile,
    )
    def graph(maps):
        points = integral.integrate(maps, data_format=data_format)
        return points, cases.pulled(maps, upstream, data_format=data_format)

    points, gradient = graph(cases.arrange(maps, data_format))
    np.testing.assert_allclose(points, numpy_reference.joints(maps), atol=1e-4)
    np.testing.assert_allclose(
        gradient,
        cases.arrange(numpy_reference.gradient(maps, upstream), data_format),
        atol=1e-4,
    )


@pytest.mark.parametrize("spatial", cases.SPATIAL, ids=str)
@pytest.mark.parametrize("dynamic", [False, True])
def test_covariance_and_confidence_are_those_of_numpy(spatial, dynamic):
    maps = cases.random_maps(spatial, scale=1.0)

    def spread(maps):
        parts = cases.read(maps)
        return (
            integral.covariance(*parts),
            integral.confidence(*parts, radius=1.5),
        )

    if dynamic:
        unknown = tf.TensorSpec([None] * maps.ndim, tf.float32)
        spread = tf.function(spread, input_signature=[unknown])
    covariance, confidence = spread(maps)

    np.testing.assert_allclose(
        covariance, numpy_reference.covariance(maps), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        confidence, numpy_reference.confidence(maps, 1.5), atol=1e-5
    )


def test_covariance_and_confidence_by_hand():
    # Halves at x = 1 and x = 5, J at (3, 0): each 2 away, so var(x) = 4, and
    # exp(-2^2 / 2) of each agrees.
    parts = cases.read(numpy_reference.scores({(1, 0): 0.5, (5, 0): 0.5}))
    np.testing.assert_allclose(
        integral.covariance(*parts)[0, 0], [[4, 0], [0, 0]], atol=1e-5
    )
    np.testing.assert_allclose(
        integral.confidence(*parts)[0, 0], np.exp(-2), atol=1e-6
    )
    # Halves at opposite corners of 2 x 2 pixels: x and y fall together.
    parts = cases.read(numpy_reference.scores({(2, 3): 0.5, (4, 1): 0.5}))
    np.testing.assert_allclose(
        integral.covariance(*parts)[0, 0], [[1, -1], [-1, 1]], atol=1e-5
    )
    parts = cases.read(numpy_reference.scores({(2, 3): 1.0}))
    np.testing.assert_allclose(integral.confidence(*parts), 1.0, atol=1e-6)


def test_offsets_run_along_x_then_y():
    along_x, along_y = integral.offsets(
        np.array([[[1.0, 2.0]]], "float32"), (2, 3)
    )
    np.testing.assert_allclose(along_x, [[[[-1, 0, 1]]]])
    np.testing.assert_allclose(along_y, [[[[-2], [-1]]]])


def test_rejects_maps_it_cannot_read():
    with pytest.raises(ValueError, match="Received: data_format='NCHW'"):
        integral.integrate(np.zeros((1, 2, 2, 1)), data_format="NCHW")
    with pytest.raises(ValueError, match=r"Received: shape=\(2, 2\)"):
        integral.integrate(np.zeros((2, 2)))


# Run in its own process: Keras takes one backend for good.
ON_ANOTHER_BACKEND = """
import sys
import keras
import numpy as np
from integral_tf.ops import integral
from integral_tf.ops import layout

file = np.load(sys.argv[1])
maps, upstream = file["maps"], file["upstream"]
if keras.backend.backend() == "torch":
    import torch
    tensor = torch.tensor(maps, requires_grad=True)
    points = integral.integrate(tensor, beta=0.3)
    points.backward(torch.tensor(upstream))
    gradient = tensor.grad
else:
    import jax
    points, pull = jax.vjp(
        jax.jit(lambda maps: integral.integrate(maps, beta=0.3)), maps
    )
    gradient, = pull(upstream)
scores, axes = layout.arranged(maps)
masses = integral.masses(integral.scaled(scores, 0.3), axes)
means = integral.expected_coordinates(masses, axes)
covariance = integral.covariance(masses, means, axes)
np.savez(
    sys.argv[2],
    points=keras.ops.convert_to_numpy(points),
    gradient=keras.ops.convert_to_numpy(gradient),
    covariance=keras.ops.convert_to_numpy(covariance),
)
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_on_another_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    maps = cases.random_maps((6, 5))
    upstream = np.random.default_rng(1).normal(size=(2, 3, 2))
    np.savez(
        tmp_path / "in.npz", maps=maps, upstream=upstream.astype("float32")
    )
    subprocess.run(
        [
            sys.executable,
            "-c",
            ON_ANOTHER_BACKEND,
            tmp_path / "in.npz",
            tmp_path / "out.npz",
        ],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
    )
    got = np.load(tmp_path / "out.npz")
    points = numpy_reference.joints(maps, 0.3)
    np.testing.assert_allclose(got["points"], points, atol=1e-4)
    np.testing.assert_allclose(
        got["gradient"],
        numpy_reference.gradient(maps, upstream, 0.3),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        got["covariance"], numpy_reference.covariance(maps, 0.3), atol=1e-4
    )


def test_a_float64_beta_leaves_the_points_in_float32():
    points = integral.integrate(np.zeros((1, 4, 4, 1)), np.float64(2.0))
    assert points.dtype == "float32"
