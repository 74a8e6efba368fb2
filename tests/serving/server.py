"""What stands in for TensorFlow Serving's binary: its protos and its REST.

    python server.py FOLDER GRPC_PORT REST_PORT [KILLED_AT]

FOLDER holds numbered versions; the newest is served as `pose`, by
`PredictionService` and `ModelService` over gRPC and by the same in JSON over
HTTP. As in TensorFlow Serving a session runs the graph, and neither Python nor
this package has a part in the model: `integral_tf` cannot be imported here. The
process kills itself in the middle of request number KILLED_AT.
"""

import base64
import concurrent.futures
import http.server
import json
import os
import pathlib
import re
import signal
import sys
import threading

sys.modules["integral_tf"] = None  # cannot be imported

import grpc  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow_serving.apis import get_model_status_pb2  # noqa: E402
from tensorflow_serving.apis import model_service_pb2_grpc  # noqa: E402
from tensorflow_serving.apis import predict_pb2  # noqa: E402
from tensorflow_serving.apis import prediction_service_pb2_grpc  # noqa: E402

NAME = "pose"
PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(:predict)?")


class Model:
    """The newest version in a folder."""

    def __init__(self, folder, killed_at=0):
        folders = pathlib.Path(folder).iterdir()
        self.version = max(int(each.name) for each in folders)
        path = pathlib.Path(folder) / str(self.version)
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            meta = tf.compat.v1.saved_model.load(
                self.session, ["serve"], str(path)
            )
        self.signatures = meta.signature_def
        self.killed_at, self.asked = killed_at, 0

    def check(self, name, version):
        if name != NAME or version not in (0, self.version):
            asked = f"Specific({name}, {version})" if version else name
            raise LookupError(f"Servable not found for request: {asked}")

    def signature(self, name):
        name = name or "serving_default"
        if name not in self.signatures:
            raise ValueError(f'Serving signature key "{name}" not found.')
        return self.signatures[name]

    def predict(self, name, inputs):
        """Arrays by name to arrays by name."""
        self.asked += 1
        if self.asked == self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        signature = self.signature(name)
        if inputs.keys() != signature.inputs.keys():
            raise ValueError(f"input size does not match signature: {inputs}")
        feeds = {
            signature.inputs[key].name: value for key, value in inputs.items()
        }
        fetches = {key: each.name for key, each in signature.outputs.items()}
        try:
            return self.session.run(fetches, feeds)
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from error


class Grpc(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, model):
        self.model = model

    def Predict(self, request, context):  # noqa: N802 - the protos' name
        spec = request.model_spec
        self.check(spec, context)
        inputs = {
            key: tf.make_ndarray(value) for key, value in request.inputs.items()
        }
        try:
            outputs = self.model.predict(spec.signature_name, inputs)
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelStatus(self, request, context):  # noqa: N802
        self.check(request.model_spec, context)
        status = get_model_status_pb2.ModelVersionStatus(
            version=self.model.version, state="AVAILABLE"
        )
        return get_model_status_pb2.GetModelStatusResponse(
            model_version_status=[status]
        )

    def check(self, spec, context):
        try:
            self.model.check(spec.name, spec.version.value)
        except LookupError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, str(error))


def tensor(value, info):
    """One input of a JSON request as TensorFlow Serving reads it."""
    if info.dtype != tf.string.as_datatype_enum:
        return np.array(value, tf.dtypes.as_dtype(info.dtype).as_numpy_dtype)
    if not isinstance(value, dict) or value.keys() != {"b64"}:
        return np.array(value, object)
    return np.array(base64.b64decode(value["b64"], validate=True), object)


class Rest(http.server.BaseHTTPRequestHandler):
    model = None

    def do_GET(self):  # noqa: N802 - the library's name
        self.answer(self.status)

    def do_POST(self):  # noqa: N802
        self.answer(self.predict)

    def answer(self, method):
        code, body = 200, None
        try:
            parts = PATH.fullmatch(self.path)
            if not parts:
                raise ValueError(f"Malformed request: {self.path}")
            self.model.check(parts[1], int(parts[2] or 0))
            body = method()
        except LookupError as error:
            code, body = 404, {"error": str(error)}
        except (ValueError, TypeError) as error:
            code, body = 400, {"error": str(error)}
        text = json.dumps(body, indent=4).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def status(self):
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": str(self.model.version), "state": "AVAILABLE"}
        return {"model_version_status": [{**version, "status": status}]}

    def predict(self):
        size = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(size))
        if "inputs" not in asked:
            raise ValueError("Missing 'inputs' or 'instances' key")
        name = asked.get("signature_name", "")
        infos = self.model.signature(name).inputs
        inputs = {}
        for key, value in asked["inputs"].items():
            if key not in infos:
                raise ValueError(f"JSON object: no named input: {key}")
            inputs[key] = tensor(value, infos[key])
        outputs = self.model.predict(name, inputs)
        return {
            "outputs": {key: value.tolist() for key, value in outputs.items()}
        }

    def log_message(self, *args):
        pass


def main(folder, grpc_port, rest_port, killed_at="0"):
    model = Model(folder, int(killed_at))
    service = Grpc(model)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        service, server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    server.add_insecure_port(f"localhost:{grpc_port}")
    server.start()
    Rest.model = model
    rest = http.server.ThreadingHTTPServer(("localhost", int(rest_port)), Rest)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
