"""Predictions made by hand, for tests of evaluations."""

import numpy as np

from integral_tf.evaluation import predictions


def predicted(joints, truth, visible=None, **changes):
    """People with heads of 10 pixels, in an image each.

    Args:
        joints, truth: `(N, K, 2)` points.
        visible: `(N, K)`; None labels all joints.
        **changes: Other fields of the `Predictions`.
    """
    joints, truth = np.asarray(joints, float), np.asarray(truth, float)
    count = len(joints)
    fields = {
        "scores": np.ones(joints.shape[:2]),
        "visible": np.ones(joints.shape[:2]) if visible is None else visible,
        "head_size": np.full(count, 10.0),
        "box": np.tile([10.0, 10.0, 50.0, 80.0], (count, 1)),
        "box_score": np.ones(count),
        "image_id": np.arange(count),
        "source_id": np.array([b"person %d" % i for i in range(count)]),
    }
    return predictions.Predictions(joints, truth=truth, **{**fields, **changes})
