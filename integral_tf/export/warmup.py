"""Warm-up requests for TensorFlow Serving, inside the SavedModel.

A server prepares much of a network at the first request. So it sends itself
these requests before it serves a version, and no client waits:

    VERSION/assets.extra/tf_serving_warmup_requests

They are TFRecords of `PredictionLog`, two per signature: with one person, and
with several. The people are synthetic drawings, so that a published model
contains no photograph of the training data. Each record also holds the
response, which `integral-tf replay` compares with; servers do not read it.
"""

import importlib.metadata
import io
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from integral_tf import optional
from integral_tf.export import people
from integral_tf.export.frozen_network import Frozen
from integral_tf.records import synthetic

FILE = pathlib.PurePath("assets.extra", "tf_serving_warmup_requests")
# People in a request.
BATCHES = (1, 8)


def write(frozen: Frozen, folder: str | os.PathLike) -> dict[str, str]:
    """Writes the warm-up requests of a SavedModel, with their responses.

    A server that fails on one of them drops the whole version, so the
    SavedModel is opened and runs each of them first. Without
    tensorflow-serving-api none are written, and a line says so; the first
    client of a server then waits.

    Args:
        frozen: The `frozen_network.Frozen` that the SavedModel contains.
        folder: The SavedModel's folder.

    Returns:
        Dict of the packages' versions.

    Raises:
        RuntimeError: the SavedModel fails on a request.
    """
    try:
        logs = optional.need(
            "tensorflow_serving.apis.prediction_log_pb2",
            "tensorflow-serving-api",
            "a warm-up request",
            "serving",
        )
    except ImportError as error:
        print(f"no warm-up requests: {error}")
        return {}
    path = pathlib.Path(folder) / FILE
    path.parent.mkdir(exist_ok=True)
    signatures = tf.saved_model.load(str(folder)).signatures
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, inputs in requests(frozen.height, frozen.width):
            log = logs.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            inputs = {key: tf.constant(value) for key, value in inputs.items()}
            try:
                outputs = signatures[name](**inputs)
            except tf.errors.OpError as error:
                raise RuntimeError(
                    f"{name} fails on its warm-up request: {error.message}"
                ) from error
            response = log.predict_log.response
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            for key, value in outputs.items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString(deterministic=True))
    version = importlib.metadata.version("tensorflow-serving-api")
    return {"tensorflow-serving-api": version}


def requests(height: int, width: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pairs of a signature's name and its inputs, as arrays or bytes.

    Args:
        height, width: Size of the network's crops in pixels.
    """
    for count in BATCHES:
        drawn = [synthetic.person(0, number) for number in range(count)]
        crops = np.stack([people.crop(each, height, width) for each in drawn])
        image, boxes = _side_by_side(drawn)
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=92)
        yield "serving_default", {"images": crops.astype(np.float32)}
        yield "serving_uint8", {"images": crops}
        yield "predict_image", {"image": image, "boxes": boxes}
        yield "predict_bytes", {"image_bytes": file.getvalue(), "boxes": boxes}


def _side_by_side(drawn):
    """One picture with all people side by side, and their boxes in it."""
    sizes = np.array([person.image.shape[:2] for person in drawn])
    image = np.zeros((sizes[:, 0].max(), sizes[:, 1].sum(), 3), np.uint8)
    boxes, left = [], 0
    for person, (height, width) in zip(drawn, sizes):
        image[:height, left : left + width] = person.image
        boxes.append(np.add(person.box, (left, 0, 0, 0)))
        left += width
    return image, np.float32(boxes)
