"""Tests for DARK's reading of a map, against SciPy's float64."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from integral_tf import layers
from integral_tf.ops import dark


def blobs(*places, sigma=1.0, height=16, width=14):
    """`(1, H, W, K)` Gaussians of peak 1 at `(x, y)`."""
    rows, columns = np.indices((height, width))
    maps = [
        np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
        for x, y in places
    ]
    return np.stack(maps, axis=-1)[None]


def reference(heat, sigma):
    """One map's point: SciPy's filter, and gradients of gradients."""
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    blurred = ndimage.gaussian_filter(
        heat, sigma, mode="constant", truncate=3.0
    )
    down, right = np.gradient(np.log(np.maximum(blurred, 1e-10)))
    yy, yx = np.gradient(down)
    _, xx = np.gradient(right)
    hessian = [[xx[y, x], yx[y, x]], [yx[y, x], yy[y, x]]]
    slope = [right[y, x], down[y, x]]
    return np.array([x, y]) - np.linalg.solve(hessian, slope)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("sigma", [1.0, 1.7])
def test_equals_float64(sigma, data_format):
    # Two Gaussians of unlike width and height, so that no step is exact.
    places = [(5.3, 8.6), (8.45, 4.2), (7.0, 9.5)]
    maps = blobs(*places, sigma=1.3) + 0.3 * blobs(
        (6.0, 7.1), (9.0, 5.0), (5.5, 9.0), sigma=2.0
    )
    expected = [reference(maps[0, ..., k], sigma) for k in range(3)]
    given = maps.astype("float32")
    if data_format == "channels_first":
        given = np.moveaxis(given, -1, 1)
    got = np.asarray(dark.refined(given, sigma, data_format=data_format))
    assert abs(got[0] - np.round(places)).max() > 0.1
    np.testing.assert_allclose(got[0], expected, atol=2e-4)


def test_a_gaussian_is_read_exactly():
    # A blurred Gaussian is a Gaussian, whose logarithm is a parabola.
    places = [(6.31, 7.84), (7.5, 8.12), (5.9, 6.49)]
    got = dark.refined(blobs(*places).astype("float32"), 1.0)
    np.testing.assert_allclose(got[0], places, atol=5e-3)


@pytest.mark.parametrize(
    "activation, scores",
    [
        ("softmax", lambda heat: np.log(heat + 1e-30) + 7.0),
        ("sigmoid", lambda heat: np.log(heat + 1e-30) - np.log1p(-heat)),
    ],
)
def test_scores_are_read_as_their_loss_means_them(activation, scores):
    maps = 0.5 * blobs((6.3, 7.8))
    got = dark.refined(scores(maps).astype("float32"), 1.0, activation)
    np.testing.assert_allclose(got[0, 0], (6.3, 7.8), atol=5e-3)


def test_what_has_no_gaussian_keeps_its_maximum():
    # At an edge; a ridge, whose curvature along it is 0; an empty map.
    edge = blobs((1.3, 7.2))
    ridge = np.zeros((1, 16, 14, 1))
    ridge[:, 8] = 1.0
    empty = np.zeros((1, 16, 14, 1))
    maps = np.concatenate([edge, ridge, empty], axis=-1).astype("float32")
    got = np.asarray(dark.refined(maps, 1.0))[0]
    np.testing.assert_array_equal(got[0], (1, 7))
    np.testing.assert_array_equal(got[2], (0, 0))
    assert np.isfinite(got).all() and got[1, 1] == 8


def test_the_layer_keeps_its_options_and_runs_in_a_graph():
    layer = layers.Argmax(stride=4, refinement="dark", sigma=1.5)
    twin = layers.Argmax.from_config(layer.get_config())
    maps = blobs((6.31, 7.84), (9.6, 5.2)).astype("float32")
    graph = tf.function(twin)(maps)["joints"]
    np.testing.assert_allclose(graph, layer(maps)["joints"], atol=1e-4)


def test_the_layer_places_the_point_in_the_crop():
    # (6.31 + 0.5) * 4 - 0.5 = 26.74, (7.84 + 0.5) * 4 - 0.5 = 32.86.
    layer = layers.Argmax(stride=4, refinement="dark")
    got = layer(blobs((6.31, 7.84)).astype("float32"))["joints"]
    np.testing.assert_allclose(got[0, 0], (26.74, 32.86), atol=0.02)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"refinement": "taylor"}, "refinement='taylor'"),
        ({"refinement": "dark", "sigma": 0}, "sigma=0"),
    ],
)
def test_refuses_what_it_does_not_know(options, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        layers.Argmax(**options)


def test_dark_wants_pictures():
    with pytest.raises(ValueError, match="maps of pictures"):
        layers.Argmax(refinement="dark")(np.zeros((1, 9, 2), "float32"))
