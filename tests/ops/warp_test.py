"""Tests for the affine crops, by hand, by painted pixels and by SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from integral_tf import coordinates
from integral_tf.ops import warp


def affine(
    box=(0, 0, 8, 8),
    height=8,
    width=8,
    angle=0.0,
    zoom=1.0,
    mirrored=0.0,
    margin=1.0,
):
    """The map of one crop, `(1, 2, 3)`."""
    return warp.crop_affine(
        np.array([box], "float32"),
        height,
        width,
        angle=np.array([angle], "float32"),
        zoom=np.array([zoom], "float32"),
        mirrored=np.array([mirrored], "float32"),
        margin=margin,
    )


def in_crop(point, **kwargs):
    """Where the crop shows a picture's point."""
    points = np.array([[point]], "float32")
    return warp.transform(warp.invert(affine(**kwargs)), points)[0, 0]


def test_areas_grow_by_the_square_of_the_step():
    # A box of 8 is a crop of 4: a crop pixel is 2 x 2 pixels of the picture,
    # whatever the turn and the mirror.
    for angle, mirrored in ((0.0, 0.0), (0.7, 1.0)):
        found = affine(height=4, width=4, angle=angle, mirrored=mirrored)
        np.testing.assert_allclose(warp.area_factor(found), [4.0], rtol=1e-6)


# Of an 8 x 8 crop of the 8 x 8 picture; its middle is (3.5, 3.5).
ABOVE = (3.5, 1.5)


@pytest.mark.parametrize(
    "kwargs, expected",
    [
        pytest.param({}, (3.5, 1.5), id="as it is"),
        pytest.param({"zoom": 1.5}, (3.5, 0.5), id="larger"),
        pytest.param({"zoom": 0.5}, (3.5, 2.5), id="smaller"),
        # Clockwise: from twelve to three o'clock.
        pytest.param({"angle": np.pi / 2}, (5.5, 3.5), id="clockwise"),
        pytest.param({"angle": -np.pi / 2}, (1.5, 3.5), id="anticlockwise"),
        pytest.param({"mirrored": 1.0}, (3.5, 1.5), id="mirrored"),
        # Turned first, then mirrored.
        pytest.param(
            {"angle": np.pi / 2, "mirrored": 1.0}, (1.5, 3.5), id="both"
        ),
        pytest.param({"margin": 2.0}, (3.5, 2.5), id="with a margin"),
        pytest.param({"height": 16, "width": 16}, (7.5, 3.5), id="finer"),
        # The box is one pixel to the right and two down.
        pytest.param({"box": (1, 2, 8, 8)}, (2.5, -0.5), id="shifted"),
        # 8 wide, 8 high, in a crop half as wide as high: 16 high.
        pytest.param({"width": 4}, (1.5, 2.5), id="narrow"),
    ],
)
def test_where_a_point_goes(kwargs, expected):
    np.testing.assert_allclose(in_crop(ABOVE, **kwargs), expected, atol=1e-5)


def test_mirroring_reflects_columns():
    for x in (0, 3, 7):
        there = in_crop((x, 2), mirrored=1.0)
        expected = coordinates.mirror_x(x, 8), 2
        np.testing.assert_allclose(there, expected, atol=1e-5)


def random_affines():
    """Crops with every augmentation at once, and without."""
    boxes = np.array([[28, 20, 50, 60], [30, 24, 64, 40], [20, 8, 70, 80]])
    return warp.crop_affine(
        boxes.astype("float32"),
        48,
        40,
        angle=np.array([0.0, 0.5, -0.4], "float32"),
        zoom=np.array([1.0, 0.8, 1.2], "float32"),
        mirrored=np.array([0.0, 1.0, 1.0], "float32"),
        margin=coordinates.BOX_MARGIN,
    )


def test_inverse_takes_points_back():
    matrices = random_affines()
    points = np.random.default_rng(0).uniform(-50, 150, (3, 9, 2))
    points = points.astype("float32")
    back = warp.transform(
        warp.invert(matrices), warp.transform(matrices, points)
    )
    np.testing.assert_allclose(back, points, atol=1e-3)
    np.testing.assert_allclose(
        warp.invert(matrices),
        coordinates.invert(matrices),  # NumPy float64
        atol=1e-3,
    )


