"""Readers of exported networks, and of the pictures that a server is sent.

The network reads its joints out of a convolution of some random weights.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from integral_tf import layers
from integral_tf import skeletons
from integral_tf.detection import onnx_file
from integral_tf.export import encoded
from integral_tf.export import frozen_network
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends
from tests.detection import graphs
from tests.fuzz import labels

WRITERS = {
    "onnx": onnx,
    "litert": litert,
    "openvino": openvino,
    "saved_model": saved_model,
}


def network():
    images = keras.Input((32, 32, 3), name="images")
    maps = keras.layers.Conv2D(16, 3, 4, kernel_initializer="ones")(images)
    read = layers.IntegralRegression(4, confidence=True)(maps)
    outputs = {"joints": read["joints"], "scores": read["confidence"]}
    return keras.Model(images, outputs)


@functools.cache
def _frozen():
    return frozen_network.freeze(network(), skeletons.MPII, False)


def artifact(name):
    """`write` and `read` of a published network without its card."""

    def write(folder):
        WRITERS[name].write(_frozen(), folder)

    def read(folder):
        crops = np.full((1, 32, 32, 3), 99, np.float32)
        outputs = backends.load(backends.find(folder))(crops)
        is_finite = all(np.isfinite(outputs[n]).all() for n in backends.OUTPUTS)
        return [] if is_finite else ["joints that are not finite"]

    return write, read


def write_detector(folder):
    raw = {0: [30, 30, 20, 20], 1: [20, 20, 10, 10]}
    graphs.yolox(folder / "people.onnx", raw, classes=2, side=32)


def read_detector(folder):
    detect = onnx_file.OnnxFile(folder / "people.onnx", 0.3)
    return labels.not_finite(boxes=detect(np.full((40, 30, 3), 200, np.uint8)))


def write_request(folder):
    labels.picture(folder / "i.jpg")


@functools.cache
def _decoder():
    text = tf.TensorSpec([], tf.string)
    return tf.function(encoded.read, input_signature=[text])


def read_request(folder):
    """As the server reads the bytes of a request."""
    try:
        image = _decoder()((folder / "i.jpg").read_bytes())
    except tf.errors.InvalidArgumentError as error:
        # The server's answer is the message.
        if "image_bytes" not in error.message:
            raise
        raise ValueError("Received: image_bytes") from None
    return [] if image.shape[2:] == (3,) else [f"{image.shape}"]
