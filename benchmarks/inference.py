r"""Latency of one network in every runtime, beside PyTorch.

    python benchmarks/inference.py
    python benchmarks/inference.py --backbone=resnet18 \
        --width_multiplier=0.125 \
        --image_size=64 --batches=1,2 --repeats=1

Every side has the same random weights, with the last layer scaled so that the
heat maps have peaks. Before any timing, joints must agree with Keras's to 0.01
px. For int8 the difference is only printed; with random weights it says nothing
about a trained network. A side whose package is missing is left out.

    Keras          `model(images)` in a `tf.function`
    SavedModel     `serving_default`, as `export.py` writes it
    ONNX Runtime, OpenVINO, LiteRT   the other artifacts of `export.py`
    PyTorch        `torch_pose.py`: eager; eager with channels last in memory;
                   torch.compile
    floor          the time of the multiplications and additions of the
                   network's convolutions at the rate of NumPy's large matrix
                   products

The sides take turns. The first call of a turn is not counted, because threads
of another library may still be spinning. A ratio is that of one turn. Prints a
Markdown table.
"""

import ctypes
import gc
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import runtimes
import tensorflow as tf
import turns
from absl import app
from absl import flags

from integral_tf.models import complexity

_BACKBONE = flags.DEFINE_enum(
    "backbone", "resnet50", ["resnet18", "resnet50", "resnet101"], "ResNet."
)
_WIDTH = flags.DEFINE_float(
    "width_multiplier", 1.0, "Multiplies resnet18's channels."
)
_SIZE = flags.DEFINE_integer("image_size", 256, "Side of the crops in pixels.")
_BATCHES = flags.DEFINE_list("batches", ["1", "16"], "Crops in a call.")
_REPEATS = flags.DEFINE_integer("repeats", 7, "Turns of each side.", 1)
_THREADS = flags.DEFINE_integer(
    "threads", os.cpu_count(), "Threads of every side.", 1
)
_ONLY = flags.DEFINE_list(
    "only", [], "Names of the sides to run, such as LiteRT; empty for all."
)

_CALLS = 3  # counted calls in a turn
_LIMIT = 0.01  # pixels of the crop
_FLOOR = "floor"
_LIBRARIES = {
    "TensorFlow": "tensorflow",
    "Keras": "keras",
    "PyTorch": "torch",
    "ONNX Runtime": "onnxruntime",
    "OpenVINO": "openvino",
    "LiteRT": "ai_edge_litert",
}


def prepare(subject, batches):
    """Prepares the sides, and compares their joints with Keras's.

    Returns:
        Name -> batch size -> function; and name -> largest distance from
        Keras's joints in pixels.

    Raises:
        RuntimeError: a side's joints differ from Keras's.
    """
    truth = np.asarray(subject.model(subject.crops)["joints"])
    calls, off = {}, {}
    for name, side in runtimes.SIDES.items():
        if _ONLY.value and not any(part in name for part in _ONLY.value):
            continue
        try:
            bind = side(subject)
            bound = {n: bind(subject.crops[:n]) for n in batches}
            joints = {n: np.array(call()) for n, call in bound.items()}
        # A package or a compiler may be missing; the errors have no common
        # class.
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            print(f"left out: {name}: {reason or type(error).__name__}")
            continue
        _give_memory_back()
        off[name] = max(
            float(np.abs(joints[n] - truth[:n]).max()) for n in batches
        )
        if not ("int8" in name or off[name] < _LIMIT):  # NaN fails, too
            raise RuntimeError(
                f"The joints of {name!r} are up to {off[name]:.3g} px from "
                "those of Keras. Times would mean nothing."
            )
        calls[name] = bound
    return calls, off


def _give_memory_back():
    """Frees the gigabytes of writing an artifact, which glibc would keep."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def ceiling():
    """Operations per second of matrix products, in another process.

    No other library has threads there, and NumPy's number of threads can be
    set, which NumPy reads when it loads.
    """
    names = ("OPENBLAS", "MKL", "OMP", "VECLIB")
    threads = {f"{name}_NUM_THREADS": str(_THREADS.value) for name in names}
    script = pathlib.Path(__file__).with_name("matrix_product.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, **threads},
        stdout=subprocess.PIPE,
        check=True,
    )
    return 1e9 * float(done.stdout)


def measure(calls, batches, operations):
    """Seconds of each side in each turn, and each turn's `ceiling`.

    Args:
        calls: Name -> batch size -> function.
        batches: Batch sizes.
        operations: Operations of the network for one crop.

    Returns:
        Dict from (name, batch size) to a list of seconds; and a list of
        operations per second.
    """
    times, rates = {}, []
    for _ in range(_REPEATS.value):
        rates.append(ceiling())
        for n in batches:
            floor = n * operations / rates[-1]
            times.setdefault((_FLOOR, n), []).append(floor)
            for name, bound in calls.items():
                spent = statistics.median(_seconds(bound[n]))
                times.setdefault((name, n), []).append(spent)
    return times, rates


def _seconds(call):
    call()
    spent = []
    for _ in range(_CALLS):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return spent


def print_table(times, batches, off):
    heads = " | ".join(
        f"batch {n}, ms | times as fast | over the floor" for n in batches
    )
    print(f"| side | {heads} | joints off, px |")
    print("|---" + "|---:" * (3 * len(batches) + 1) + "|")
    for name in (_FLOOR, *off):
        cells = []
        for n in batches:
            spent, floor = times[name, n], times[_FLOOR, n]
            anchor = times.get((runtimes.ANCHOR, n))
            ratios = turns.ratios(anchor, spent) if anchor else []
            cells += [
                turns.spread([1e3 * s for s in spent], ".1f"),
                turns.spread(ratios, ".2f"),
                turns.spread(turns.ratios(spent, floor), ".2f"),
            ]
        cells.append(f"{off[name]:.1g}" if name in off else "")
        print(f"| {name} | {' | '.join(cells)} |")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    logging.disable(logging.WARNING)  # the converters' messages
    tf.config.threading.set_intra_op_parallelism_threads(_THREADS.value)
    tf.config.threading.set_inter_op_parallelism_threads(_THREADS.value)
    if tf.config.list_physical_devices("GPU"):
        tf.config.set_visible_devices([], "GPU")
    batches = [int(n) for n in _BATCHES.value]
    with tempfile.TemporaryDirectory() as folder:
        subject = runtimes.Subject(
            folder,
            _BACKBONE.value,
            _SIZE.value,
            _WIDTH.value,
            max(batches),
            _THREADS.value,
        )
        calls, off = prepare(subject, batches)
        macs = complexity.total(complexity.count(subject.model)).macs
        times, rates = measure(calls, batches, 2 * macs)
    print(f"\n{turns.machine(_LIBRARIES, _THREADS.value)}")
    products = turns.spread([r / 1e9 for r in rates], ".0f")
    print(
        f"{_BACKBONE.value} at {_SIZE.value} px, {2 * macs / 1e9:.2f} GFLOP a "
        f"crop; matrix products at {products} GFLOP/s; turns: "
        f"{_REPEATS.value}, medians (least-most).\n"
    )
    print_table(times, batches, off)


if __name__ == "__main__":
    app.run(main)
