"""Time of the integral operation on the CPU, beside Kornia's and torch's.

    python benchmarks/integral.py

Every form reads the same 128 x 16 float32 maps of 64 x 64 pixels with the same
number of threads. All have to agree, in points and gradients, before any is
timed. They take turns; the first call of a turn is not counted, because the
other library's threads may still be spinning. Prints Markdown tables.

    ours      `ops.integral.integrate` in a `tf.function`
    Kornia    `kornia.geometry.subpix.spatial_soft_argmax2d`, eager
    torch     softmax over the flattened maps, then the usual ways to average,
              eager; the maps are channels first, as torch has them
"""

import functools
import os
import pathlib
import platform
import statistics
import time

import keras
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from integral_tf.ops import integral

_REPEATS = flags.DEFINE_integer("repeats", 15, "Turns of each form.")
_THREADS = flags.DEFINE_integer("threads", 2, "Threads of both libraries.")

_SHAPE = (128, 16, 64, 64)
_CALLS = 3  # counted calls in a turn
_OURS = ("ours, channels_last", "ours, channels_first")


def peers():
    """Imports torch and Kornia, or says what to install."""
    try:
        import kornia
        import torch
    except ImportError as error:
        raise ImportError(
            "The peers of this benchmark need two packages that integral_tf "
            "does not: `pip install torch kornia`."
        ) from error
    return torch, kornia


def our_forms(maps, upstream):
    """Name -> (forward, forward and backward), each without arguments."""
    upstream = tf.constant(upstream)
    forms = {}
    for name in _OURS:
        data_format = name.split(", ")[1]
        last = data_format == "channels_last"
        tensor = tf.constant(maps.transpose(0, 2, 3, 1) if last else maps)
        read = functools.partial(integral.integrate, data_format=data_format)
        forms[name] = (
            functools.partial(tf.function(read), tensor),
            functools.partial(tf.function(_gradient(read)), tensor, upstream),
        )
    return forms


def _gradient(read):
    def forward_and_backward(maps, upstream):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            points = read(maps)
        return tape.gradient(points, maps, upstream)

    return forward_and_backward


def their_forms(maps, upstream):
    """As `our_forms`, for the peers."""
    torch, kornia = peers()
    maps, upstream = torch.from_numpy(maps), torch.from_numpy(upstream)
    height, width = maps.shape[2:]
    x, y = torch.arange(float(width)), torch.arange(float(height))
    grid = torch.cartesian_prod(y, x).flip(-1)  # (N, 2), x first

    def softmax(maps):
        return torch.softmax(maps.flatten(2), dim=-1)

    def product(maps):
        return softmax(maps) @ grid

    def marginals(maps):
        weight = softmax(maps).view_as(maps)
        per_column, per_row = weight.sum(dim=2), weight.sum(dim=3)
        return torch.stack([per_column @ x, per_row @ y], dim=-1)

    def einsum(maps):
        weight = softmax(maps).view_as(maps)
        return torch.stack(
            [
                torch.einsum("bkhw,w->bk", weight, x),
                torch.einsum("bkhw,h->bk", weight, y),
            ],
            dim=-1,
        )

    reads = {
        "Kornia": functools.partial(
            kornia.geometry.subpix.spatial_soft_argmax2d,
            normalized_coordinates=False,
        ),
        "torch, one matrix product": product,
        "torch, sums per row and column": marginals,
        "torch, einsum": einsum,
    }

    def forward(read):
        with torch.inference_mode():
            return read(maps)

    def forward_and_backward(read):
        leaf = maps.detach().requires_grad_()
        return torch.autograd.grad(read(leaf), leaf, upstream)[0]

    return {
        name: (
            functools.partial(forward, read),
            functools.partial(forward_and_backward, read),
        )
        for name, read in reads.items()
    }


def require_agreement(forms):
    """Compares every form's points and gradients with the first's."""
    expected = None
    for name, (forward, backward) in forms.items():
        gradient = np.asarray(backward())
        if "channels_last" in name:
            gradient = gradient.transpose(0, 3, 1, 2)
        got = np.asarray(forward()), gradient
        expected = expected or got
        for kind, value, truth in zip(("points", "gradients"), got, expected):
            worst = float(np.max(np.abs(value - truth)))
            if not worst < 1e-3:  # pixels; written so that NaN fails too
                raise RuntimeError(
                    f"The {kind} of {name!r} are up to {worst:.3g} from those "
                    f"of {next(iter(forms))!r}. Times would mean nothing."
                )


def measure(calls, repeats):
    """Milliseconds of each call, all taking turns: name -> list."""
    times = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            call()
            for _ in range(_CALLS):
                start = time.perf_counter()
                call()
                times[name].append(1e3 * (time.perf_counter() - start))
    return times


def print_table(title, times):
    print(f"\n{title}\n")
    ratios = " | ".join(f"best / best of {name}" for name in _OURS)
    print(f"| form | best, ms | median, ms | {ratios} |")
    print("|---|---:|---:|---:|---:|")
    for name, spent in times.items():
        best = min(spent)
        ratios = " | ".join(f"{best / min(times[ours]):.2f}" for ours in _OURS)
        median = statistics.median(spent)
        print(f"| {name} | {best:.2f} | {median:.2f} | {ratios} |")


def _machine():
    torch, kornia = peers()
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(": ")[1] for line in lines if "model name" in line]
    return (
        f"{names[0] if names else platform.processor()}, "
        f"{os.cpu_count()} cores, {_THREADS.value} threads each; "
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}, PyTorch {torch.__version__}, "
        f"Kornia {kornia.__version__}"
    )


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    peers()[0].set_num_threads(_THREADS.value)
    tf.config.threading.set_intra_op_parallelism_threads(_THREADS.value)
    tf.config.threading.set_inter_op_parallelism_threads(_THREADS.value)
    if tf.config.list_physical_devices("GPU"):
        tf.config.set_visible_devices([], "GPU")
    rng = np.random.default_rng(0)
    maps = rng.normal(scale=3.0, size=_SHAPE).astype("float32")
    upstream = rng.normal(size=(*_SHAPE[:2], 2)).astype("float32")
    forms = {**our_forms(maps, upstream), **their_forms(maps, upstream)}
    require_agreement(forms)
    print(f"\n{_machine()}")
    batch, joints, height, width = _SHAPE
    print(
        f"{batch} x {joints} maps of {height} x {width}, float32; "
        f"{_REPEATS.value} turns of {_CALLS} calls."
    )
    for title, which in (("Forward", 0), ("Forward and backward", 1)):
        calls = {name: form[which] for name, form in forms.items()}
        print_table(title, measure(calls, _REPEATS.value))


if __name__ == "__main__":
    app.run(main)
