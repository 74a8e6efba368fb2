"""Tests for the coordinate convention.

Golden values are worked out by hand from where pixels' edges are; the rest
are round trips, and compositions that must agree, in NumPy float64.
"""

import numpy as np
import pytest

from integral_tf import checks
from integral_tf import coordinates


@pytest.mark.parametrize(
    "stride, cell, pixel",
    [
        (8, 0, 3.5),  # cell 0 covers pixels 0..7
        (8, 31, 251.5),  # and the last one of 32 248..255
        (4, 0, 1.5),
        (1, 5, 5),
        (8, -0.5, -0.5),  # edges stay edges
        (8, 31.5, 255.5),
    ],
)
def test_cells_of_a_heat_map(stride, cell, pixel):
    assert coordinates.heatmap_to_crop(cell, stride) == pixel
    assert coordinates.crop_to_heatmap(pixel, stride) == cell


def test_cells_at_their_first_pixel():
    # As Simple Baselines and MMPose have it: cell m is pixel 4 m.
    points = np.array([[0, 0], [5, 3], [47.25, 63]])
    there = coordinates.heatmap_to_crop(points, 4, "first")
    np.testing.assert_array_equal(there, [[0, 0], [20, 12], [189, 252]])
    again = coordinates.crop_to_heatmap(there, 4, "first")
    np.testing.assert_array_equal(again, points)
    there = coordinates.heatmap_to_crop(points, (4, 8), "first")
    np.testing.assert_array_equal(there[1], [20, 24])
    with pytest.raises(ValueError, match="'middle'.*cells='last'"):
        checks.cells("last")


def test_unit_runs_from_edge_to_edge():
    size = np.array([256, 128])
    edges = np.array([[-0.5, -0.5], [127.5, 63.5], [255.5, 127.5]])
    unit = np.array([[0, 0], [0.5, 0.5], [1, 1]])
    np.testing.assert_allclose(coordinates.crop_to_unit(edges, size), unit)
    np.testing.assert_allclose(coordinates.unit_to_crop(unit, size), edges)


def test_mirroring():
    assert coordinates.mirror_x(0, 8) == 7
    assert coordinates.mirror_x(-0.5, 8) == 7.5  # edge to edge
    assert coordinates.mirror_x(coordinates.centre(8), 8) == 3.5
    assert coordinates.mirror_x(coordinates.mirror_x(2.25, 8), 8) == 2.25


def test_middles():
    assert coordinates.centre(8) == 3.5  # between pixels 3 and 4
    assert coordinates.centre(1) == 0
    assert coordinates.box_centre(0, 8) == coordinates.centre(8)
    assert coordinates.box_centre(10, 1) == 10  # the box of pixel 10


@pytest.mark.parametrize(
    "width, height, aspect, expected",
    [
        pytest.param(10, 20, 1.0, 20, id="tall box, square crop"),
        pytest.param(20, 10, 1.0, 20, id="wide box, square crop"),
        pytest.param(10, 20, 0.75, 20, id="tall enough for the crop"),
        pytest.param(18, 20, 0.75, 24, id="too wide: 18 / 0.75"),
    ],
)
def test_crop_is_the_smallest_that_holds_the_box(
    width, height, aspect, expected
):
    side = coordinates.crop_side(width, height, aspect, max, margin=1.0)
    assert side == expected
    side = coordinates.crop_side(width, height, aspect, max, margin=1.25)
    assert side == 1.25 * expected


def test_region_around_keeps_the_centre():
    # 20 x 10 at (30, 40): centre edge (40, 45), side 20, times 1.5.
    region = coordinates.region_around((30, 40, 20, 10), margin=1.5)
    np.testing.assert_allclose(region, (25, 30, 30, 30))
    # Twice as wide as high: 20 x 10 fits as it is.
    region = coordinates.region_around((30, 40, 20, 10), aspect=2, margin=1.0)
    np.testing.assert_allclose(region, (30, 40, 20, 10))


