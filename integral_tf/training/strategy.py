"""The devices that a run computes on, of one machine or of several.

`TF_CONFIG` names the workers of several machines, as TensorFlow reads it:

    {"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]},
     "task": {"type": "worker", "index": 0}}
"""

from __future__ import annotations

import json
import os
import reprlib
from typing import NamedTuple

import tensorflow as tf

from integral_tf import checks

# Shows a TF_CONFIG of two workers whole.
_SHORT = reprlib.Repr()
_SHORT.maxstring = 300


class Place(NamedTuple):
    """A worker's place among the workers of a run.

    Attributes:
        index: Its number, from 0; worker 0 is the chief, which writes.
        count: How many workers there are.
    """

    index: int
    count: int


def place() -> Place:
    """This process's place, as `TF_CONFIG` says; without it, the only one.

    Raises:
        ValueError: `TF_CONFIG` cannot be parsed, has other tasks than chief
            and worker, or an address that is no HOST:PORT of its own.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    try:
        found = _place(json.loads(text)) if text else Place(0, 1)
    except checks.OTHER_FORM:
        found = None
    if found is None:
        raise ValueError(
            "TF_CONFIG names the workers of a run and the one that this "
            'process is, such as {"cluster": {"worker": ["a:2222", "b:2222"]}, '
            '"task": {"type": "worker", "index": 0}}; unset it to train on '
            f"one machine. Received: TF_CONFIG={_shown(text)}"
        )
    return found


def check_alone() -> None:
    """Requires that `TF_CONFIG` names no other worker: only `train` has some.

    Raises:
        ValueError: it does, or it cannot be parsed.
    """
    if place().count > 1:
        raise ValueError(
            "Only `train` uses several workers, and TF_CONFIG names others: "
            f"unset it. Received: TF_CONFIG={_shown(os.environ['TF_CONFIG'])}"
        )


def _place(config):
    """The `Place` of a parsed `TF_CONFIG`, or None."""
    cluster = config.get("cluster", {})
    hosts = {kind: list(some) for kind, some in cluster.items()}
    count = sum(map(len, hosts.values()))
    if count <= 1:
        return Place(0, 1)
    named = all(isinstance(each, list) for each in cluster.values())
    if not named or set(hosts) - {"chief", "worker"}:
        return None
    addresses = {each for some in hosts.values() for each in some}
    if len(addresses) < count or not all(map(_is_address, addresses)):
        return None
    # TensorFlow takes an index of text.
    kind, index = config["task"]["type"], int(str(config["task"]["index"]))
    chiefs = len(hosts.get("chief", []))
    if chiefs > 1 or not 0 <= index < len(hosts[kind]):
        return None
    return Place(index + (chiefs if kind == "worker" else 0), count)


def _is_address(text):
    host, _, port = text.rpartition(":")
    return bool(host) and 0 < int(port) < 2**16


def _shown(text):
    """A text on one line, shortened."""
    return _SHORT.repr(" ".join(text.split()))


def create(devices: int, workers: int) -> tf.distribute.Strategy:
    """The strategy of a run. Create it before any TensorFlow operation.

    Args:
        devices: How many GPUs of this machine to use, the first ones; 0 for
            all. Without a GPU: into how many logical devices the CPU is
            divided; 0 for none.
        workers: How many workers `TF_CONFIG` names.

    Returns:
        `MirroredStrategy` for one worker, else `MultiWorkerMirroredStrategy`.

    Raises:
        ValueError: there are fewer devices, or TensorFlow has started already.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if devices > len(gpus) > 0 or (devices > 1 < workers and not gpus):
        raise ValueError(
            "--devices counts the GPUs of a worker, or, of a run with one "
            "worker and no GPU, the parts of the CPU. Received: "
            f"--devices={devices}, {len(gpus)} GPU(s), {workers} worker(s)"
        )
    try:
        if gpus and devices:
            tf.config.set_visible_devices(gpus[:devices], "GPU")
        elif devices > 1:
            _divide_cpu(devices)
        if workers > 1:
            return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError:
        raise ValueError(
            "TensorFlow has started already, and devices and workers are "
            "chosen before; start a new process. "
            f"Received: --devices={devices}, {workers} worker(s)"
        ) from None
    names = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    return tf.distribute.MirroredStrategy(
        names or [f"CPU:{i}" for i in range(max(devices, 1))]
    )


def _divide_cpu(devices):
    """Divides the CPU into logical devices, unless it is divided already."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    before = tf.config.get_logical_device_configuration(cpu)
    if not before or len(before) < devices:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * devices
        )
