"""Tests for the flip test."""

import numpy as np
import pytest

import integral_tf
from integral_tf import skeletons
from integral_tf.inference import flip


@pytest.mark.parametrize("method", ["H1", "R1", "I*"])
def test_the_mirrored_image_has_the_mirrored_pose(method):
    # Any network becomes equivariant when it is averaged with its mirror: a
    # shift by even a fraction of a pixel would show here.
    model = integral_tf.pose_model(
        method, "resnet18", joints=14, image_size=64, width=0.125
    )
    # Random heads that say something: the initial maps are nearly flat.
    rng = np.random.default_rng(0)
    head = model.get_layer("joint_head" if method == "R1" else "heatmap_head")
    head.set_weights(
        [np.abs(rng.normal(size=w.shape)) for w in head.get_weights()]
    )
    estimate = flip.flipped(model, skeletons.LSP)
    images = rng.uniform(0, 255, size=(2, 64, 64, 3)).astype("float32")
    straight = np.asarray(estimate(images)["joints"])
    mirrored = np.asarray(estimate(images[:, :, ::-1])["joints"])
    expected = straight[:, skeletons.LSP.mirrored_order]
    expected[..., 0] = 63 - expected[..., 0]
    np.testing.assert_allclose(mirrored, expected, atol=1e-2)
