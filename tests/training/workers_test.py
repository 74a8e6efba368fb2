"""Tests for several devices, and several workers on this machine.

11 people in steps of 3, 4 and 4, of which two devices have 1 + 2, 2 + 2 and
2 + 2. With statistics over all devices nothing may differ from one device but
the order of additions.
"""

import re
import socket

import keras
import numpy as np
import pytest

from integral_tf import runs
from tests import drawn
from tests import untrained
from tests.training import worker

COUNT = 11


def ports(count):
    """Free ports of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    names = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return names


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """A run of two epochs, with every augmentation, as a dict of flags."""
    folder = tmp_path_factory.mktemp("records") / "drawn"
    data = drawn.records(folder, COUNT, 0.0)
    return {
        **untrained.TINY, **untrained.backbone(folder.parent / "five.keras"),
        "method": "I*", "data": str(data), "batch_size": 4,
        "epochs": 2, "final_epochs": 0,
        "sync_batch_norm": True, "tensorboard": False, "photometric": 0.5,
        "learning_rate": 1e-2,
    }  # fmt: skip


def weights(path):
    model = keras.saving.load_model(path / runs.MODEL, compile=False)
    return model.get_weights()


@pytest.fixture(scope="module")
def alone(flags, tmp_path_factory):
    """The weights of a run on one device."""
    folder = tmp_path_factory.mktemp("alone")
    process = worker.start({**flags, "workdir": str(folder / "run")}, folder)
    told = process.communicate()
    assert process.returncode == 0, told
    return weights(folder / "run")


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def together(flags, tmp_path, **more):
    """Runs two workers; returns exit statuses, and what each printed."""
    hosts = ports(2)
    asked = {**flags, "workdir": str(tmp_path / "run")}
    processes = [
        worker.start(asked, tmp_path, hosts, i, **more.get(f"worker{i}", {}))
        for i in range(2)
    ]
    # However the second ends, the first has ended within a minute.
    second = processes[1].communicate(timeout=600)
    first = processes[0].communicate(timeout=60)
    return [each.returncode for each in processes], [first, second]


def test_two_devices_end_with_the_weights_of_one(flags, alone, tmp_path):
    asked = {**flags, "devices": 2, "workdir": str(tmp_path / "run")}
    process = worker.start(asked, tmp_path)
    out, told = process.communicate()
    assert process.returncode == 0, told
    assert "2 device(s), 3 steps an epoch" in out
    assert_alike(weights(tmp_path / "run"), alone)


def test_two_workers_end_with_the_weights_of_one_device(flags, alone, tmp_path):
    statuses, told = together(flags, tmp_path)
    assert statuses == [0, 0], told
    assert "2 device(s), 3 steps an epoch" in told[0][0]
    assert told[1][0] == (
        "worker 2 of 2: the first worker writes the run and tells of it\n"
    )
    assert_alike(weights(tmp_path / "run"), alone)
    log = (tmp_path / "run" / "log.csv").read_text()
    assert len(log.splitlines()) == 3


def test_a_signal_or_a_death_ends_all_workers_and_all_go_on(
    flags, alone, tmp_path
):
    statuses, told = together(flags, tmp_path, worker1={"ask": 2})
    assert statuses == [143, 143], told
    assert "train: interrupted; saved at epoch 1, step 2" in told[0][1]
    assert "the first worker has saved the place" in told[1][1]
    # Killed in the second epoch, after its first step: one of the first epoch
    # is left.
    statuses, told = together(flags, tmp_path, worker1={"die": 2})
    assert statuses[1] == -9 and statuses[0] == 1
    assert "resuming at epoch 1, step 2" in told[0][0]
    last = told[0][1].splitlines()[-1]
    assert re.match("train: Another worker has ended.*; the same command", last)
    assert "Traceback" not in told[0][1]
    statuses, told = together(flags, tmp_path)
    assert statuses == [0, 0], told
    assert "resuming at epoch 2, step 0" in told[0][0]
    assert_alike(weights(tmp_path / "run"), alone)
