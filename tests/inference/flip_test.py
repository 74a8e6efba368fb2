"""Tests for the flip test."""

import numpy as np
import pytest

import integral_tf
from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.inference import flip

LSP = skeletons.LSP


def network(method, size=64):
    """A small network whose random head says something."""
    model = integral_tf.pose_model(
        method, "resnet18", joints=14, image_size=size, width_multiplier=0.125
    )
    rng = np.random.default_rng(0)
    head = model.get_layer("joint_head" if method == "R1" else "heatmap_head")
    head.set_weights(
        [np.abs(rng.normal(size=w.shape)) for w in head.get_weights()]
    )
    return model


def pictures(height=64, width=64):
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (2, height, width, 3)).astype("float32")


@pytest.mark.parametrize(
    "method, merge, size",
    [
        ("H1", "auto", (64, 64)),
        ("H2", "joints", (64, 64)),
        ("R1", "auto", (64, 64)),
        ("I*", "auto", (64, 64)),
        ("SimCC", "auto", (96, 64)),
        ("I1", "maps", (64, 64)),
        ("I1", "joints", (96, 64)),
    ],
)
def test_the_mirrored_image_has_the_mirrored_pose(method, merge, size):
    # Any network becomes equivariant when it is averaged with its mirror: a
    # shift by even a fraction of a pixel would show here.
    estimate = flip.flipped(network(method, size), LSP, merge)
    images = pictures(*size)
    straight = np.asarray(estimate(images)["joints"])
    mirrored = np.asarray(estimate(images[:, :, ::-1])["joints"])
    expected = straight[:, LSP.mirrored_order]
    expected[..., 0] = coordinates.mirror_x(expected[..., 0], size[1])
    np.testing.assert_allclose(mirrored, expected, atol=1e-2)


def test_maps_are_averaged_before_they_are_read_or_joints_after():
    model = network("I1")
    images = pictures()
    straight = model(images)
    mirrored = model(images[:, :, ::-1])
    # Points of the mirror image, by hand: x is 63 - x, sides trade names.
    points = np.array(mirrored["joints"])[:, LSP.mirrored_order]
    points[..., 0] = 63 - points[..., 0]
    joints = flip.flipped(model, LSP, "joints")(images)["joints"]
    np.testing.assert_allclose(
        joints, (np.asarray(straight["joints"]) + points) / 2, atol=1e-4
    )
    maps = np.array(mirrored["heatmaps"])[:, :, ::-1][..., LSP.mirrored_order]
    maps = (np.asarray(straight["heatmaps"]) + maps) / 2
    read = flip.flipped(model, LSP, "maps")(images)
    np.testing.assert_allclose(read["heatmaps"], maps, atol=1e-4)
    layer = integral_tf.IntegralRegression(stride=8)  # 64 pixels, 8 x 8 maps
    np.testing.assert_allclose(read["joints"], layer(maps), atol=1e-3)


@pytest.mark.parametrize(
    "method, merge", [("R1", "maps"), ("SimCC", "maps"), ("H1", "points")]
)
def test_what_cannot_be_averaged_is_refused(method, merge):
    with pytest.raises(ValueError, match=f"Received: merge='{merge}'"):
        flip.flipped(network(method), LSP, merge)
