"""A TensorRT engine as one of `backends`, on the first GPU.

GPU memory is allocated by CUDA's own runtime library, which TensorRT needs
anyway, so that no further package is needed.
"""

import ctypes
import glob
import importlib
import os
import pathlib
import site
import threading
from types import ModuleType

import numpy as np

_TO_DEVICE, _TO_HOST = 1, 2  # cudaMemcpyKind
_RUNTIMES = ("libcudart.so", "libcudart.so.13", "libcudart.so.12")


class TensorRT:
    """An engine, run by TensorRT."""

    def __init__(self, path: str | os.PathLike) -> None:
        trt = load_tensorrt()
        self.cuda = Cuda()
        logger = trt.Logger(trt.Logger.ERROR)
        # Kept alive, because the engine needs it.
        self.runtime = trt.Runtime(logger)
        plan = pathlib.Path(path).read_bytes()
        self.engine = self.runtime.deserialize_cuda_engine(plan)
        if self.engine is None:
            raise ValueError(
                "an engine runs only on the kind of GPU and the version of "
                f"TensorRT that it was built with; this is {trt.__version__}"
            )
        self.context = self.engine.create_execution_context()
        _, self.height, self.width, _ = self.engine.get_tensor_shape("images")
        self.shapes = {
            name: tuple(self.engine.get_tensor_shape(name))[1:]
            for name in ("joints", "scores")
        }
        self.joints = self.shapes["joints"][0]
        *_, largest = self.engine.get_tensor_profile_shape("images", 0)
        self.max_batch = largest[0]
        # The context holds the shape and the addresses of only one call.
        self.lock = threading.Lock()

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        parts = [
            self._run(
                np.ascontiguousarray(crops[start : start + self.max_batch])
            )
            for start in range(0, len(crops), self.max_batch)
        ]
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in self.shapes
        }

    def _run(self, crops):
        outputs = {
            name: np.empty((len(crops), *shape), np.float32)
            for name, shape in self.shapes.items()
        }
        arrays = {"images": crops, **outputs}
        pointers = {}
        try:
            for name, array in arrays.items():
                pointers[name] = self.cuda.allocate(array.nbytes)
            self.cuda.copy(pointers["images"], crops, _TO_DEVICE)
            with self.lock:
                self._execute(crops.shape, pointers)
                for name, array in outputs.items():
                    # On the same stream, so the copy waits for the engine.
                    self.cuda.copy(pointers[name], array, _TO_HOST)
        finally:
            for pointer in pointers.values():
                self.cuda.free(pointer)
        return outputs

    def _execute(self, shape, pointers):
        self.context.set_input_shape("images", shape)
        for name, pointer in pointers.items():
            self.context.set_tensor_address(name, pointer.value)
        if not self.context.execute_async_v3(0):
            raise RuntimeError("TensorRT could not run the engine.")


class Cuda:
    """The four functions of CUDA's runtime that an engine needs.

    Raises:
        ImportError: there is no CUDA runtime.
    """

    def __init__(self) -> None:
        installed = [
            path
            for folder in site.getsitepackages()
            for path in glob.glob(
                f"{folder}/nvidia/**/libcudart.so.*", recursive=True
            )
        ]
        for name in (*_RUNTIMES, *installed):
            try:
                self.library = ctypes.CDLL(name)
                return
            except OSError:
                pass
        raise ImportError(
            "A TensorRT engine needs CUDA's runtime library, libcudart.so; "
            "`pip install integral_tf[tensorrt]` brings it."
        )

    def allocate(self, size: int) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer

    def copy(
        self, pointer: ctypes.c_void_p, array: np.ndarray, kind: int
    ) -> None:
        host = ctypes.c_void_p(array.ctypes.data)
        pair = (pointer, host) if kind == _TO_DEVICE else (host, pointer)
        size = ctypes.c_size_t(array.nbytes)
        self._call("cudaMemcpy", *pair, size, ctypes.c_int(kind))

    def free(self, pointer: ctypes.c_void_p) -> None:
        self._call("cudaFree", pointer)

    def _call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeError(f"CUDA's {name} failed with status {status}.")


def load_tensorrt() -> ModuleType:
    """Imports TensorRT.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return importlib.import_module("tensorrt")
    except ImportError as error:
        raise ImportError(
            "TensorRT is not installed: `pip install integral_tf[tensorrt]`, "
            "on a machine with an NVIDIA GPU."
        ) from error
