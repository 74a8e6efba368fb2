"""Tests for what posed bodies look like."""

import numpy as np

from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import cloth


def test_every_bone_is_as_thick_as_its_limb_says():
    pose = body.pose(np.random.default_rng(0), 0)
    tubes = cloth.dressed(np.random.default_rng(0), pose)
    # Both sides' bones first, then torso, neck, skull and hair.
    assert len(tubes) == 2 * len(body.BONES) + 4
    girth = tubes[0].radii[0] / cloth.LIMBS["shoulder"].start_radius
    assert cloth.GIRTH.low <= girth <= cloth.GIRTH.high
    for tube, bone in zip(tubes, 2 * body.BONES):
        limb = cloth.LIMBS[bone.end]
        radii = girth * limb.start_radius, girth * limb.end_radius
        np.testing.assert_allclose(tube.radii, radii)
