"""Tests for the target maps.

A Gaussian's expected values are exp(-d^2 / 2 sigma^2). The nearest pixel and
a disk's pixels are searched for by a loop over all of them, in float64.
"""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.ops import targets

SIGNS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def one(x, y, height=8, width=12, sigma=1.0):
    """The map of a single joint, `(height, width)`."""
    maps = targets.gaussians(
        np.array([[[x, y]]], "float32"), (height, width), sigma
    )
    assert maps.shape == (1, 1, height * width)
    assert maps.dtype == "float32"
    return np.asarray(maps).reshape(height, width)


def test_peak_is_one_where_the_joint_is():
    target = one(9, 3)
    assert target[3, 9] == 1.0
    assert (np.delete(target.ravel(), 3 * 12 + 9) < 1.0).all()


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_sigma_is_the_standard_deviation(sigma):
    target = one(5, 4, sigma=sigma)
    one_away = np.exp(-0.5 / sigma**2)
    np.testing.assert_allclose(target[4, 6], one_away, rtol=1e-6)
    np.testing.assert_allclose(target[3, 5], one_away, rtol=1e-6)
    np.testing.assert_allclose(target[5, 4], one_away**2, rtol=1e-6)
    np.testing.assert_allclose(target[4, 8], one_away**9, rtol=1e-5)


def test_centre_is_the_joint_and_not_the_nearest_pixel():
    target = one(5.5, 4.0)
    np.testing.assert_allclose(target[4, 5:7], np.exp(-0.125), rtol=1e-6)
    # And so the map's mean is the joint, wherever its tails fit.
    target = one(16.3, 15.8, height=32, width=32).astype(np.float64)
    rows, columns = np.mgrid[:32, :32]
    np.testing.assert_allclose((target * columns).sum() / target.sum(), 16.3)
    np.testing.assert_allclose((target * rows).sum() / target.sum(), 15.8)


def test_a_joint_outside_leaves_a_tail_or_nothing():
    target = one(-1, 2)
    np.testing.assert_allclose(target[2, 0], np.exp(-0.5), rtol=1e-6)
    assert target.argmax() == 2 * 12
    np.testing.assert_array_equal(one(-1e4, 1e4), 0)


def test_every_joint_has_its_own_map():
    points = np.array([[[1, 2], [3, 0]], [[0, 0], [4, 5]]], "float32")
    maps = np.asarray(targets.gaussians(points, (6, 5))).reshape(2, 2, 6, 5)
    for person, joint in np.ndindex(2, 2):
        x, y = points[person, joint].astype(int)
        assert maps[person, joint, y, x] == 1.0


