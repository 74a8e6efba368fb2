"""`integral-tf replay`: a server's joints beside those of the exporter.

Sends the warm-up requests of a SavedModel, and compares the responses.
"""

import pathlib
from typing import Any

from integral_tf.serving import connections

_FILE = "assets.extra/tf_serving_warmup_requests"


def _requests(config):
    """Path of the warm-up requests, checked before slow imports."""
    path = pathlib.Path(config.requests)
    path = path / _FILE if path.is_dir() else path
    if not path.is_file():
        raise connections.Stop(
            "`--requests` is a version's folder with warm-up requests in it. "
            f"Received: --requests={config.requests!r}"
        )
    return path


def _replay(config, server, path):
    """Prints a line per request; returns the largest distance."""
    import numpy as np
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    largest = 0.0
    try:
        records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    except tf.errors.DataLossError as error:
        raise connections.Stop(
            f"{path} is damaged; copy the version again: {error.message}"
        ) from None
    for record in records:
        log = prediction_log_pb2.PredictionLog.FromString(record).predict_log
        name = log.request.model_spec.signature_name
        outputs = connections.persistently(
            lambda log=log: server.send(log.request), config.retry_for
        )
        want = tf.make_ndarray(log.response.outputs["joints"])
        got = np.reshape(outputs["joints"], (-1, *want.shape[1:]))
        if got.shape != want.shape:
            raise connections.Stop(
                f"{name} gives joints of shape {got.shape}, the exporter got "
                f"{want.shape}: another model is served"
            )
        distances = np.linalg.norm(got - want, axis=-1)
        print(f"{name}, {len(want)} people: {distances.max():.2g} px")
        largest = max(largest, float(distances.max()))
    return largest


def run(config: Any) -> None:
    """Sends the requests, and prints the largest distance between joints.

    Args:
        config: A `commands.replay.ReplayConfig`.

    Raises:
        Stop: there are no requests, no server, or a joint moved too far.
    """
    path = _requests(config)
    server = connections.Grpc(
        config.server, config.model, config.version, config.timeout
    )
    largest = _replay(config, server, path)
    if not largest <= config.max_pixel_error:  # NaN, too
        raise connections.Stop(
            f"a joint moved by {largest:.3g} px, and "
            f"{config.max_pixel_error:g} may be"
        )
    print(f"the server's joints are the exporter's, to {largest:.2g} px")
