"""Time and error of the integral operation, beside plain operations.

    KERAS_BACKEND=tensorflow python benchmarks/integral.py    or jax, or torch

The plain form is the obvious one: `keras.ops.softmax` over the flattened maps,
and an `einsum` with the pixels' index along each axis. Both forms take the same
channels-last float32 maps on one thread, in turns. Times are CPU times of the
process, so that other programs matter little. Before any timing, points and
gradients must agree. Prints Markdown tables.

    time   forward, and forward with the gradient of the maps, for 2-D maps and
           volumes, in each mode of the backend: a TensorFlow graph, XLA and
           eager; `jax.jit`; torch eager
    error  largest error of a coordinate, in pixels of the map, against NumPy in
           float64; for Gaussians of peak 1 with beta 10, and for noise
"""

import functools
import os
import statistics

# Set before a backend starts its threads.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import turns  # noqa: E402
from absl import app  # noqa: E402
from absl import flags  # noqa: E402

from integral_tf import keras_version  # noqa: E402
from integral_tf.ops import integral  # noqa: E402

_REPEATS = flags.DEFINE_integer("repeats", 15, "Turns of each form.")
_WHAT = flags.DEFINE_enum("what", "both", ["time", "error", "both"], "Tables.")

_TIMED = ((32, 64, 64, 16), (8, 64, 64, 133), (2, 48, 48, 48, 8))
_MEASURED = ((64, 64), (512, 512), (1024, 1024), (1023, 600), (128, 128, 128))


def plain(maps):
    """Softmax and einsum, from `(B, H, W, K)` to `(B, K, D)`."""
    _, *spatial, joints = maps.shape
    flat = keras.ops.reshape(maps, (-1, np.prod(spatial), joints))
    probabilities = keras.ops.softmax(flat, axis=1)
    probabilities = keras.ops.reshape(probabilities, (-1, *spatial, joints))
    letters = "dhw"[-len(spatial) :]
    points = [
        keras.ops.einsum(
            f"b{letters}k,{letter}->bk",
            probabilities,
            keras.ops.arange(length, dtype="float32"),
        )
        for letter, length in zip(reversed(letters), reversed(spatial))
    ]
    return keras.ops.stack(points, axis=-1)


FORMS = {"ours": integral.integrate, "plain": plain}


def ways(maps, upstream):
    """The backend's modes of running a function.

    Returns:
        Dict from a mode's name to a function from a form to a pair of
        functions without arguments: forward, and forward and backward. The
        second returns the points and the gradient.
    """
    if keras_version.BACKEND == "jax":
        return _jax_ways(maps, upstream)
    if keras_version.BACKEND == "torch":
        return _torch_ways(maps, upstream)
    return _tensorflow_ways(maps, upstream)


def _tensorflow_ways(maps, upstream):
    import tensorflow as tf

    maps, upstream = tf.constant(maps), tf.constant(upstream)

    def way(wrap):
        def pair(form):
            def both(maps):
                with tf.GradientTape() as tape:
                    tape.watch(maps)
                    points = form(maps)
                return points, tape.gradient(points, maps, upstream)

            return [
                functools.partial(wrap(each), maps) for each in (form, both)
            ]

        return pair

    return {
        "graph": way(lambda form: tf.function(form)),
        "XLA": way(lambda form: tf.function(form, jit_compile=True)),
        "eager": way(lambda form: form),
    }


def _jax_ways(maps, upstream):
    import jax

    maps, upstream = jax.numpy.asarray(maps), jax.numpy.asarray(upstream)

    def pair(form):
        def both(maps):
            points, pull = jax.vjp(form, maps)
            return points, pull(upstream)[0]

        def ready(run):
            return lambda: jax.block_until_ready(run(maps))

        return [ready(jax.jit(each)) for each in (form, both)]

    return {"jit": pair}


def _torch_ways(maps, upstream):
    import torch

    maps, upstream = torch.tensor(maps), torch.tensor(upstream)

    def pair(form):
        def forward():
            with torch.inference_mode():
                return form(maps)

        def both():
            leaf = maps.detach().requires_grad_()
            points = form(leaf)
            return points, *torch.autograd.grad(points, leaf, upstream)

        return forward, both

    return {"eager": pair}


