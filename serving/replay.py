r"""Asks a running server what a SavedModel was asked when it was exported.

    python serving/replay.py --requests=models/saved_model/1 \
        --server=localhost:8500

The warm-up requests in the version's folder hold the exporter's answers, one
and eight people for each signature. They are sent over gRPC, and the largest
distance between a joint there and here is printed; the exit status is 1 if it
is above `--max_pixel_error`, or an answer is missing.
"""

import pathlib

import connections
from absl import app
from absl import flags

flags.DEFINE_string(
    "requests", "", "Folder of the version, or its tf_serving_warmup_requests."
)
flags.DEFINE_string("server", "localhost:8500", "host:port of gRPC.")
flags.DEFINE_string("model", "pose", "Its name in models.config.")
flags.DEFINE_integer("version", 0, "Its version; 0 is the newest served.")
flags.DEFINE_float("timeout", 30.0, "Seconds that one answer may take.")
flags.DEFINE_float(
    "retry_for", 30.0, "Seconds to go on asking a server that is away."
)
flags.DEFINE_float("max_pixel_error", 0.01, "Distance that is not an error.")
FLAGS = flags.FLAGS
_FILE = "assets.extra/tf_serving_warmup_requests"


def _requests():
    """Path of the file, before anything slow is imported."""
    path = pathlib.Path(FLAGS.requests)
    path = path / _FILE if path.is_dir() else path
    if not path.is_file():
        raise connections.Stop(
            "`--requests` is a version's folder with warm-up requests in it. "
            f"Received: --requests={FLAGS.requests!r}"
        )
    return path


def _replay(server, path):
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
            lambda log=log: server.send(log.request), FLAGS.retry_for
        )
        want = tf.make_ndarray(log.response.outputs["joints"])
        got = np.reshape(outputs["joints"], (-1, *want.shape[1:]))
        if got.shape != want.shape:
            raise connections.Stop(
                f"{name} gives joints of shape {got.shape}, the exporter got "
                f"{want.shape}: another model is served"
            )
        apart = np.linalg.norm(got - want, axis=-1)
        print(f"{name}, {len(want)} people: {apart.max():.2g} px")
        largest = max(largest, float(apart.max()))
    return largest


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        path = _requests()
        server = connections.Grpc(
            FLAGS.server, FLAGS.model, FLAGS.version, FLAGS.timeout
        )
        largest = _replay(server, path)
    except (connections.Stop, connections.Refused) as error:
        raise SystemExit(f"replay: {error}") from None
    if not largest <= FLAGS.max_pixel_error:  # NaN, too
        raise SystemExit(
            f"replay: a joint moved by {largest:.3g} px, and "
            f"{FLAGS.max_pixel_error:g} may be"
        )
    print(f"the server's joints are the exporter's, to {largest:.2g} px")


if __name__ == "__main__":
    app.run(main)
