"""Connections to TensorFlow Serving by REST and gRPC, with retries.

REST needs only Python; gRPC needs tensorflow-serving-api. There are three kinds
of errors: `Away`, the server cannot be reached now, so retry; `Refused`, the
server refuses this request, so go on with the next; `Stop`, every request would
fail.
"""

import base64
import http.client
import json
import os
import random
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from integral_tf import checks

_SIGNATURE = "predict_bytes"


class Away(Exception):
    """The server cannot be reached, or says that it cannot answer now."""


class Refused(Exception):
    """The server does not answer this request; it may answer others."""


class Stop(Exception):
    """Every further request would fail, too."""


class Rest:
    """The REST interface, by Python's standard library."""

    def __init__(
        self, server: str, model: str, version: int, timeout: float
    ) -> None:
        server = server or "localhost:8501"
        if "://" not in server:
            server = f"http://{server}"
        self.url = f"{server.rstrip('/')}/v1/models/{model}"
        self.versioned = f"{self.url}/versions/{version}" if version else None
        self.timeout = timeout

    def predict(self, image_bytes: bytes, boxes: list[list[float]]) -> Any:
        image = {"b64": base64.b64encode(image_bytes).decode("ascii")}
        inputs = {"image_bytes": image, "boxes": boxes}
        body = {"signature_name": _SIGNATURE, "inputs": inputs}
        answer = self._ask(":predict", json.dumps(body).encode())
        return answer.get("outputs") if isinstance(answer, dict) else None

    def states(self) -> dict[int, str]:
        answer = self._ask("", None)
        try:
            return {
                int(each["version"]): str(each["state"])
                for each in answer["model_version_status"]
            }
        except (KeyError, TypeError, ValueError) as error:
            raise Stop(
                f"no TensorFlow Serving answers there: {error!r}"
            ) from None

    def _ask(self, verb, body):
        request = urllib.request.Request(
            (self.versioned or self.url) + verb,
            body,
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as file:
                return json.load(file)
        except urllib.error.HTTPError as error:
            text = _http_text(error)
            if error.code == 503:
                raise Away(text) from None
            wrong = Stop if error.code == 404 else Refused
            raise wrong(sentence(text)) from None
        except TimeoutError:
            raise Refused(_late(self.timeout)) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise Refused(_late(self.timeout)) from None
            raise Away(str(error.reason)) from None
        except (OSError, http.client.HTTPException) as error:
            # The server was killed in the middle of a response.
            raise Away(str(error) or type(error).__name__) from None
        except (ValueError, RecursionError) as error:
            raise Stop(
                f"no TensorFlow Serving answers there: {error}"
            ) from None


class Grpc:
    """The gRPC interface, by TensorFlow Serving's own protos."""

    def __init__(
        self, server: str, model: str, version: int, timeout: float
    ) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import get_model_status_pb2
            from tensorflow_serving.apis import model_service_pb2_grpc
            from tensorflow_serving.apis import predict_pb2
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise Stop(
                "gRPC needs TensorFlow Serving's protos: `pip install "
                "tensorflow-serving-api`; --protocol=rest does not. "
                f"Received: {error}"
            ) from None
        self.grpc, self.tf, self.timeout = grpc, tf, timeout
        # By default a refused channel waits up to two minutes. The option
        # "min_reconnect_backoff_ms" is not changed: it limits the time to
        # connect.
        pauses = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        channel = grpc.insecure_channel(
            server or "localhost:8500",
            [*pauses, ("grpc.max_receive_message_length", -1)],
        )
        self.request = predict_pb2.PredictRequest()
        self.status = get_model_status_pb2.GetModelStatusRequest()
        for request in (self.request, self.status):
            request.model_spec.name = model
            if version:
                request.model_spec.version.value = version
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        self._predict, self._status = prediction.Predict, models.GetModelStatus

    def predict(
        self, image_bytes: bytes, boxes: list[list[float]]
    ) -> dict[str, list]:
        request = type(self.request)()
        request.model_spec.signature_name = _SIGNATURE
        # Not 4: three numbers would be filled up with a copy of the last.
        numbers = len(boxes[0]) if boxes else 4
        boxes = self.tf.make_tensor_proto(
            boxes, self.tf.float32, [len(boxes), numbers]
        )
        image_bytes = self.tf.make_tensor_proto(image_bytes)
        request.inputs["image_bytes"].CopyFrom(image_bytes)
        request.inputs["boxes"].CopyFrom(boxes)
        return self.send(request)

    def send(self, request: Any) -> dict[str, list]:
        """Sends a `PredictRequest` for this model and version.

        Returns:
            Dict from an output's name to nested lists.
        """
        request.model_spec.MergeFrom(self.request.model_spec)
        outputs = self._ask(self._predict, request).outputs
        try:
            return {
                name: self.tf.make_ndarray(value).tolist()
                for name, value in outputs.items()
            }
        except (ValueError, TypeError) as error:
            raise Refused(f"the server's answer is damaged: {error}") from None

    def states(self) -> dict[int, str]:
        answer = self._ask(self._status, self.status).model_version_status
        return {each.version: each.State.Name(each.state) for each in answer}

    def _ask(self, method, request):
        try:
            return method(request, timeout=self.timeout)
        except self.grpc.RpcError as error:
            code, text = error.code(), error.details() or ""
            if code == self.grpc.StatusCode.UNAVAILABLE:
                raise Away(text) from None
            if code == self.grpc.StatusCode.DEADLINE_EXCEEDED:
                raise Refused(_late(self.timeout)) from None
            away = (
                self.grpc.StatusCode.NOT_FOUND,
                self.grpc.StatusCode.UNIMPLEMENTED,
            )
            raise (Stop if code in away else Refused)(
                sentence(text or code.name)
            ) from None


def poses(outputs: Any, people: int) -> list[tuple[int, list, list]]:
    """Checks a server's response, and splits it by people.

    Args:
        outputs: The result of `predict`, in any form.
        people: How many boxes the request had.

    Returns:
        List of `(index of a box, joints [[x, y], ...], scores)`.

    Raises:
        Refused: the response is not valid for such a request.
    """
    outputs = outputs if isinstance(outputs, dict) else {}
    joints, scores = outputs.get("joints"), outputs.get("scores")
    kept = outputs.get("kept", list(range(people)))
    lists = all(isinstance(each, list) for each in (joints, scores, kept))
    if not lists or not len(joints) == len(scores) == len(kept) <= people:
        raise Refused(
            f"the server did not answer for {people} boxes: a pose network "
            "gives joints and scores of each, or of those that are kept. "
            f"Received: {checks.SHORT.repr(outputs)}"
        )
    if len(set(map(str, kept))) < len(kept) or not all(
        type(number) is int and 0 <= number < people for number in kept
    ):
        raise Refused(
            f"the server kept boxes that are not among the {people}. "
            f"Received: {checks.SHORT.repr(kept)}"
        )
    for points, sure in zip(joints, scores):
        if not (
            _are_numbers(sure)
            and sure
            and isinstance(points, list)
            and len(points) == len(sure)
            and all(_are_numbers(each) and len(each) == 2 for each in points)
        ):
            raise Refused(
                "the server's joints are not pairs of finite numbers with a "
                f"score each. Received: {checks.SHORT.repr([points, sure])}"
            )
    return list(zip(kept, joints, scores))


def _are_numbers(values):
    return isinstance(values, list) and all(
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) < 1e300  # False for NaN and infinity
        for value in values
    )


