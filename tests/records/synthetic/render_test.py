"""Tests for how tubes are painted."""

import numpy as np
import pytest

from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import render


def paint(height, width, *tubes):
    """Paints level tubes `(x0, x1, y, z, radius, red)` in an even light."""
    image = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), -np.inf, np.float32)
    axes = body.rotation(aside=90)
    for x0, x1, y, z, radius, red in tubes:
        ends = np.array([(x0, y, z), (x1, y, z)], float)
        radii = np.array([radius, radius])
        texture = np.full((32, 32, 3), red, np.float32)
        tube = render.Tube(ends, axes, radii, texture)
        render.paint(image, depth, tube, np.zeros(3))
    return image[..., 0], depth


def test_a_tube_in_front_hides_one_behind():
    near, far = (1, 7, 4, 5, 2, 200), (1, 7, 4, 0, 2, 100)
    alone, depth = paint(9, 9, near)
    # A tube's surface is its radius nearer than its axis.
    assert depth[4, 4] == pytest.approx(5 + 2)
    for tubes in ((near, far), (far, near)):
        image, depth = paint(9, 9, *tubes)
        assert image[4, 4] == alone[4, 4] > 0
        assert depth[4, 4] == pytest.approx(5 + 2)


def test_a_tube_is_centred_on_its_joints_pixels():
    image, depth = paint(7, 9, (2, 6, 3, 0, 1.5, 255))
    np.testing.assert_allclose(image, image[::-1], atol=1e-3)
    np.testing.assert_allclose(image, image[:, ::-1], atol=1e-3)
    covered = depth > -np.inf
    np.testing.assert_array_equal(np.flatnonzero(covered[3]), range(1, 8))
    np.testing.assert_array_equal(np.flatnonzero(covered[:, 4]), range(2, 5))
    assert image[0, 4] == 0


def test_a_texture_turns_with_the_body():
    # Columns run from the back over the right, the front and the left.
    texture = np.zeros((32, 32, 3), np.float32)
    texture[:, 8:24] = 100
    ends = np.array([(10.0, 4, 0), (10, 16, 0)])
    for heading, expected in (
        (0, (True, True)),
        (90, (False, True)),
        (180, (False, False)),
    ):
        image = np.zeros((21, 21, 3), np.float32)
        depth = np.full((21, 21), -np.inf, np.float32)
        axes = body.rotation(around=heading)
        tube = render.Tube(ends, axes, np.array([5.0, 5]), texture)
        render.paint(image, depth, tube, np.zeros(3))
        assert (image[10, 7, 0] > 30, image[10, 13, 0] > 30) == expected
