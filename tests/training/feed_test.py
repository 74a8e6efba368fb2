"""Tests for the people of an epoch, from shards that may be damaged.

16 people in 4 shards; a flipped byte in the second person of the second shard.
"""

import dataclasses
import pathlib
import shutil

import pytest
import tensorflow as tf

from integral_tf import runs
from integral_tf.training import checkpoint
from integral_tf.training import feed
from integral_tf.training import preflight
from integral_tf.training import schedule
from integral_tf.training import strategy
from integral_tf.training import trainer
from tests import drawn

SHARD = "train-00001-of-00004.tfrecord"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records") / "drawn"
    return drawn.records(folder, 16, 0.0, count=4)


@pytest.fixture
def settings(settings, built, tmp_path):
    data = shutil.copytree(built, tmp_path / "data")
    return dataclasses.replace(
        settings, method="H1", epochs=1, batch_size=4, data=str(data)
    )


def damage(config, how="flipped"):
    path = pathlib.Path(config.data) / SHARD
    if how == "lost":
        return path.unlink()
    content = bytearray(path.read_bytes())
    second = int.from_bytes(content[:8], "little") + 16
    content[second + 100] ^= 1
    path.write_bytes(content)


def people(config):
    """The source_ids of an epoch, step by step, and the last `Feed`."""
    found = feed.Feed(
        config, preflight.check(config), tf.distribute.get_strategy()
    )
    progress = checkpoint.Progress(schedule.State("main"))
    steps = []
    for _ in found.rest(progress):
        steps.append([each.decode() for each in found.names(progress)])
        progress.step += 1
    return steps, found


@pytest.mark.parametrize(
    "how, error, message",
    [
        ("lost", FileNotFoundError, "A shard that the manifest names is miss"),
        ("flipped", ValueError, "its record 1, counted from 0, is cut or dam"),
    ],
)
def test_a_damaged_shard_is_refused_or_left_out(
    settings, capsys, how, error, message
):
    everyone, _ = people(settings)
    assert sorted(sum(everyone, [])) == [f"{i:08d}" for i in range(16)]
    damage(settings, how)
    with pytest.raises(error, match=f"{message}.*by --skip_damaged.*{SHARD}'$"):
        people(settings)
    capsys.readouterr()
    skipping = dataclasses.replace(settings, skip_damaged=True)
    others, found = people(skipping)
    (line,) = [
        each
        for each in capsys.readouterr().out.splitlines()
        if each.startswith("left out: ")
    ]
    assert f"{SHARD}, 4 people: it" in line
    assert len(set(sum(others, []))) == 12 == 4 * found.steps


def test_fewer_people_left_than_devices_are_refused(settings, monkeypatch):
    settings = dataclasses.replace(settings, batch_size=13, skip_damaged=True)
    whole = preflight.check(settings)
    damage(settings)
    strategy = tf.distribute.get_strategy()
    found = feed.Feed(settings, whole, strategy)
    progress = checkpoint.Progress(schedule.State("main"))
    # 12 people are left, in a step of 12.
    monkeypatch.setattr(
        type(strategy), "num_replicas_in_sync", property(lambda self: 13)
    )
    with pytest.raises(ValueError, match="12 people, 13 device.*batch_size=13"):
        next(found.rest(progress))


@pytest.fixture
def damaged_at_step_2(monkeypatch):
    """Damages the shard, and says so, once the second step is asked for."""
    done = []

    class Breaking:
        def __init__(self, config, batches):
            self.config, self.batches, self.count = config, iter(batches), 0

        def __iter__(self):
            return self

        def __next__(self):
            self.count += 1
            if self.count == 2 and not done:
                done.append(1)
                damage(self.config)
                raise tf.errors.DataLossError(None, None, "corrupted record")
            return next(self.batches)

    def use(config):
        def distribute(_, dataset_of):
            context = tf.distribute.InputContext()
            return Breaking(config, dataset_of(context))

        monkeypatch.setattr(
            type(tf.distribute.get_strategy()),
            "distribute_datasets_from_function",
            distribute,
        )

    return use


@pytest.mark.parametrize("skip", [False, True])
def test_a_shard_that_is_damaged_meanwhile(
    settings, sgd, damaged_at_step_2, monkeypatch, capsys, skip
):
    settings = dataclasses.replace(settings, skip_damaged=skip)
    damaged_at_step_2(settings)
    monkeypatch.setattr(
        strategy, "create", lambda *_: tf.distribute.get_strategy()
    )
    if not skip:
        with pytest.raises(
            ValueError,
            match=f"^Saved at epoch 1, step 1. .*record 1.*{SHARD}'$",
        ):
            trainer.train(settings)
        assert len(runs.checkpoints(settings.workdir)) == 1
        settings = dataclasses.replace(settings, skip_damaged=True)
    trainer.train(settings)
    printed = capsys.readouterr().out
    assert printed.count("left out: ") == 1
    assert ("resuming at epoch 1, step 1" in printed) is not skip


@pytest.mark.parametrize(
    "flags, message",
    [
        # 16 people in 16 steps leave the second device alone.
        ({"batch_size": 1}, "Every device has somebody.*16 people, 2 device"),
        # Steps of 4 people have 2 on a device.
        ({"accumulate": 3}, "of --accumulate has somebody.*=3, and 2 people"),
    ],
)
def test_a_device_without_anybody_is_refused(settings, flags, message):
    config = dataclasses.replace(settings, **flags)
    devices = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice()
    )
    with pytest.raises(ValueError, match=message):
        feed.Feed(config, preflight.check(config), devices)
