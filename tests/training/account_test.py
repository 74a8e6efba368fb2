"""Tests for the account of steps: when losses are read, and what is named."""

import dataclasses
import pathlib

import pytest

from integral_tf import runs
from integral_tf.training import account
from integral_tf.training import trainer

pytestmark = pytest.mark.usefixtures("sgd")
NAN = float("nan")


@pytest.fixture
def quarters(settings, unvalidated):
    """Settings of one epoch with four steps, for its 16 people."""
    return dataclasses.replace(
        settings, method="H1", epochs=1, batch_size=4, data=str(unvalidated)
    )


def seen(monkeypatch):
    """Pairs of a step that is read, and of how many were taken by then."""
    real, pairs = account.Account._count, []

    def counted(run, before, *args):
        pairs.append((before + 1, run.progress.step))
        real(run, before, *args)

    monkeypatch.setattr(account.Account, "_count", counted)
    return pairs


def test_losses_that_are_read_late_are_those_read_at_once(
    quarters, monkeypatch, tmp_path
):
    pairs, logs = seen(monkeypatch), []
    for every in (1, 3, 10):
        monkeypatch.setattr(account, "READ_EVERY", every)
        workdir = tmp_path / str(every)
        trainer.train(dataclasses.replace(quarters, workdir=str(workdir)))
        logs.append((workdir / runs.LOG).read_bytes())
    at_once = [(1, 1), (2, 2), (3, 3), (4, 4)]
    in_threes = [(1, 3), (2, 3), (3, 3), (4, 4)]
    at_the_end = [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert pairs == at_once + in_threes + at_the_end
    assert logs[0] == logs[1] == logs[2]


def test_a_checkpoint_has_the_losses_of_every_step_before_it(
    quarters, monkeypatch
):
    pairs = seen(monkeypatch)
    trainer.train(dataclasses.replace(quarters, checkpoint_steps=2))
    assert pairs == [(1, 2), (2, 2), (3, 4), (4, 4)]


def test_a_bad_step_is_named_whose_loss_was_read_late(quarters, monkeypatch):
    # All four steps are taken before the second one's loss is read.
    real = account.Account.add
    steps = []

    def spoilt(run, costs, gradients):
        steps.append(costs)
        if len(steps) == 2:
            costs = {name: cost + NAN for name, cost in costs.items()}
        real(run, costs, gradients)

    monkeypatch.setattr(account.Account, "add", spoilt)
    names = []
    found = trainer.feed.Feed.names

    def named(feed, progress):
        names.append((progress.step, found(feed, progress)))
        return names[-1][1]

    monkeypatch.setattr(trainer.feed.Feed, "names", named)
    with pytest.raises(
        FloatingPointError,
        match=r"^The heatmap loss is nan at epoch 1, step 2, of "
        r"(0\d{7}(, )?){4}; lower --learning_rate. No checkpoint is before it",
    ):
        trainer.train(quarters)
    assert len(steps) == 4
    # Those of the second step, which one step is before.
    assert [step for step, _ in names] == [1]
    assert not runs.checkpoints(pathlib.Path(quarters.workdir))