def test_transform_is_the_matrix_product():
    matrices = np.random.default_rng(0).normal(size=(3, 2, 3))
    points = np.random.default_rng(1).uniform(0, 99, (3, 5, 2))
    got = warp.transform(matrices.astype("float32"), points.astype("float32"))
    expected = coordinates.apply(matrices, points)  # NumPy float64
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_painted_joints_are_where_the_points_say():
    # Each joint is a blob in a channel of its own; its centroid in the crop,
    # in NumPy float64, is where the joint must be.
    joints = np.array([[52.0, 50], [60, 40], [45, 44]])
    rows, columns = np.mgrid[:96, :112]
    picture = np.stack(
        [
            np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2))
            for x, y in joints
        ],
        axis=-1,
    )
    pictures = (np.stack([picture] * 3) * 255).astype("uint8")
    matrices = random_affines()

    crops = np.asarray(warp.bilinear(pictures, matrices, 48, 40), np.float64)
    said = warp.transform(
        warp.invert(matrices), np.stack([joints] * 3).astype("float32")
    )

    rows, columns = np.mgrid[:48, :40][..., None]
    total = crops.sum(axis=(1, 2))
    seen = np.stack(
        [
            (crops * columns).sum(axis=(1, 2)) / total,
            (crops * rows).sum(axis=(1, 2)) / total,
        ],
        axis=-1,
    )
    np.testing.assert_allclose(said, seen, atol=0.1)
    assert np.ptp(said, axis=0).min() > 0.5  # three different crops


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_identity_returns_the_picture(dtype):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
    pictures = pictures.astype(dtype)
    crop = warp.bilinear(pictures, np.repeat(affine(), 2, axis=0), 8, 8)
    assert crop.dtype == "float32"
    np.testing.assert_allclose(crop, pictures, atol=1e-3)


def test_mirrored_crop_is_the_crop_mirrored():
    pictures = np.random.default_rng(0).uniform(0, 255, (1, 9, 11, 2))
    pictures = pictures.astype("float32")
    kwargs = {"box": (1, 2, 7, 6), "angle": 0.3}
    plain = warp.bilinear(pictures, affine(**kwargs), 8, 8)
    mirrored = warp.bilinear(pictures, affine(**kwargs, mirrored=1.0), 8, 8)
    np.testing.assert_allclose(mirrored, plain[:, :, ::-1], atol=1e-2)


def test_halfway_is_the_mean_and_outside_is_black():
    picture = np.array([[10, 30, 90]], "float32")[None, :, :, None]
    half_right = np.array([[[1, 0, 0.5], [0, 1, 0]]], "float32")
    crop = warp.bilinear(picture, half_right, 1, 4)
    # (10 + 30) / 2, (30 + 90) / 2, (90 + black) / 2, black.
    np.testing.assert_allclose(crop[0, 0, :, 0], [20, 60, 45, 0])
    far = np.array([[[1, 0, -1e6], [0, 1, 1e6]]], "float32")
    np.testing.assert_array_equal(warp.bilinear(picture, far, 2, 2), 0)


def test_values_are_those_of_scipy():
    pictures = np.random.default_rng(0).uniform(0, 255, (3, 96, 112, 1))
    matrices = random_affines()
    crops = warp.bilinear(pictures.astype("float32"), matrices, 48, 40)
    for crop, picture, matrix in zip(crops, pictures, np.asarray(matrices)):
        rows, columns = np.mgrid[:48, :40]
        there = np.stack([columns, rows], axis=-1).reshape(-1, 2)
        x, y = coordinates.apply(matrix.astype(np.float64), there).T
        expected = ndimage.map_coordinates(
            picture[..., 0], [y, x], order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(
            crop[..., 0], expected.reshape(48, 40), atol=0.05
        )


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph(jit_compile):
    # XLA knows its shapes when it compiles, so both graphs may leave them out.
    graph = tf.function(
        lambda pictures, affine: warp.bilinear(pictures, affine, 4, 5),
        input_signature=[
            tf.TensorSpec((None, None, None, 3), tf.uint8),
            tf.TensorSpec((None, 2, 3), tf.float32),
        ],
        jit_compile=jit_compile,
    )
    pictures = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3))
    matrices = np.repeat(affine((1, 1, 4, 4), 4, 5, 0.2), 2, axis=0)
    crops = graph(pictures.astype("uint8"), matrices)
    assert crops.shape == (2, 4, 5, 3)
    expected = warp.bilinear(pictures.astype("uint8"), matrices, 4, 5)
    np.testing.assert_allclose(crops, expected, atol=1e-2)


def test_a_crop_of_a_window_is_the_crop_of_the_image():
    rng = np.random.default_rng(0)
    for _ in range(20):
        corner, size = rng.uniform(0, 900, 2), rng.uniform(20, 400, 2)
        box = np.concatenate([corner, size])
        window = coordinates.region_around(box, margin=2.0)
        to_image = coordinates.region_to_pixels(window, 384, 384)
        there = coordinates.box_to_region(box, window, 384, 384)
        crop_to_window = affine(tuple(there), 256, 192, margin=1.25)[0]
        points = rng.uniform(0, 192, (5, 2))
        through = coordinates.apply(
            to_image, coordinates.apply(crop_to_window, points)
        )
        region = coordinates.region_around(box, 192 / 256, 1.25)
        straight = coordinates.apply(
            coordinates.region_to_pixels(region, 192, 256), points
        )
        np.testing.assert_allclose(through, straight, atol=1e-3)
