"""Milliseconds of networks for one image, in the runtimes of their exports."""

from __future__ import annotations

import itertools
import pathlib
import statistics
import tempfile
import time
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from integral_tf import progress
from integral_tf import skeletons
from integral_tf.export import frozen_network
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends

WRITERS = {
    "saved_model": saved_model.write,
    "onnx": onnx.write,
    "litert": litert.write,
    "openvino": openvino.write,
}
_TURNS, _CALLS = 7, 5


def of_networks(
    networks: Mapping[str, keras.Model], formats: Sequence[str]
) -> dict[tuple[str, str], list[float]]:
    """Times networks, which take turns, as their exports run them.

    Args:
        networks: Dict from a name to a `pose_model`.
        formats: Names of `WRITERS`.

    Returns:
        Dict from (name, format) to the seconds of a call in each turn: the
        median of its calls.

    Raises:
        ValueError: a format is unknown.
        ImportError: a runtime is not installed.
    """
    unknown = [name for name in formats if name not in WRITERS]
    if unknown:
        raise ValueError(
            f"`--latency` is a list of {', '.join(WRITERS)}, with commas. "
            f"Received: {', '.join(unknown)}"
        )
    calls = {}
    trained = {name: _as_trained(model) for name, model in networks.items()}
    keys = list(itertools.product(networks, formats))
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in progress.over(keys, "export", unit="files"):
            at = pathlib.Path(folder) / str(len(calls))
            calls[name, kind] = _runner(trained[name], kind, at)
        times = {key: [] for key in calls}
        for _ in progress.over(range(_TURNS), "time", unit="turns"):
            for key, call in calls.items():
                call()  # a runtime's threads may be asleep
                times[key].append(
                    statistics.median(_seconds(call) for _ in range(_CALLS))
                )
    return times


def spread(times: Sequence[float]) -> str:
    """The median, least and most of seconds, in milliseconds."""
    least, most = 1e3 * min(times), 1e3 * max(times)
    return f"{1e3 * statistics.median(times):.1f} ({least:.1f}-{most:.1f})"


def words() -> str:
    """What `spread` prints."""
    return f"ms: median (least-most) of {_TURNS} turns, float32, this machine"


def _as_trained(model):
    """A copy without weights of 0, whose addition an export leaves out."""
    copy = keras.models.clone_model(model)
    copy.set_weights(
        [np.where(each.any(), each, 1e-3) for each in model.get_weights()]
    )
    return copy


def _runner(model, kind, folder):
    """A function without arguments, which runs one image."""
    count = model.output["joints"].shape[1]
    joints = tuple(str(number) for number in range(count))
    skeleton = skeletons.Skeleton("timed", joints, (), ())
    phases = kind == "saved_model"
    frozen = frozen_network.freeze(model, skeleton, phases=phases)
    folder.mkdir()
    WRITERS[kind](frozen, folder)
    backend = backends.load(backends.find(folder))
    shape = (1, frozen.height, frozen.width, 3)
    image = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    return lambda: backend(image)


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
