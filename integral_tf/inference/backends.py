"""Exported networks, each run by its own runtime.

A backend is called with crops `(N, height, width, 3)` float32 RGB of 0..255 and
returns a dict of `joints` `(N, K, 2)` in the crop frame and `scores` `(N, K)`.
Its attributes are `height`, `width`, the number of `joints`, and `card`: the
content of the `card.json` that `integral-tf export` wrote beside the network,
or an empty dict.

Several threads may call one backend. A runtime that keeps inputs and outputs in
its own memory runs one call at a time. Each call uses every core, so that a
second interpreter would cost memory and save no time.

A runtime is imported when an artifact of its kind is opened.
"""

import functools
import math
import os
import pathlib
import threading
from typing import Any

import numpy as np

from integral_tf import optional
from integral_tf.inference import operations
from integral_tf.inference import published
from integral_tf.inference import tensorrt_engine
from integral_tf.records import photographs

OUTPUTS = ("joints", "scores")
need = optional.need


def find(model: Any) -> pathlib.Path | None:
    """Finds the artifact that a path names.

    Args:
        model: Path of a file with one of the endings of `_RUNTIMES`, or of a
            folder that `integral-tf export` published; any other value is no
            artifact.

    Returns:
        Path of the file, or of a SavedModel's folder; None if there is no
        artifact.
    """
    try:
        path = pathlib.Path(model)
    except TypeError:
        return None
    if (path / "saved_model.pb").is_file():
        return path
    if path.is_dir():
        files = [path / f"model{suffix}" for suffix in _RUNTIMES]
        return next((file for file in files if file.is_file()), None)
    known = path.suffix in _RUNTIMES
    return path if known and path.is_file() else None


def load(path: str | os.PathLike) -> Any:
    """Opens an artifact.

    Args:
        path: Path from `find`.

    Returns:
        A backend.

    Raises:
        ImportError: the runtime that the artifact needs is not installed.
        ValueError: the artifact is damaged, altered since `integral-tf export`
            published it, or not a pose network.
    """
    path = pathlib.Path(path)
    folder = path if path.is_dir() else path.parent
    card = published.read_card(folder)
    # Before a runtime reads an altered file: some give wrong joints, some
    # crash.
    published.check(folder, card)
    runtime = SavedModel if path.is_dir() else _RUNTIMES[path.suffix]
    try:
        backend = runtime(path)
        _try(backend)
    except ImportError:
        raise
    except Exception as error:  # each runtime has exceptions of its own
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"{path} is not a pose network that {runtime.__name__} reads: "
            f"{reason or type(error).__name__}"
        ) from error
    backend.card = card
    return backend


def _try(backend):
    """Requires finite joints and scores of a black crop.

    A runtime may find out that a network is damaged when the network runs.
    """
    sides = backend.height, backend.width
    if math.prod(sides) > photographs.LARGEST:
        raise ValueError(f"its crops of {sides[1]} x {sides[0]} are too large")
    crop = np.zeros((1, *sides, 3), np.float32)
    outputs = backend(crop)
    wanted = {"joints": (1, backend.joints, 2), "scores": (1, backend.joints)}
    for name, shape in wanted.items():
        if outputs[name].shape != shape or not np.isfinite(outputs[name]).all():
            raise ValueError(
                f"its {name} of a black crop are not finite numbers of the "
                f"shape {shape}, so it is damaged"
            )


class SavedModel:
    """A SavedModel's `serving_default`, run by TensorFlow."""

    def __init__(self, path: pathlib.Path) -> None:
        tf = self.tensorflow = need("tensorflow", "tensorflow", "a SavedModel")
        operations.check(path)
        # Kept alive, because the constants live in it.
        self.loaded = tf.saved_model.load(str(path))
        self.signature = self.loaded.signatures["serving_default"]
        (images,) = self.signature.structured_input_signature[1].values()
        self.height, self.width = images.shape[1:3]
        self.joints = self.signature.structured_outputs["joints"].shape[1]

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        outputs = self.signature(images=self.tensorflow.constant(crops))
        return {name: outputs[name].numpy() for name in OUTPUTS}


class OnnxRuntime:
    """An ONNX network, run by ONNX Runtime, on CUDA if available."""

    def __init__(self, path: pathlib.Path) -> None:
        ort = need("onnxruntime", "onnxruntime", "an ONNX file")
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        has = ort.get_available_providers()
        self.session = ort.InferenceSession(
            str(path), providers=[name for name in wanted if name in has]
        )
        _, self.height, self.width, _ = self.session.get_inputs()[0].shape
        # By name: a converter may change the order of the outputs.
        shapes = {o.name: o.shape for o in self.session.get_outputs()}
        self.joints = shapes["joints"][1]

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        values = self.session.run(list(OUTPUTS), {"images": crops})
        return dict(zip(OUTPUTS, values))


class LiteRT:
    """A .tflite network, run by LiteRT."""

    def __init__(self, path: pathlib.Path) -> None:
        interpreter = need(
            "ai_edge_litert.interpreter", "ai-edge-litert", "a .tflite file"
        )
        self.interpreter = interpreter.Interpreter(
            str(path), num_threads=os.cpu_count()
        )
        self.run = self.interpreter.get_signature_runner()
        shape = self.run.get_input_details()["images"]["shape_signature"]
        _, self.height, self.width, _ = map(int, shape)
        details = self.run.get_output_details()["joints"]
        self.joints = int(details["shape_signature"][1])
        self.lock = threading.Lock()  # the interpreter is for one thread

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        with self.lock:
            outputs = self.run(images=crops)  # copies of its tensors
        return {name: outputs[name] for name in OUTPUTS}


@functools.cache
def _core(openvino):
    """OpenVINO's Core: one, which lives as long as the process.

    A Core's CPU plugin gives the thread a stack for signals. Of two plugins,
    the second puts back the stack that the first has freed, and the next signal
    (Ctrl-C, say) is a segmentation fault.
    """
    return openvino.Core()


class OpenVINO:
    """An OpenVINO network, .xml and .bin, run on the CPU."""

    def __init__(self, path: pathlib.Path) -> None:
        openvino = need("openvino", "openvino", "an OpenVINO network")
        # By default newer CPUs compute in bfloat16, which moves joints by
        # pixels.
        self.compiled = _core(openvino).compile_model(
            str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        shape = self.compiled.input("images").partial_shape
        self.height, self.width = (shape[i].get_length() for i in (1, 2))
        joints = self.compiled.output("joints").partial_shape
        self.joints = joints[1].get_length()
        self.lock = threading.Lock()  # calls share one infer request

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        with self.lock:
            results = self.compiled({"images": crops})
            # Copied, because the next call writes into the same memory.
            return {name: np.array(results[name]) for name in OUTPUTS}


_RUNTIMES = {
    ".plan": tensorrt_engine.TensorRT,
    ".onnx": OnnxRuntime,
    ".tflite": LiteRT,
    ".xml": OpenVINO,
}