def test_region_to_pixels():
    np.testing.assert_array_equal(
        coordinates.region_to_pixels((0, 0, 640, 480), 640, 480),
        [[1, 0, 0], [0, 1, 0]],
    )
    # 4 x 8 image pixels in 2 x 2: picture's pixel 0 covers columns 10 and 11
    # and rows 20..23, whose centres are 10.5 and 21.5.
    matrix = coordinates.region_to_pixels((10, 20, 4, 8), 2, 2)
    np.testing.assert_allclose(
        coordinates.apply(matrix, [[0, 0], [1, 1], [-0.5, -0.5]]),
        [[10.5, 21.5], [12.5, 25.5], [9.5, 19.5]],
    )


def test_box_to_region():
    # The window shows (100, 50)..(300, 250) at half size.
    box = coordinates.box_to_region(
        (140, 90, 20, 60), (100, 50, 200, 200), 100, 100
    )
    np.testing.assert_allclose(box, (20, 20, 10, 30))
    whole = coordinates.box_to_region((1, 2, 3, 4), (1, 2, 3, 4), 64, 48)
    np.testing.assert_allclose(whole, (0, 0, 64, 48))


def test_box_around_points():
    points = np.array([[10, 20], [30, 60], [12, 33]])
    # 20 x 40 between the outer centres, whose middle (20, 40) is edge + 0.5.
    np.testing.assert_allclose(
        coordinates.box_around(points, 1.5), (5.5, 10.5, 30, 60)
    )
    # A single point has its pixel.
    np.testing.assert_allclose(
        coordinates.box_around(points[:1], 1.5), (10, 20, 1, 1)
    )


def test_inverse_and_batches():
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(4, 2, 3))
    points = rng.uniform(0, 99, (4, 7, 2))
    there = coordinates.apply(matrices, points)
    for matrix, before, after in zip(matrices, points, there):
        np.testing.assert_allclose(
            after, before @ matrix[:, :2].T + matrix[:, 2]
        )
    back = coordinates.apply(coordinates.invert(matrices), there)
    np.testing.assert_allclose(back, points, atol=1e-6)


def random_boxes(count=50):
    rng = np.random.default_rng(0)
    corners, sizes = rng.uniform(-50, 900, (count, 2)), None
    sizes = rng.uniform(5, 600, (count, 2))
    return np.concatenate([corners, sizes], axis=1)


def test_crop_to_window_to_image_is_crop_to_image():
    points = np.random.default_rng(1).uniform(-10, 266, (9, 2))
    for box in random_boxes():
        window = coordinates.window_around(box, 192 / 256)
        region = coordinates.region_around(box, aspect=192 / 256)
        to_image = coordinates.region_to_pixels(window, 384, 384)
        in_window = coordinates.box_to_region(region, window, 384, 384)
        to_window = coordinates.region_to_pixels(in_window, 192, 256)

        through = coordinates.apply(
            to_image, coordinates.apply(to_window, points)
        )
        straight = coordinates.apply(
            coordinates.region_to_pixels(region, 192, 256), points
        )
        np.testing.assert_allclose(through, straight, atol=1e-3)


def test_unscale_places_image_points_and_boxes_in_a_window():
    points = np.random.default_rng(1).uniform(0, 999, (9, 2))
    for box in random_boxes():
        window = coordinates.region_around(box)
        to_image = coordinates.region_to_pixels(window, 384, 384)
        there = coordinates.unscale(points, to_image)
        np.testing.assert_allclose(
            coordinates.apply(to_image, there), points, atol=1e-3
        )
        corner, size = coordinates.unscale_box(box, to_image)
        np.testing.assert_allclose(
            np.concatenate([corner, size]),
            coordinates.box_to_region(box, window, 384, 384),
            atol=1e-3,
        )


def test_a_picture_reaches_from_edge_to_edge():
    # 4 x 3 pixels span x from -0.5 to 3.5 and y from -0.5 to 2.5.
    points = [(-0.5, -0.5), (3.5, 2.5), (3.6, 0), (0, -0.6), (np.nan, 0)]
    found = coordinates.inside(np.array(points), np.array([4, 3]))
    assert found.all(axis=1).tolist() == [True, True, False, False, False]
