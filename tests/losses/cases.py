"""Labels, maps and gradients, for the tests of the losses.

Shape letters: B people, H height, W width, K joints.
"""

import numpy as np
import tensorflow as tf


def close(got, wanted, rtol=1e-5, atol=0.0):
    np.testing.assert_allclose(got, wanted, rtol, atol)


def labels(*people):
    """People as lists of `(x, y, visible)` in the crop frame."""
    return np.array(people, "float32")


def empty(height, width, joints=1):
    return np.zeros((1, height, width, joints), "float32")


def random_case(people=3, joints=5, stride=4, height=6, width=8):
    rng = np.random.default_rng(0)
    size = (stride * width, stride * height, 1)
    truth = rng.uniform(0, size, (people, joints, 3))
    truth[..., 2] = rng.uniform(size=(people, joints)) < 0.6
    truth[0, :, 2] = 0  # nobody
    heatmaps = rng.normal(size=(people, height, width, joints))
    return truth.astype("float32"), heatmaps.astype("float32")


def square_distances(truth, stride, height, width):
    """`(B, H, W, K)` from each pixel's centre, in crop pixels, in float64."""
    people, joints, _ = truth.shape
    # The middle of cell (x, y), in crop pixels.
    x = stride * np.arange(width) + (stride - 1) / 2
    y = stride * np.arange(height) + (stride - 1) / 2
    points = truth.astype("float64")[:, None, None]
    across = x[None, None, :, None] - points[..., 0]
    down = y[None, :, None, None] - points[..., 1]
    return across**2 + down**2


def shares(truth):
    """What one unit of a joint's cost adds to the loss, `(B, 1, 1, K)`."""
    visible = truth[:, None, None, :, 2].astype("float64")
    labelled = np.maximum(visible.sum(axis=-1, keepdims=True), 1)
    return visible / labelled / len(truth)


def value_and_gradient(loss, truth, predicted):
    predicted = tf.convert_to_tensor(predicted)
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        value = loss(truth, predicted)
    return value, tape.gradient(value, predicted)
