"""A trained network as a TensorRT engine, in the folder that Triton reads.

The network is strongly typed: the ONNX file alone determines the precision.
TensorRT 10 and 11 both support this. TF-TRT, TensorFlow's own converter, left
TensorFlow after 2.17; its names still import and then raise, so it is not used.
"""

import os
import pathlib

import numpy as np

from integral_tf.export import onnx
from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import tensorrt_engine

ENGINE, NETWORK, CACHE = "model.plan", "model.onnx", "timing.cache"
_WORKSPACE = 4 << 30  # bytes


def write_network(
    frozen: Frozen,
    path: str | os.PathLike,
    precision: str = "float32",
    crops: np.ndarray | None = None,
) -> dict[str, str]:
    """Writes the ONNX network that an engine is built from.

    Args:
        frozen: A `frozen_network.Frozen`.
        path: File to write.
        precision: `"float32"`, `"float16"` or `"int8"`.
        crops: `(N, height, width, 3)` float32 crops to calibrate int8 on.

    Returns:
        Dict of the packages' versions.
    """
    path = pathlib.Path(path)
    source = "float32" if precision == "int8" else precision
    versions = onnx.write(frozen, path.parent, source)
    (path.parent / onnx.FILE).rename(path)
    if precision == "int8":
        onnx.quantise(path, path, crops, for_tensorrt=True)
    return versions


def build(
    network: str | os.PathLike,
    engine: str | os.PathLike,
    shape: tuple[int, int, int],
    max_batch: int,
    cache: str | os.PathLike,
) -> dict[str, str]:
    """Builds an engine for this machine's GPU.

    Args:
        network: Path of the ONNX network.
        engine: File to write.
        shape: `(height, width, 3)` of a crop.
        max_batch: Largest batch, in people.
        cache: File of timings, which makes the next build faster; made or
            extended.

    Returns:
        Dict of TensorRT's version, which the engine is bound to.

    Raises:
        ImportError: TensorRT is not installed.
        RuntimeError: there is no GPU, or TensorRT refuses the network.
    """
    trt = tensorrt_engine.load_tensorrt()
    logger = trt.Logger(trt.Logger.WARNING)
    try:
        builder = trt.Builder(logger)
    except TypeError as error:
        # TensorRT's bindings raise this without a driver or a GPU.
        raise RuntimeError("TensorRT found no NVIDIA GPU.") from error
    flag = trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
    definition = builder.create_network(1 << int(flag))
    parser = trt.OnnxParser(definition, logger)
    if not parser.parse(pathlib.Path(network).read_bytes()):
        reasons = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise RuntimeError(f"TensorRT cannot read it: {'; '.join(reasons)}")
    settings = builder.create_builder_config()
    settings.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE)
    # TF32's 10 bits would move joints by more than all other rounding.
    settings.clear_flag(trt.BuilderFlag.TF32)
    profile = builder.create_optimization_profile()
    batches = (1, min(8, max_batch), max_batch)
    profile.set_shape("images", *[(batch, *shape) for batch in batches])
    settings.add_optimization_profile(profile)
    cache = pathlib.Path(cache)
    timings = settings.create_timing_cache(
        cache.read_bytes() if cache.is_file() else b""
    )
    # TensorRT ignores timings of another GPU or version.
    settings.set_timing_cache(timings, ignore_mismatch=False)
    plan = builder.build_serialized_network(definition, settings)
    if plan is None:
        raise RuntimeError("TensorRT built no engine; its messages say why.")
    pathlib.Path(engine).write_bytes(plan)
    cache.write_bytes(settings.get_timing_cache().serialize())
    return {"tensorrt": trt.__version__}


def trtexec(
    network: str | os.PathLike,
    engine: str | os.PathLike,
    shape: tuple[int, int, int],
    max_batch: int,
) -> str:
    """The `trtexec` command that builds the same engine on another machine."""
    sizes = "x".join(map(str, shape))
    low, middle, high = (
        f"images:{batch}x{sizes}" for batch in (1, min(8, max_batch), max_batch)
    )
    return (
        f"trtexec --onnx={network} --saveEngine={engine} --stronglyTyped "
        f"--noTF32 --minShapes={low} --optShapes={middle} --maxShapes={high} "
        f"--memPoolSize=workspace:{_WORKSPACE >> 20} --skipInference"
    )


def triton_config(name: str, frozen: Frozen, max_batch: int) -> str:
    """Text of Triton's `config.pbtxt`.

    Args:
        name: Name of the folder that holds the versions.
        frozen: A `frozen_network.Frozen`.
        max_batch: Largest batch, in people.
    """
    joints = len(frozen.skeleton)

    def tensor(name, *dims):
        dims = ", ".join(map(str, dims))
        return f'  {{ name: "{name}" data_type: TYPE_FP32 dims: [ {dims} ] }}'

    return f"""name: "{name}"
platform: "tensorrt_plan"
max_batch_size: {max_batch}
input [
{tensor("images", frozen.height, frozen.width, 3)}
]
output [
{tensor("joints", joints, 2)},
{tensor("scores", joints)}
]
dynamic_batching {{ max_queue_delay_microseconds: 2000 }}
"""
