"""Tests for signals during a training: what a listener notes and puts back."""

import dataclasses
import pathlib
import signal
import threading

import numpy as np
import pytest

from integral_tf import runs
from integral_tf import skeletons
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.training import account
from integral_tf.training import interrupts
from integral_tf.training import trainer


@pytest.mark.parametrize(
    "number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_the_first_signal_is_noted_and_the_second_is_as_before(number, status):
    seen = []
    before = signal.signal(number, lambda *_: seen.append("before"))
    try:
        with interrupts.listening() as listener:
            listener.check()
            signal.raise_signal(number)
            assert seen == []
            with pytest.raises(interrupts.Interrupted) as caught:
                listener.check()
            assert caught.value.status == status
            signal.raise_signal(number)
            assert seen == ["before"]
        signal.raise_signal(number)
        assert seen == ["before"] * 2
    finally:
        signal.signal(number, before)


def test_without_a_signal_the_handlers_come_back():
    before = [signal.getsignal(each) for each in interrupts._SIGNALS]
    with interrupts.listening():
        inside = [signal.getsignal(each) for each in interrupts._SIGNALS]
    after = [signal.getsignal(each) for each in interrupts._SIGNALS]
    assert after == before and before[0] is not inside[0]


def test_a_thread_installs_nothing():
    found = []

    def work():
        with interrupts.listening() as listener:
            found.append(signal.getsignal(signal.SIGINT))
            listener.check()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def interrupt(monkeypatch, owner, name, number, at=1):
    """Sends a signal when a method is called for the nth time."""
    real, calls = getattr(owner, name), []

    def signalled(*args, **options):
        calls.append(name)
        if len(calls) == at:
            signal.raise_signal(number)
        return real(*args, **options)

    monkeypatch.setattr(owner, name, signalled)


def test_a_training_saves_its_place_and_goes_on_from_there(
    settings, sgd, monkeypatch, tmp_path, capsys
):
    settings = dataclasses.replace(
        settings, method="H1", epochs=1, keep_checkpoints=1
    )
    alone = dataclasses.replace(settings, workdir=str(tmp_path / "alone"))
    trainer.train(alone)
    validator = trainer.validation.Validator
    for owner, name, number, place in (
        (account.Account, "add", signal.SIGTERM, "step 1"),
        (validator, "read", signal.SIGINT, "step 4"),
    ):
        with monkeypatch.context() as patch:
            interrupt(patch, owner, name, number)
            with pytest.raises(interrupts.Interrupted) as caught:
                trainer.train(settings)
        assert str(caught.value) == (
            f"saved at epoch 1, {place}; the same command goes on from there"
        )
        assert caught.value.status == 128 + number
        # Proven, so that the one before is gone.
        assert len(runs.checkpoints(settings.workdir)) == 1
    workdir = pathlib.Path(settings.workdir)
    assert not (workdir / "model.keras").exists()
    # As a killed process leaves it.
    (workdir / ".best.partial.keras").write_bytes(b"half")
    capsys.readouterr()
    trainer.train(settings)
    assert not list(workdir.glob(".*.partial*"))
    assert "resuming at epoch 1, step 4" in capsys.readouterr().out
    logs = [
        (pathlib.Path(each.workdir) / "log.csv").read_text()
        for each in (alone, settings)
    ]
    assert logs[0] == logs[1]


def winking(number):
    return schema.Person(
        image=np.zeros((64, 64, 3), np.uint8),
        image_id=number,
        source_id=str(number),
        joints=np.float32([[20, 20], [40, 30]]),
        visible=np.ones(2),
        box=np.float32([8, 8, 48, 48]),
    )


def test_flags_that_name_joints_of_another_skeleton_are_read_by_it(
    settings, sgd, monkeypatch, tmp_path
):
    # MPII has no such names, and another number of joints.
    face = skeletons.Skeleton("face", ("wink", "frown"), sides=(), limbs=())
    people = [(str(number), number) for number in range(8)]
    data = tmp_path / "face"
    shards.write(people, winking, data, face, 64, split=0.0, source="")
    settings = dataclasses.replace(
        settings,
        method="I*",
        joint_weights="wink=2",
        joint_loss="OKS",
        data=str(data),
    )
    interrupt(monkeypatch, account.Account, "add", signal.SIGINT)
    with pytest.raises(
        interrupts.Interrupted, match="saved at epoch 1, step 1"
    ):
        trainer.train(settings)
