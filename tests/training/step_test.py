"""Tests for a step: gradients that are clipped, and summed of micro-batches.

The network is one convolution, and the optimizer takes gradients as they are.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import skeletons
from integral_tf.pipeline import batches
from integral_tf.training import objectives
from integral_tf.training import step
from tests import untrained

PEOPLE = 8


@pytest.fixture(scope="module")
def people(unvalidated):
    """A batch of eight people."""
    batch = next(iter(batches.train_batches(unvalidated, PEOPLE, 0, 0)))
    return {k: v.numpy() for k, v in batches.for_device(batch).items()}


def network():
    """One convolution from crops of 64 pixels to maps of 8."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((64, 64, 3))
    scores = keras.layers.Conv2D(16, 8, 8)
    return keras.Model(inputs, {"heatmaps": scores(inputs / 255)})


def made(devices=1, **flags):
    """The strategy, the network and its step."""
    config = untrained.settings("H1", batch_size=PEOPLE, **flags)
    names = [f"CPU:{number}" for number in range(devices)]
    # Not by collectives, which several strategies of a process would share.
    strategy = tf.distribute.MirroredStrategy(
        names, tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        model = network()
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        steps = step.Step(
            config,
            strategy,
            model,
            optimizer,
            skeleton=skeletons.MPII,
        )
    return (
        strategy,
        model,
        steps.of_phase(objectives.objectives(config, "main")),
    )


def taken(people, devices=1, **flags):
    """What a step returns, and how it changes the weights."""
    strategy, model, take = made(devices, **flags)
    before = model.get_weights()
    data = tf.data.Dataset.from_tensors(people).unbatch().batch(PEOPLE)
    batch = next(iter(strategy.experimental_distribute_dataset(data)))
    costs, sizes = take(batch)
    changes = [a - b for a, b in zip(model.get_weights(), before, strict=True)]
    return {k: float(v) for k, v in costs.items()}, sizes.numpy(), changes


def length(changes):
    """The norm of all changes together."""
    return float(np.sqrt(sum(np.sum(np.square(each)) for each in changes)))


@pytest.mark.parametrize("devices", [1, 2])
def test_long_gradients_are_scaled_and_short_ones_stay(people, devices):
    _, _, plain = taken(people, devices)
    norm = length(plain)
    _, _, clipped = taken(people, devices, clip_norm=norm / 4)
    _, _, short = taken(people, devices, clip_norm=norm * 2)
    for left, right, same in zip(plain, clipped, short, strict=True):
        np.testing.assert_allclose(right, left / 4, atol=1e-6 * norm)
        np.testing.assert_allclose(same, left, atol=1e-6 * norm)


@pytest.mark.parametrize(
    "devices, parts",
    [
        pytest.param(1, 3, id="of 2, 3 and 3 people"),
        pytest.param(1, 8, id="of one person each"),
        pytest.param(2, 2, id="of 2 people on each device"),
    ],
)
def test_micro_batches_have_the_gradients_of_the_batch(people, devices, parts):
    costs, sizes, whole = taken(people)
    found, sums, changes = taken(people, devices, accumulate=parts)
    assert found == pytest.approx(costs, rel=1e-6)
    if devices == 1:  # else each device's sizes are summed
        np.testing.assert_allclose(sums, sizes, rtol=1e-5)
    for left, right in zip(whole, changes, strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-5, atol=1e-6)


def test_steps_of_two_sizes_are_traced_once(people, monkeypatch):
    traced, real = [], step.Step._gradients

    def counted(*arguments):
        traced.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(step.Step, "_gradients", counted)
    _, model, take = made()
    before = model.get_weights()
    for count in (PEOPLE, PEOPLE - 1):
        model.set_weights(before)
        costs, _ = take({k: tf.constant(v[:count]) for k, v in people.items()})
    assert len(traced) == 1
    few = {k: v[: PEOPLE - 1] for k, v in people.items()}
    assert float(costs["loss"]) == pytest.approx(taken(few)[0]["loss"])


def test_half_bodies_leave_joints_outside_their_crops(people):
    visible = []
    for share in (0.0, 1.0):
        config = untrained.settings("H1", half_body=share)
        strategy = tf.distribute.get_strategy()
        own = step.Step(config, strategy, None, None, skeleton=skeletons.MPII)
        visible.append(own.crop(people, training=True)["visible"].numpy())
    whole, half = (each.mean() for each in visible)
    assert half < 0.8 * whole


def test_graphs_are_rewritten_again_after_an_epoch(monkeypatch):
    name = "disable_meta_optimizer"
    options = tf.config.optimizer.get_experimental_options
    before = options().get(name, False)
    tf.config.optimizer.set_experimental_options({name: False})
    try:
        with step.as_traced():
            assert options()[name]
        assert not options().get(name)
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda _: [1])
        with step.as_traced():  # on a GPU the layout is chosen
            assert not options().get(name)
    finally:
        tf.config.optimizer.set_experimental_options({name: before})