def one_thread():
    """Limits the backend to one thread; XLA's flags are set above."""
    if keras_version.BACKEND == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if keras_version.BACKEND == "torch":
        import torch

        torch.set_num_threads(1)


def require_agreement(pairs):
    """Requires that points and gradients of both forms agree."""
    (points, slope), (theirs, their_slope) = (
        [keras.ops.convert_to_numpy(each) for each in both()]
        for _, both in pairs.values()
    )
    worst = max(abs(points - theirs).max(), abs(slope - their_slope).max())
    # In pixels; plain operations have errors of 4e-3 on volumes. NaN fails.
    if not worst < 1e-2:
        raise RuntimeError(
            f"The forms are up to {worst:.3g} apart. Times would mean nothing."
        )


def print_times():
    print("| maps | way | what | plain, ms | ours / plain (least-most) |")
    print("|---|---|---|---:|---:|")
    rng = np.random.default_rng(0)
    for shape in _TIMED:
        maps = rng.normal(scale=3.0, size=shape).astype("float32")
        points = (shape[0], shape[-1], len(shape) - 2)
        upstream = rng.normal(size=points).astype("float32")
        for way, pair in ways(maps, upstream).items():
            pairs = {name: pair(form) for name, form in FORMS.items()}
            require_agreement(pairs)
            for i, what in enumerate(("forward", "forward and backward")):
                calls = {name: each[i] for name, each in pairs.items()}
                for call in calls.values():
                    call()  # compiles
                times = turns.cpu_seconds(calls, _REPEATS.value)
                ratios = turns.ratios(times["ours"], times["plain"])
                print(
                    f"| {' x '.join(map(str, shape))} | {way} | {what} "
                    f"| {1e3 * statistics.median(times['plain']):.1f} "
                    f"| {turns.spread(ratios, '.2f')} |",
                    flush=True,
                )


def float64(maps, beta):
    """The points `(B, K, D)` by NumPy in float64."""
    axes = tuple(range(1, maps.ndim - 1))
    mass = np.exp(beta * (maps - maps.max(axes, keepdims=True)))
    grids = np.indices(maps.shape[1:-1])[::-1, None, ..., None]
    points = [(mass * grid).sum(axes) / mass.sum(axes) for grid in grids]
    return np.stack(points, axis=-1)


def print_errors():
    print("| map | maps | plain, px | ours, px |")
    print("|---|---|---:|---:|")
    rng = np.random.default_rng(0)
    for spatial in _MEASURED:
        noise = rng.normal(size=(1, *spatial, 3))
        centre = rng.uniform(5, min(spatial) - 5, (len(spatial), 3))
        offset = np.indices(spatial)[..., None] - centre.reshape(
            -1, *[1] * len(spatial), 3
        )
        peaks = np.exp(-(offset**2).sum(axis=0) / 8)[None] + 0.02 * noise
        for name, maps, beta in (
            ("Gaussians, beta 10", peaks, 10.0),
            ("noise of 3", 3 * noise, 1.0),
            ("noise of 0.1", 0.1 * noise, 1.0),
        ):
            maps = maps.astype("float32")
            truth = float64(maps.astype(np.float64), beta)
            tensor = keras.ops.convert_to_tensor(maps)
            worst = [
                np.abs(keras.ops.convert_to_numpy(points) - truth).max()
                for points in (
                    plain(tensor * np.float32(beta)),
                    integral.integrate(tensor, beta),
                )
            ]
            print(
                f"| {' x '.join(map(str, spatial))} | {name} "
                f"| {worst[0]:.1e} | {worst[1]:.1e} |",
                flush=True,
            )


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    one_thread()
    library = {keras_version.BACKEND: keras_version.BACKEND, "Keras": "keras"}
    print(f"\n{turns.machine(library, 1)}; turns: {_REPEATS.value}, medians\n")
    if _WHAT.value != "error":
        print_times()
        print()
    if _WHAT.value != "time":
        print_errors()


if __name__ == "__main__":
    app.run(main)
