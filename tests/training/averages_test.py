"""Tests for the average of a network's weights, and for the runs that have it.

By hand, weights of 1, 2, 3 after three steps: the first is taken whole; at the
second (2 - 1) / (2 + 8) = 1 / 10 of the average stays, at the third 2 / 11.
"""

import dataclasses
import pathlib
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import layers
from integral_tf import runs
from integral_tf.training import account
from integral_tf.training import averages
from integral_tf.training import checkpoint
from integral_tf.training import interrupts
from integral_tf.training import trainer


@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize(
    "momentum, expected",
    [
        (0.999, [1.0, 0.1 + 1.8, 2 / 11 * 1.9 + 9 / 11 * 3]),
        (0.05, [1.0, 0.05 + 1.9, 0.05 * 1.95 + 0.95 * 3]),
    ],
)
def test_the_average_of_three_steps(devices, momentum, expected):
    names = [f"CPU:{number}" for number in range(devices)]
    # Not by collectives, which several strategies of a process would share.
    strategy = tf.distribute.MirroredStrategy(
        names, tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        inputs = keras.Input((1,))
        scale = keras.layers.Dense(
            1, use_bias=False, kernel_initializer="zeros"
        )
        model = keras.Model(inputs, scale(inputs))
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        average = averages.Average(model, optimizer, momentum)
    share = -1.0 / devices  # the devices' gradients are summed

    @tf.function
    def step():
        strategy.run(
            lambda: optimizer.apply(
                [tf.fill([1, 1], share)], model.trainable_variables
            )
        )
        average.update(strategy)

    found = []
    for _ in range(3):
        step()
        found.append(average.variables[0].numpy().item())
    assert found == pytest.approx(expected)
    with averages.applied(average):
        assert scale.kernel.numpy().item() == pytest.approx(expected[-1])
    assert scale.kernel.numpy().item() == 3.0
    assert average.variables[0].numpy().item() == pytest.approx(expected[-1])


def test_a_run_gives_its_average_and_goes_on_with_both(
    settings, unvalidated, sgd, monkeypatch, tmp_path
):
    settings = dataclasses.replace(
        settings, method="H1", epochs=1, batch_size=4, ema=0.9,
        data=str(unvalidated), checkpoint_steps=2,
    )  # fmt: skip
    path = trainer.train(settings)
    last = runs.checkpoints(pathlib.Path(settings.workdir))[-1]
    model = keras.saving.load_model(path, compile=False)
    network = layers.network_weights(model)
    saved, _ = checkpoint.read(last, len(network))
    trained = tf.train.load_checkpoint(last)
    far = 0.0
    for i, (weight, average) in enumerate(zip(network, saved, strict=True)):
        np.testing.assert_array_equal(weight, average)
        raw = trained.get_tensor(f"weights/{i}/.ATTRIBUTES/VARIABLE_VALUE")
        far = max(far, np.abs(raw - average).max())
    assert far > 1e-3
    # Ended after two steps, and gone on from there.
    parted = dataclasses.replace(settings, workdir=str(tmp_path / "parted"))
    real, calls = account.Account.add, []

    def signalled(run, *args):
        real(run, *args)
        calls.append(args)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(account.Account, "add", signalled)
        with pytest.raises(interrupts.Interrupted, match="epoch 1, step 2"):
            trainer.train(parted)
    again = keras.saving.load_model(trainer.train(parted), compile=False)
    for left, right in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_allclose(right, left, atol=1e-6)


def test_a_run_without_a_step_gives_the_weights_it_began_with(
    settings, sgd, tmp_path
):
    settings = dataclasses.replace(settings, method="H1", epochs=1)
    path = trainer.train(settings)
    none = dataclasses.replace(
        settings, init_from=str(path), epochs=0, ema=0.9,
        workdir=str(tmp_path / "none"),
    )  # fmt: skip
    first, second = (
        keras.saving.load_model(each, compile=False)
        for each in (path, trainer.train(none))
    )
    for left, right in zip(first.get_weights(), second.get_weights()):
        np.testing.assert_array_equal(left, right)
