"""Maps, and the integral operation's parts and slope, for the tests here."""

import numpy as np
import tensorflow as tf

from integral_tf.ops import integral
from integral_tf.ops import layout

SPATIAL = [(64,), (64, 64), (6, 5, 7)]
FORMATS = ["channels_last", "channels_first"]


def random_maps(spatial, data_format="channels_last", scale=5.0):
    """Two people with three joints; half a hundred logits apart or so."""
    rng = np.random.default_rng(0)
    maps = rng.normal(scale=scale, size=(2, *spatial, 3)).astype("float32")
    return arrange(maps, data_format)


def arrange(maps, data_format):
    """Maps `(B, H, W, K)` in another format."""
    return np.moveaxis(maps, -1, 1) if data_format != FORMATS[0] else maps


def read(maps, data_format="channels_last"):
    """Masses, points and spatial axes, as the layer makes them."""
    scores, axes = layout.arranged(maps, data_format)
    masses = integral.masses(scores, axes)
    return masses, integral.expected_coordinates(masses, axes), axes


def pulled(maps, upstream, **kwargs):
    """The gradient of `integrate` towards the maps."""
    maps = tf.convert_to_tensor(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        points = integral.integrate(maps, **kwargs)
    return tape.gradient(points, maps, tf.constant(upstream, "float32"))
