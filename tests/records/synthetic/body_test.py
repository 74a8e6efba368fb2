"""Tests for how bodies are posed."""

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import synthetic
from integral_tf.records.synthetic import body


@pytest.mark.parametrize("heading, sign", [(0, 1), (180, -1)])
def test_left_is_on_the_pictures_right_only_from_the_front(heading, sign):
    for seed in range(20):
        points = body.pose(np.random.default_rng(seed), heading).points
        for part in ("shoulder", "hip"):
            across = points[f"left_{part}"] - points[f"right_{part}"]
            assert sign * across[0] > 0


@pytest.mark.parametrize("heading, sign", [(0, 1), (180, -1)])
def test_chest_and_face_point_where_the_body_heads(heading, sign):
    for seed in range(20):
        axes = body.pose(np.random.default_rng(seed), heading).axes
        assert sign * axes["thorax"][2, 2] > 0
        assert sign * axes["head_top"][2, 2] > 0


def test_acrobats_stand_on_their_heads_and_lie():
    plain = [synthetic.person(5, i) for i in range(40)]
    wild = [synthetic.person(5, i, levers=["poses"]) for i in range(40)]

    def lying(some):
        neck, pelvis = skeletons.MPII.indices(["upper_neck", "pelvis"])
        seen = [p.joints for p in some if p.visible[[neck, pelvis]].all()]
        along = [np.abs(j[neck] - j[pelvis]) for j in seen]
        return np.mean([x > y for x, y in along])

    assert lying(wild) > lying(plain) + 0.1
