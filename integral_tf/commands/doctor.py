"""Prints the libraries and GPUs of this machine, and a remedy for each fault.

    integral-tf doctor

Every library is imported in a process of its own, so that a crash in one is
reported, too. The exit status is 1 if the package needs something that is
broken. Missing libraries of an extra are listed, and are no fault.
"""

import concurrent.futures
import dataclasses
import importlib.metadata
import os
import platform
import subprocess
import sys

import integral_tf
from integral_tf import settings

# Required modules -> the packages that install them.
_NEEDED = {
    "tensorflow": "tensorflow",
    "keras": "keras",
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "scipy": "scipy",
    "matplotlib": "matplotlib",
}
# Optional modules -> the extra that installs them, and their purpose.
_EXTRAS = {
    "onnxruntime": ("export", "runs ONNX models"),
    "openvino": ("export", "runs OpenVINO models"),
    "ai_edge_litert": ("export", "runs LiteRT models"),
    "tf2onnx": ("export", "writes ONNX models"),
    "tensorrt": ("tensorrt", "runs TensorRT engines"),
    "tensorflow_serving": ("serving", "asks TensorFlow Serving over gRPC"),
    "hotcoco": ("coco", "computes AP"),
    "tensorboard": ("tensorboard", "shows a training's curves"),
    "av": ("video", "draws videos in H.264"),
}
# Seconds that one library may take to be imported.
_LATE = 120
_GPUS = """
import tensorflow as tf
names = [
    tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    for gpu in tf.config.list_physical_devices("GPU")
]
built = tf.sysconfig.get_build_info()
print("|".join([str(built.get("cuda_version", "")), *names]))
"""


@dataclasses.dataclass(frozen=True)
class DoctorConfig(settings.Checked):
    """The doctor has no flags."""


CONFIG = DoctorConfig


def uses(asked: DoctorConfig) -> str:
    """No first line: to name TensorFlow would import it."""
    return ""


def call(asked: DoctorConfig) -> int:
    _say("integral_tf", integral_tf.__version__)
    faults = [*_python()]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tried = {
            module: pool.submit(_import, module)
            for module in (*_NEEDED, *_EXTRAS)
        }
        for module, package in _NEEDED.items():
            version, reason = tried[module].result()
            _say(module, version or f"broken: {reason}")
            if not version:
                faults.append(f"{module}: pip install --upgrade {package}")
            elif module == "keras" and version.startswith("2."):
                faults.append("keras 2: pip install --upgrade 'keras>=3.12'")
            if module == "tensorflow" and version:
                _gpus()
        for module, (extra, purpose) in _EXTRAS.items():
            version, reason = tried[module].result()
            _say(module, version or _absent(reason, extra, purpose))
    faults += [*_settings(), *_traps()]
    for fault in faults:
        print(f"FAULT  {fault}")
    print("nothing is broken" if not faults else f"{len(faults)} to mend")
    return 1 if faults else 0


def _say(name, text):
    print(f"{name:20s} {text}", flush=True)


def _python():
    version = platform.python_version()
    _say("python", f"{version}, {sys.executable}")
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        yield (
            f"Python {version}: integral_tf needs 3.10 to 3.13; make an "
            "environment of one of these"
        )


def _import(module):
    """Imports a module in another process.

    Returns:
        The version and an empty text; or an empty text and the reason.
    """
    code = f"import {module} as m; print(getattr(m, '__version__', ''))"
    status, out, reason = _python_says(code)
    if status:
        return "", reason
    return out or _distribution(module) or "installed", ""


def _python_says(code):
    """Runs a Python program in another process.

    Returns:
        The exit status, the last line of the output, and why it failed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LATE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return 1, "", f"{type(error).__name__}: {error}"
    out = (done.stdout.strip().splitlines() or [""])[-1]
    reason = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode < 0:
        reason = f"its process died of signal {-done.returncode}"
    return done.returncode, out, reason


def _distribution(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _absent(reason, extra, purpose):
    if "ModuleNotFoundError" in reason:
        return f"not installed; {purpose}: pip install 'integral_tf[{extra}]'"
    return f"broken: {reason}; {purpose}: pip install 'integral_tf[{extra}]'"


def _gpus():
    """Prints the GPUs that TensorFlow sees, and the driver's."""
    status, out, reason = _python_says(_GPUS)
    cuda, *names = out.split("|") if not status else ["", f"? {reason}"]
    _say("  built for CUDA", cuda or "none")
    _say("  GPUs", ", ".join(names) or "none")
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version",
             "--format=csv,noheader"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return
    seen = done.stdout.strip().splitlines() if not done.returncode else []
    if seen:
        _say("  GPUs of the driver", "; ".join(seen))
    if seen and not names:
        print(
            "NOTE   TensorFlow sees no GPU, and the driver does: pip install "
            "'integral_tf[cuda]'"
        )


def _settings():
    """Variables that ask for another Keras."""
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower()
    if legacy in ("1", "true"):
        yield (
            f"TF_USE_LEGACY_KERAS={legacy}: tf.keras is Keras 2 then, which "
            "has the layer and the losses only; unset TF_USE_LEGACY_KERAS"
        )
    backend = os.environ.get("KERAS_BACKEND", "")
    if backend not in ("", "tensorflow"):
        yield (
            f"KERAS_BACKEND={backend}: the commands compute with TensorFlow; "
            "unset KERAS_BACKEND, or set it to tensorflow"
        )


def _traps():
    """Packages that are known to break others."""
    addons = _distribution("tensorflow-addons")
    if addons:
        yield (
            f"tensorflow-addons {addons} is archived, and imports with "
            "TensorFlow 2.15 only: pip uninstall tensorflow-addons, or give it "
            "an environment of its own (docs/layer.md)"
        )
    legacy = _distribution("tf_keras") or _distribution("tf-keras")
    if legacy:
        print(
            f"NOTE   tf_keras {legacy} is here: a model of it takes "
            "integral_tf's layer only with TF_USE_LEGACY_KERAS=1"
        )
    names = [
        name
        for name in (
            "opencv-python",
            "opencv-python-headless",
            "opencv-contrib-python",
            "opencv-contrib-python-headless",
        )
        if _distribution(name)
    ]
    if len(names) > 1:
        yield (
            f"{' and '.join(names)} write to the same folder, cv2, and the "
            f"last one wins: pip uninstall {' '.join(names)}, then install one"
        )
