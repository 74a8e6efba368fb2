"""Tests of the converters to and from the coordinates of other libraries.

One map is read by our layer and by each library's own formula, written from
its source in NumPy float64. Where dsntnn or Kornia is installed (neither is
required) the same map goes through the package itself.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import conventions
from integral_tf import coordinates
from integral_tf.layers import integral_regression

STRIDE = 8
SIZE = (96, 72)  # a map of 12 x 9 pixels


def heatmaps():
    """`(2, 9, 12)` masses: all in (7, 2); half in (10, 5), half in (3, 6)."""
    masses = np.full((2, 9, 12), 1e-30)
    masses[0, 2, 7] = 1
    masses[1, 5, 10] = masses[1, 6, 3] = 0.5
    return masses


# By hand: columns 7 and (10 + 3) / 2, rows 2 and (5 + 6) / 2, of pixels that
# cover 8, the first of them centred at 3.5.
CROP = np.array([[59.5, 19.5], [55.5, 47.5]])


def paz_axes(width, height):
    """oarriaga/paz 0.2.5, ExpectedValue2D.meshgrid; there width == height."""
    x, y = (np.arange(0.5, n) / (n / 2) - 1 for n in (width, height))
    return x, -y


def paz_pixel_axes(width, height):
    """oarriaga/paz 0.2.5, denormalize_keypoints2D, which has y downwards."""
    x, y = paz_axes(width, height)
    return (x + 1) / 2 * SIZE[0], (-y + 1) / 2 * SIZE[1]


def alike(axis):
    """Both axes by one formula of the map's and the crop's length."""
    return lambda width, height: (axis(width, SIZE[0]), axis(height, SIZE[1]))


# Where each library has the columns and the rows of a map.
AXES = {
    # JimmySuen/integral-human-pose, common_loss/integral.py,
    # softmax_integral_tensor
    "authors": alike(lambda n, crop: np.arange(n) / n - 0.5),
    # anibali/dsntnn 0.5.3, normalized_linspace
    "dsntnn": alike(lambda n, crop: np.linspace(-(n - 1) / n, (n - 1) / n, n)),
    # kornia 0.9.0, create_meshgrid, of spatial_expectation2d
    "kornia": alike(lambda n, crop: (np.arange(n) / (n - 1) - 0.5) * 2),
    # open-mmlab/mmpose 1.3.2: MSRAHeatmap.decode, IntegralRegressionHead's
    # linspace, UDPHeatmap.decode, and UDPHeatmap.encode's scale_factor
    "mmpose": alike(lambda n, crop: np.arange(n) * (crop / n)),
    "mmpose_unit": alike(lambda n, crop: np.arange(n) / n),
    "mmpose_udp": alike(lambda n, crop: np.arange(n) / (n - 1) * crop),
    "mmpose_udp_label": alike(
        lambda n, crop: np.arange(n) * ((crop - 1) / (n - 1))
    ),
    "paz": paz_axes,
    "paz_pixels": paz_pixel_axes,
}


def decoded(name):
    columns, rows = AXES[name](12, 9)
    x = np.einsum("khw,w->k", heatmaps(), columns)
    y = np.einsum("khw,h->k", heatmaps(), rows)
    return np.stack([x, y], axis=-1)


def converted(points, name):
    return coordinates.from_convention(points, name, SIZE, STRIDE)


def test_every_convention_is_tested():
    assert AXES.keys() == conventions.OF_LIBRARIES.keys()


def test_our_layer_reads_the_map_as_by_hand():
    scores = np.log(heatmaps()).transpose(1, 2, 0)[None].astype("float32")
    layer = integral_regression.IntegralRegression(stride=STRIDE)
    np.testing.assert_allclose(layer(scores)[0], CROP, atol=1e-4)


@pytest.mark.parametrize("name", AXES)
def test_one_map_one_point(name):
    np.testing.assert_allclose(converted(decoded(name), name), CROP, atol=1e-9)
    theirs = coordinates.to_convention(CROP, name, SIZE, STRIDE)
    np.testing.assert_allclose(theirs, decoded(name), atol=1e-9)


@pytest.mark.parametrize("name", AXES)
def test_there_and_back(name):
    points = np.random.default_rng(0).uniform(-20, 120, (3, 5, 2))
    theirs = coordinates.to_convention(points, name, SIZE, STRIDE)
    np.testing.assert_allclose(converted(theirs, name), points, atol=1e-9)


@pytest.mark.parametrize("name", AXES)
def test_tensors_stay_tensors(name):
    @tf.function
    def both(points):
        theirs = coordinates.to_convention(points, name, SIZE, STRIDE)
        return theirs, converted(theirs, name)

    theirs, ours = both(tf.constant(CROP, tf.float32))
    assert theirs.dtype == ours.dtype == tf.float32
    np.testing.assert_allclose(theirs, decoded(name), atol=1e-4)
    np.testing.assert_allclose(ours, CROP, atol=1e-4)


@pytest.mark.parametrize(
    "convert", [coordinates.to_convention, coordinates.from_convention]
)
def test_rejects_what_it_does_not_know(convert):
    with pytest.raises(ValueError, match="authors, .* Received: name='coco'"):
        convert(CROP, "coco", SIZE, STRIDE)
    with pytest.raises(ValueError, match=r"Received: extent=\(96, 70\), stri"):
        convert(CROP, "mmpose", (96, 70), STRIDE)


def test_dsntnn_itself():
    torch = pytest.importorskip("torch", reason="dsntnn runs on torch")
    dsntnn = pytest.importorskip("dsntnn", reason="dsntnn is not installed")
    theirs = dsntnn.dsnt(torch.tensor(heatmaps()[None]))
    np.testing.assert_allclose(
        converted(theirs[0].numpy(), "dsntnn"), CROP, atol=1e-9
    )
    # Its pixels of a picture of the crop's size are ours.
    pixels = dsntnn.normalized_to_pixel_coordinates(theirs, SIZE[::-1])
    np.testing.assert_allclose(pixels[0], CROP, atol=1e-9)


def test_kornia_itself():
    torch = pytest.importorskip("torch", reason="Kornia runs on torch")
    subpix = pytest.importorskip(
        "kornia.geometry.subpix", reason="Kornia is not installed"
    )
    maps = torch.tensor(heatmaps()[None])
    theirs = subpix.spatial_expectation2d(maps)
    np.testing.assert_allclose(
        converted(theirs[0].numpy(), "kornia"), CROP, atol=1e-9
    )
    # Its pixels are the heat map's.
    cells = subpix.spatial_expectation2d(maps, normalized_coordinates=False)
    np.testing.assert_allclose(
        coordinates.heatmap_to_crop(cells[0].numpy(), STRIDE), CROP, atol=1e-9
    )


@pytest.mark.parametrize("name", AXES)
def test_a_stride_for_each_axis(name):
    # Maps of 12 x 8 pixels; each coordinate as if its stride were both.
    size, stride = (48, 64), (4, 8)
    points = np.array([[10.5, 20.0], [3.0, 50.25]])
    got = coordinates.to_convention(points, name, size, stride)
    for i in range(2):
        alone = coordinates.to_convention(
            points, name, (stride[i] * 12, stride[i] * 8), stride[i]
        )
        np.testing.assert_allclose(got[:, i], alone[:, i], atol=1e-12)
    back = coordinates.from_convention(got, name, size, list(stride))
    np.testing.assert_allclose(back, points, atol=1e-12)


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "symbolic"])
def test_tensors_keep_their_type(name, dtype):
    size, stride = (48, 64), (4, 8)
    points = np.array([[10.5, 20.0], [3.0, 50.25]], "float32")
    want = coordinates.to_convention(points.astype(float), name, size, stride)
    if dtype == "symbolic":
        inputs = keras.Input((2,))
        model = keras.Model(
            inputs, coordinates.to_convention(inputs, name, size, stride)
        )
        assert model.output.dtype == "float32"
        got = model(points)
    else:
        got = coordinates.to_convention(
            tf.constant(points, dtype), name, size, stride
        )
        assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)
