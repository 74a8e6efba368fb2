"""Tests for the schedule of Section 6.1, driven by made-up curves."""

import dataclasses

import pytest

from integral_tf import config
from integral_tf.training import schedule


def run(settings, losses):
    """(phase, learning rate) of every epoch that this curve leads through."""
    state, seen = schedule.start(settings), []
    for loss in losses:
        if state.phase == "done":
            break
        seen.append((state.phase, schedule.learning_rate(settings, state)))
        state = schedule.advance(settings, state, loss)
    return seen, state


def test_the_rate_drops_once_when_the_loss_saturates_and_then_training_ends():
    settings = config.TrainConfig(
        method="H1", patience=2, epochs=100, final_epochs=0
    )
    # Best at epoch 2; epochs 3 and 4 bring nothing: the rate drops. Epoch 5
    # is the new phase's best; 6 and 7 bring nothing: done.
    seen, state = run(settings, [3, 2, 2, 2, 1, 1, 1, 1])
    assert seen == [("main", 1e-3)] * 4 + [("final", 1e-5)] * 3
    assert state.phase == "done"


def test_i1_pretrains_its_heat_maps_and_each_phase_has_its_own_best():
    settings = config.TrainConfig(
        method="I1", patience=1, epochs=100, final_epochs=0
    )
    # The joint loss joins at epoch 3 and raises the sum from 1 to 9: that is
    # a new phase's first value, not a saturated old one.
    seen, _ = run(settings, [1, 1, 9, 8, 8, 7, 7])
    assert [phase for phase, _ in seen] == [
        "heatmap", "heatmap", "main", "main", "main", "final", "final",
    ]  # fmt: skip


def test_a_fixed_budget_ends_every_phase_on_its_epoch():
    settings = config.TrainConfig(
        method="I1",
        patience=1000,
        epochs=14,
        heatmap_epochs=5,
        final_epochs=3,
    )
    seen, state = run(settings, [1.0] * 20)
    assert [phase for phase, _ in seen] == (
        ["heatmap"] * 5 + ["main"] * 6 + ["final"] * 3
    )
    assert state.epoch == 14


@pytest.mark.parametrize(
    "epochs, heatmap, main, final",
    [
        (140, 70, 50, 20),
        (14, 7, 5, 2),
        (7, 3, 3, 1),
        (2, 1, 1, 0),
        (1, 0, 1, 0),
    ],
)
def test_phases_are_shares_of_the_epochs(epochs, heatmap, main, final):
    settings = config.TrainConfig(method="I1", patience=1000, epochs=epochs)
    seen, state = run(settings, [1.0] * (epochs + 1))
    assert [phase for phase, _ in seen] == (
        ["heatmap"] * heatmap + ["main"] * main + ["final"] * final
    )
    assert state.phase == "done"
    plan = schedule.plan(settings, schedule.start(settings))
    assert [plan.get(phase, 0) for phase in schedule.PHASES[:3]] == [
        heatmap, main, final,
    ]  # fmt: skip
    # A share is not above a number that is given.
    phased = dataclasses.replace(settings, final_epochs=0).phased()
    assert (phased.heatmap_epochs, phased.final_epochs) == (heatmap, 0)


def test_the_plan_begins_at_the_present_epoch():
    settings = config.TrainConfig(method="I1", epochs=14)
    state = schedule.State("main", 8)
    assert schedule.plan(settings, state) == {"main": 4, "final": 2}
    assert schedule.plan(settings, schedule.State("done", 14)) == {}


def test_a_finished_run_that_is_lengthened_is_at_the_base_rate_again():
    # 28 epochs end with 4 of the final rate: 24 to the end of the main phase.
    settings = config.TrainConfig(method="I1", epochs=28)
    done = schedule.State("done", 14, 0.5, 3)
    assert schedule.resumed(settings, done, longer=False) == done
    state = schedule.resumed(settings, done, longer=True)
    assert state == schedule.State("main", 14)
    assert schedule.learning_rate(settings, state) == 1e-3
    assert schedule.plan(settings, state) == {"main": 10, "final": 4}
    # Where only final epochs are added, they are final.
    settings = dataclasses.replace(settings, final_epochs=14)
    state = schedule.resumed(settings, done, longer=True)
    assert state == schedule.State("final", 14)


def test_a_run_that_is_not_lengthened_after_all_is_at_its_end():
    # Its checkpoint was written for more epochs than the command now names.
    settings = config.TrainConfig(method="I1", epochs=14)
    state = schedule.State("main", 14)
    assert schedule.resumed(settings, state, longer=False).phase == "done"
    within = schedule.State("main", 9, 0.5, 3)
    assert schedule.resumed(settings, within, longer=False) == within


@pytest.mark.parametrize("method", config.METHODS)
def test_only_i1_to_i3_pretrain(method):
    settings = config.TrainConfig(method=method)
    pretrains = method in ("I1", "I2", "I3")
    assert (schedule.start(settings).phase == "heatmap") == pretrains


def test_a_run_that_starts_from_another_begins_with_both_losses():
    settings = config.TrainConfig(method="I1", init_from="runs/h1")
    assert schedule.start(settings).phase == "main"


def test_a_gain_below_min_delta_counts_as_saturated():
    settings = config.TrainConfig(
        method="R1", patience=1, min_delta=0.01, final_epochs=0
    )
    seen, _ = run(settings, [1.0, 0.995, 0.5])
    assert [phase for phase, _ in seen] == ["main", "main", "final"]


@pytest.mark.parametrize(
    "changes, before, after, line",
    [
        ({}, "heatmap", "main", "the joint loss joins the heat-map loss"),
        (
            {"joint_phase": "joint"},
            "heatmap",
            "main",
            "the joint loss takes the place of the heat-map loss",
        ),
        ({}, "main", "final", "the learning rate is 1e-05"),
        (
            {},
            "heatmap",
            "final",
            "the joint loss joins the heat-map loss, the learning rate is "
            "1e-05",
        ),
        ({}, "heatmap", "done", ""),
        ({}, "main", "done", ""),
    ],
)
def test_a_line_says_what_a_phase_changes(changes, before, after, line):
    settings = config.TrainConfig(method="I1", **changes)
    assert schedule.change(settings, before, after) == line


def test_a_loss_below_0_saturates_as_one_above_it():
    # A likelihood's: from -1 on, -0.9999 and -1.0001 are no better by 1 in
    # 1000, and -2 is.
    settings = config.TrainConfig(
        method="I*", patience=3, epochs=100, final_epochs=0
    )
    state = schedule.start(settings)
    waited = []
    for loss in (0.5, -1.0, -0.9999, -1.0001, -2.0):
        state = schedule.advance(settings, state, loss)
        waited.append(state.waited)
    assert waited == [0, 0, 1, 2, 0] and state.best == -2.0