def persistently(call: Callable[[], Any], seconds: float) -> Any:
    """Calls a function, again while the server is away.

    The pauses double from 0.1 s to 2 s; each is shortened at random, so that
    many clients do not retry at the same moment.

    Args:
        call: A function without arguments, which may raise `Away`.
        seconds: How long to retry.

    Returns:
        The function's result.

    Raises:
        Stop: the server was away for so many seconds.
    """
    until, pause = time.monotonic() + seconds, 0.1
    while True:
        try:
            return call()
        except Away as error:
            left = until - time.monotonic()
            if left <= 0:
                raise Stop(
                    f"the server was away for {seconds:g} s (--retry_for): "
                    f"{sentence(str(error))}"
                ) from None
        time.sleep(min(left, pause * random.uniform(0.5, 1)))
        pause = min(2 * pause, 2.0)


def sentence(text: str) -> str:
    """TensorFlow's message on one line, without its marks of nodes."""
    node = re.search(r"\[\[\{\{node (?:[\w.]+/)*(\w+)", text)
    text = text.removeprefix("Graph execution error:").partition("[[{{")[0]
    text = re.sub(r"\{\{[^}]*\}\}", "", text)
    text = re.sub(r"assertion failed: \[(.*?[:\w])\] ", r"\1 ", text)
    text = " ".join(text.split())
    return text if "`" in text or not node else f"{text} [{node[1]}]"


def _http_text(error):
    text = error.read().decode(errors="replace")
    try:
        told = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        told = None
    is_told = isinstance(told, str) and sentence(told)
    return told if is_told else f"HTTP {error.code} {error.reason}"


def _late(timeout):
    return f"no answer in {timeout:g} s (--timeout)"
