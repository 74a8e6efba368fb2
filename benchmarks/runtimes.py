"""Prepares one network in each runtime that `inference.py` times."""

import functools
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

import integral_tf
from integral_tf import skeletons
from integral_tf.export import frozen_network
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends


class Subject:
    """The network that all sides run, with random weights.

    Args:
        folder: Folder for artifacts.
        backbone, image_size, width_multiplier: As in `pose_model`.
        count: Number of crops.
        threads: Number of threads of every runtime.

    Attributes:
        model: The `pose_model`.
        frozen: The same network as a `frozen_network.Frozen`.
        crops: `(N, height, width, 3)` float32 RGB of 0..255.
    """

    def __init__(
        self, folder, backbone, image_size, width_multiplier, count, threads
    ):
        self.folder = pathlib.Path(folder)
        self.threads = threads
        keras.utils.set_random_seed(0)
        self.model = integral_tf.pose_model(
            "I1",
            backbone,
            len(skeletons.MPII),
            image_size,
            width_multiplier=width_multiplier,
        )
        # Not 0, as after training: a runtime may leave out a shift of 0.
        for variable in self.model.weights:
            if variable.name in ("beta", "moving_mean"):
                noise = np.random.default_rng(0).normal(size=variable.shape)
                variable.assign(0.1 * noise)
        shape = (count, *self.model.input_shape[1:])
        crops = np.random.default_rng(0).uniform(0, 255, shape)
        self.crops = crops.astype("float32")
        # Maps with peaks: the joint of a flat map is in the middle, whatever
        # errors a runtime makes.
        heatmaps = self.model(self.crops[:2])["heatmaps"]
        score = self.model.get_layer("heatmap_head").score
        score.kernel.assign(score.kernel * (3 / np.std(heatmaps)))
        self.frozen = frozen_network.freeze(self.model, skeletons.MPII)

    def part(self, name):
        """A new folder for an artifact."""
        folder = self.folder / name
        folder.mkdir()
        return folder


# Each of the following functions prepares a side. It returns a function from
# crops to a function without arguments, which computes the crops' joints.


def keras_function(subject):
    run = tf.function(functools.partial(subject.model, training=False))
    return _tensorflow(run)


def exported(subject):
    folder = subject.part("saved_model")
    # As `export.py` freezes it for TensorFlow.
    frozen = frozen_network.freeze(subject.model, skeletons.MPII, phases=True)
    saved_model.write(frozen, folder)
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]

    def run(images):
        # `loaded` must stay alive: it holds the constants of `signature`.
        return loaded and signature(images=images)

    return _tensorflow(run)


def onnx_runtime(subject):
    ort = backends.need("onnxruntime", "onnxruntime", "an ONNX file")
    folder = subject.part("onnx")
    onnx.write(subject.frozen, folder)
    options = ort.SessionOptions()
    options.intra_op_num_threads = subject.threads
    session = ort.InferenceSession(
        str(folder / onnx.FILE), options, providers=["CPUExecutionProvider"]
    )
    outputs = list(backends.OUTPUTS)

    def bind(crops):
        return lambda: session.run(outputs, {"images": crops})[0]

    return bind


def openvino_cpu(subject):
    runtime = backends.need("openvino", "openvino", "an OpenVINO network")
    folder = subject.part("openvino")
    openvino.write(subject.frozen, folder)
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": subject.threads,
    }
    compiled = runtime.Core().compile_model(
        str(folder / "model.xml"), "CPU", settings
    )

    def bind(crops):
        return lambda: np.array(compiled({"images": crops})["joints"])

    return bind


def litert_cpu(precision, subject):
    runtime = backends.need(
        "ai_edge_litert.interpreter", "ai-edge-litert", "a .tflite file"
    )
    folder = subject.part(f"litert_{precision}")
    litert.write(subject.frozen, folder, precision, subject.crops[:8])

    def bind(crops):
        # One interpreter per batch size, which its memory is allocated for.
        interpreter = runtime.Interpreter(
            str(folder / "model.tflite"), num_threads=subject.threads
        )
        run = interpreter.get_signature_runner()
        return lambda: run(images=crops)["joints"]

    return bind


def pytorch(subject, compiled=False, channels_last=False):
    # A process with both Triton's LLVM and TensorFlow's aborts.
    sys.modules.setdefault("triton", None)
    try:
        import torch
    except ImportError as error:
        raise ImportError("it needs `pip install torch`") from error
    import torch_pose

    torch.set_num_threads(subject.threads)
    memory = torch.channels_last if channels_last else torch.contiguous_format
    model = torch_pose.PoseModel(subject.model).to(memory_format=memory)
    if compiled:
        model = torch.compile(model, dynamic=False)

    def bind(crops):
        images = torch.from_numpy(crops).permute(0, 3, 1, 2)
        images = images.contiguous(memory_format=memory)

        def run():
            with torch.inference_mode():
                return model(images).numpy()

        return run

    return bind


def _tensorflow(run):
    def bind(crops):
        images = tf.constant(crops)
        return lambda: run(images)["joints"].numpy()

    return bind


ANCHOR = "PyTorch, eager"
SIDES = {
    ANCHOR: pytorch,
    "PyTorch, eager, channels last": functools.partial(
        pytorch, channels_last=True
    ),
    "PyTorch, torch.compile": functools.partial(pytorch, compiled=True),
    "Keras, tf.function": keras_function,
    "SavedModel": exported,
    "ONNX Runtime": onnx_runtime,
    "OpenVINO": openvino_cpu,
    "LiteRT": functools.partial(litert_cpu, "float32"),
    "LiteRT, int8": functools.partial(litert_cpu, "int8"),
}
