"""Poses of stick people, for tests of tracks."""

import numpy as np

from integral_tf import skeletons
from integral_tf.inference import pose as poses_of

# 100 pixels high, 40 wide, around (0, 0).
JOINTS = np.stack(
    [np.tile([-20.0, 0.0, 20.0, 5.0], 4), np.linspace(-50, 50, 16)], axis=-1
)


def pose(x, y=100.0, *, score=0.9, **fields):
    """A pose whose middle is at `(x, y)`."""
    joints = JOINTS + (x, y)
    fields = {"box": np.array([x - 25, y - 60, 50.0, 120.0]), **fields}
    return poses_of.Pose(
        joints, np.full(16, score), skeleton=skeletons.MPII, **fields
    )


def numbers(poses):
    return [each.number for each in poses]
