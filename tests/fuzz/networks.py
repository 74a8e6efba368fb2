"""Readers of exported networks, and of the pictures that a server is sent.

The network reads its joints out of a convolution of some random weights.
"""

import functools
import io
import json
import urllib.error
import warnings

import keras
import numpy as np
import tensorflow as tf

from integral_tf import layers
from integral_tf import skeletons
from integral_tf.detection import detector
from integral_tf.export import encoded
from integral_tf.export import frozen_network
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends
from integral_tf.models import user_network
from integral_tf.serving import connections
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
    detect = detector.get(folder / "people.onnx", least=0.3)
    with warnings.catch_warnings():
        # The detector's boxes that are left out.
        warnings.filterwarnings("ignore", "A detector's boxes are")
        boxes = detect(np.full((40, 30, 3), 200, np.uint8))
    return labels.not_finite(boxes=boxes)


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


def write_backbone(folder):
    images = keras.Input((None, None, 3))
    keras.Sequential([images, keras.layers.Conv2D(4, 3, 32)]).save(
        folder / "mine.keras"
    )


def read_backbone(folder):
    user_network.body(user_network.read(folder / "mine.keras"), (64, 64))
    return []


def write_error(folder):
    (folder / "error.json").write_text(json.dumps({"error": "`images` is 4-D"}))


def read_error(folder):
    """As the client says what a server refuses."""
    body = io.BytesIO((folder / "error.json").read_bytes())
    refusal = urllib.error.HTTPError("http://a", 400, "Bad Request", {}, body)
    text = connections.sentence(connections._http_text(refusal))
    return [repr(text)] if "\n" in text or not text.strip() else []
