"""Tests for ResNet-18: its narrowest form, which oneDNN does not stand."""

import keras
import numpy as np

from integral_tf.models import resnet18
from tests.worlds import processes

# An odd number of people in a step, on an eighth of the channels.
STEP = """
import keras
import numpy as np
from integral_tf.models import resnet18

model = resnet18.resnet18((64, 64, 3), 0.125)
model.compile("sgd", "mse")
images = np.random.default_rng(0).normal(size=(3, 64, 64, 3))
for _ in range(10):
    model.train_on_batch(images, np.zeros((3, 2, 2, 64)))
print("trained")
"""


def test_the_narrowest_network_trains_on_an_odd_number():
    # Without the pooling the process dies: "double free or corruption".
    assert processes.fresh(STEP).split() == ["trained"]


def test_the_shortcut_takes_every_second_pixel_at_any_width():
    images = np.random.default_rng(0).normal(size=(2, 64, 64, 3))
    for width, pools in ((0.125, 1), (0.25, 0)):
        model = resnet18.resnet18((64, 64, 3), width)
        names = [layer.name for layer in model.layers]
        assert sum(name.endswith("_0_pool") for name in names) == pools
        convolution = model.get_layer("conv3_block1_0_conv")
        shortcut, block = keras.Model(
            model.input,
            [convolution.output, model.get_layer("conv2_block2_out").output],
        ).predict(images, verbose=0)
        kernel, bias = map(np.asarray, convolution.get_weights())
        wanted = block[:, ::2, ::2] @ kernel[0, 0] + bias
        np.testing.assert_allclose(shortcut, wanted, atol=1e-5)