def scattered(size=(12, 8), margin=4, joints=40):
    """`(2, joints, 2)` points on a map and around it."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-margin, np.add(size, margin), (2, joints, 2))
    return points.astype("float32")


def distances(points, height, width):
    """`(height, width, B, K)`, pixel by pixel."""
    square = np.empty((height, width, *points.shape[:-1]))
    for y, x in np.ndindex(height, width):
        apart = points.astype("float64") - (x, y)
        square[y, x] = (apart**2).sum(axis=-1)
    return np.sqrt(square)


def test_nearest_pixel_is_the_one_found_by_search():
    points = scattered()
    index = targets.nearest_pixel(points, (8, 12))
    assert index.dtype == "int32"
    found = distances(points, 8, 12).reshape(8 * 12, 2, 40).argmin(axis=0)
    np.testing.assert_array_equal(index, found)


@pytest.mark.parametrize(
    "point, cell",
    [
        pytest.param((3, 2), (3, 2), id="its own"),
        pytest.param((3.4, 1.6), (3, 2), id="rounded"),
        pytest.param((-0.5, 7.5), (0, 7), id="the edge of the map"),
        pytest.param((11.5, 2), (11, 2), id="the edge across"),
        pytest.param((-9, 3), (0, 3), id="outside"),
        pytest.param((1e30, -1e30), (11, 0), id="far outside"),
    ],
)
def test_nearest_pixel_is_on_the_map(point, cell):
    index = targets.nearest_pixel(np.array([[point]], "float32"), (8, 12))
    assert index.numpy().tolist() == [[cell[1] * 12 + cell[0]]]


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 30.0])
def test_disks_are_those_of_a_loop(radius):
    points = scattered()
    maps = targets.disks(points, (8, 12), radius)
    assert maps.shape == (2, 40, 8 * 12)
    assert maps.dtype == "float32"
    inside = distances(points, 8, 12).reshape(8 * 12, 2, 40) <= radius
    np.testing.assert_array_equal(maps, inside.transpose(1, 2, 0))


def test_a_pixel_at_the_radius_belongs_to_the_disk():
    # 3, 4 and 5: of the pixels 5 away, those along the axes and 8 others.
    maps = targets.disks(np.array([[[8, 8]]], "float32"), (17, 17), 5)
    disk = np.asarray(maps).reshape(17, 17)
    at = [(3, 4), (4, 3), (5, 0), (0, 5)]
    for x, y in [(sx * x, sy * y) for x, y in at for sx, sy in SIGNS]:
        assert disk[8 + y, 8 + x] == 1
    # Gauss's circle problem: 81 lattice points within 5, 69 nearer than 5.
    assert disk.sum() == 81
    nearer = targets.disks(np.array([[[8, 8]]], "float32"), (17, 17), 4.999)
    assert np.asarray(nearer).sum() == 69


def test_a_disk_of_no_pixel_is_empty():
    # Between four centres, 0.707 from each; and off the map.
    points = np.array([[[2.5, 2.5], [-9, 2], [1e30, -1e30]]], "float32")
    np.testing.assert_array_equal(targets.disks(points, (8, 12), 0.7), 0)


@pytest.mark.parametrize("make", [targets.gaussians, targets.disks])
def test_maps_in_a_graph_with_unknown_batch(make):
    graph = tf.function(
        lambda points: make(points, (6, 5), 0.5),
        input_signature=[tf.TensorSpec((None, 1, 2), tf.float16)],
    )
    maps = graph(tf.constant([[[1, 2]]], tf.float16))
    assert maps.dtype == "float32"
    assert np.argwhere(maps == 1).tolist() == [[0, 0, 2 * 5 + 1]]


def test_nearest_pixel_in_a_graph_with_unknown_batch():
    graph = tf.function(
        lambda points: targets.nearest_pixel(points, (6, 5)),
        input_signature=[tf.TensorSpec((None, 1, 2), tf.float16)],
    )
    points = tf.constant([[[1.2, 1.8]], [[9, 9]]], tf.float16)
    assert graph(points).numpy().tolist() == [[2 * 5 + 1], [5 * 5 + 4]]


@pytest.mark.parametrize(
    "make", [targets.gaussians, targets.nearest_pixel, targets.disks]
)
def test_in_a_graph_with_maps_of_unknown_size(make):
    extra = () if make is targets.nearest_pixel else (2.5,)
    integer = tf.TensorSpec((), tf.int32)
    graph = tf.function(
        lambda height, width: make(scattered(), (height, width), *extra),
        input_signature=[integer, integer],
    )
    expected = make(scattered(), (8, 12), *extra)
    np.testing.assert_allclose(graph(8, 12), expected, rtol=1e-6)


def test_a_volume_and_a_line_are_those_of_a_loop():
    # (x, y, z) of a volume (depth, height, width): the last axis first.
    point = np.array([1.25, 2.0, 3.5])
    square = np.empty((6, 4, 3))
    for z, y, x in np.ndindex(square.shape):
        square[z, y, x] = ((point - (x, y, z)) ** 2).sum()
    points = point.astype("float32")[None, None]
    found = targets.gaussians(points, square.shape, 2.0)
    wanted = np.exp(-square / 8).reshape(1, 1, -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    nearest = int(targets.nearest_pixel(points, square.shape)[0, 0])
    # 3.5 is halfway between two.
    assert nearest in np.flatnonzero(square == square.min())
    line = targets.gaussians(points[..., :1], (3,), 2.0)
    wanted = np.exp(-((np.arange(3) - 1.25) ** 2) / 8)
    np.testing.assert_allclose(line[0, 0], wanted, rtol=1e-5)


def test_a_disk_is_round_in_the_crop_where_strides_differ():
    # Cells of 2 x 4 crop pixels; the joint is on the middle of cell (4, 4).
    points = np.array([[[4, 4]]], "float32")
    disk = targets.disks(points, (9, 9), 4, stride=(2, 4))
    y, x = np.nonzero(np.asarray(disk).reshape(9, 9))
    cells = sorted(zip((x - 4).tolist(), (y - 4).tolist()))
    # 2^2 dx^2 + 4^2 dy^2 <= 4^2.
    along = [(dx, 0) for dx in (-2, -1, 0, 1, 2)]
    assert cells == sorted([*along, (0, -1), (0, 1)])
