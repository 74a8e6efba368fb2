"""Maps, networks and derivatives for the tests in every world."""

import numpy as np

import integral_tf
from integral_tf.keras_version import keras
from integral_tf.keras_version import LEGACY
from tests import numpy_reference

BACKEND = "tensorflow" if LEGACY else keras.backend.backend()
STRIDE = 4
JOINTS = 16  # MPII's
# Pixels of the crop: what the layer may differ by.
CLOSE = 1e-4
OPTIONS = {
    "plain": {},
    "beta": {"beta": 7.5},
    "background": {"beta": 8.0, "background": 0.0},
    "window": {"beta": 2.0, "window": 3},
    "channels_first": {"data_format": "channels_first"},
}


def blobs(seed=0, batch=2, height=8, width=12, joints=3):
    """Heat maps with a Gaussian of peak 1 somewhere, `(B, H, W, K)` float32."""
    draw = np.random.default_rng(seed).uniform
    y, x = np.mgrid[:height, :width][..., None, None]
    apart = (x - draw(1, width - 2, (batch, joints))) ** 2
    apart = apart + (y - draw(1, height - 2, (batch, joints))) ** 2
    return np.exp(-apart / 2).transpose(2, 0, 1, 3).astype("float32")


def expected(maps, **options):
    """`(B, K, 2)` float64 points of `numpy_reference`, in the crop."""
    # Cell 0 covers crop pixels 0 to 3, so its centre is 1.5.
    points = numpy_reference.joints(maps, **options)
    return points * STRIDE + (STRIDE - 1) / 2


def array(tensor):
    if LEGACY:
        return np.asarray(tensor)
    return keras.ops.convert_to_numpy(tensor)


def read(maps, **options):
    """The layer's points, and NumPy's."""
    layer = integral_tf.IntegralRegression(stride=STRIDE, **options)
    first = options.pop("data_format", "channels_last") == "channels_first"
    given = maps.transpose(0, 3, 1, 2) if first else maps
    return array(layer(given)), expected(maps, **options)


def gradient_of(layer, maps, upstream):
    """d sum(upstream * joints) / d maps, by the backend's differentiation."""
    if BACKEND == "jax":
        import jax

        return jax.grad(lambda maps: (layer(maps) * upstream).sum())(maps)
    if BACKEND == "torch":
        import torch

        maps = torch.tensor(maps, requires_grad=True)
        (layer(maps) * torch.tensor(upstream)).sum().backward()
        return maps.grad
    import tensorflow as tf

    maps = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = tf.reduce_sum(layer(maps) * upstream)
    return tape.gradient(total, maps)


def compiled(function):
    """A function of one array, by the backend's compiler."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    if BACKEND == "torch":
        import torch

        return torch.compile(function, fullgraph=True)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def network(**options):
    """A functional model from pictures to maps and joints."""
    pictures = keras.Input((8, 12, JOINTS))
    maps = keras.layers.Conv2D(JOINTS, 3, padding="same", name="maps")(pictures)
    layer = integral_tf.IntegralRegression(
        stride=STRIDE, name="joints", **options
    )
    return keras.Model(pictures, {"maps": maps, "joints": layer(maps)})


class Subclassed(keras.Model):
    """The same, without the maps."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(JOINTS, 3, padding="same")
        self.joints = integral_tf.IntegralRegression(stride=STRIDE)

    def call(self, pictures):
        return self.joints(self.maps(pictures))


def sequential():
    return keras.Sequential(
        [
            keras.Input((8, 12, JOINTS)),
            keras.layers.Conv2D(JOINTS, 3, padding="same"),
            integral_tf.IntegralRegression(stride=STRIDE),
        ]
    )


def people():
    """Pictures whose channels are the joints' blobs, and labelled joints."""
    pictures = blobs(seed=1, batch=8, joints=JOINTS)
    joints = expected(pictures, beta=30.0).astype("float32")
    return pictures, np.pad(joints, [(0, 0), (0, 0), (0, 1)], constant_values=1)


def penalty_of(layer, maps):
    """The gradient of |d sum(joints) / d maps|^2, a gradient penalty."""
    if BACKEND == "jax":
        import jax

        pull = jax.grad(lambda maps: layer(maps).sum())
        return jax.grad(lambda maps: (pull(maps) ** 2).sum())(maps)
    if BACKEND == "torch":
        import torch

        maps = torch.tensor(maps, requires_grad=True)
        (pull,) = torch.autograd.grad(
            layer(maps).sum(), maps, create_graph=True
        )
        (pull**2).sum().backward()
        return maps.grad
    import tensorflow as tf

    maps = tf.constant(maps)
    with tf.GradientTape() as outer:
        outer.watch(maps)
        with tf.GradientTape() as inner:
            inner.watch(maps)
            total = tf.reduce_sum(layer(maps))
        penalty = tf.reduce_sum(inner.gradient(total, maps) ** 2)
    return outer.gradient(penalty, maps)
