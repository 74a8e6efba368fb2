"""Tests for the names of what is not finite in a step."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import runs
from integral_tf.training import account
from integral_tf.training import spoilt
from integral_tf.training import step
from integral_tf.training import trainer

NAN, INF = float("nan"), float("inf")


def sizes(*gradients, optimizer=None):
    given = [None if g is None else tf.constant(g) for g in gradients]
    optimizer = optimizer or keras.optimizers.SGD()
    return spoilt.sizes(given, optimizer).numpy().tolist()


def test_the_size_of_a_gradient_is_finite_if_all_its_values_are():
    assert sizes([1.0, -2.0], None, [[0.5]]) == [3.0, 0.0, 0.5]
    # The square of 1e30 would be infinite in float32.
    assert sizes([1e30, -1e30]) == [np.float32(2e30)]
    for bad in (NAN, INF, -INF):
        (found, good) = sizes([1.0, bad], [1.0])
        assert not np.isfinite(found) and good == 1.0


def test_an_overflow_is_the_loss_scales_until_it_is_1():
    # float16 overflows on purpose: the scale is halved from 32768 on.
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    scaled.build([keras.Variable(0.0)])
    assert sizes([INF], optimizer=scaled) == [0.0]
    scaled.dynamic_scale.assign(1.0)
    assert sizes([INF], optimizer=scaled) == [INF]


def test_a_loss_is_named_before_the_sum_of_all():
    assert spoilt.loss({"loss": 3.0, "heatmap": 1.0, "joint": 2.0}) == ""
    costs = {"loss": NAN, "heatmap": 1.0, "joint": NAN}
    assert spoilt.loss(costs) == "The joint loss is nan"


def test_variables_and_people_are_named_and_counted():
    variables = [keras.Variable(0.0, name=f"v{i}") for i in range(5)]
    assert spoilt.gradient(np.ones(5), variables) == ""
    assert spoilt.gradient(np.array([1, NAN, 1, 1, 1]), variables) == (
        "The gradient of v1 is not finite"
    )
    assert spoilt.gradient(np.full(5, INF), variables) == (
        "The gradient of v0, v1, v2 and of 2 more is not finite"
    )
    names = np.array([b"%d" % i for i in range(10)])
    assert spoilt.people(names) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
    assert spoilt.people(names[:2]) == "0, 1"


@tf.custom_gradient
def bad_gradient(values):
    """The same values, whose gradient is NaN."""
    return tf.identity(values), lambda upstream: upstream * NAN


def test_a_bad_gradient_of_a_finite_loss_stops_the_run(
    settings, sgd, unvalidated, monkeypatch
):
    # The third step's maps have a gradient of NaN; every loss is finite.
    settings = dataclasses.replace(
        settings,
        method="H1",
        epochs=1,
        batch_size=4,
        checkpoint_steps=1,
        data=str(unvalidated),
    )
    real, count = step.Step._costs, account.Account._count
    spoils = tf.Variable(False)
    costs_seen = []

    def spoilt_costs(self, objectives, people, crops, outputs):
        maps = outputs["heatmaps"]
        maps = tf.cond(spoils, lambda: bad_gradient(maps), lambda: maps)
        spoilt_outputs = {**outputs, "heatmaps": maps}
        return real(self, objectives, people, crops, spoilt_outputs)

    def counted(run, before, costs, gradients):
        costs_seen.append({n: float(c) for n, c in costs.items()})
        count(run, before, costs, gradients)
        spoils.assign(before == 1)

    monkeypatch.setattr(step.Step, "_costs", spoilt_costs)
    monkeypatch.setattr(account.Account, "_count", counted)
    with pytest.raises(
        FloatingPointError,
        match=r"^The gradient of \S+/kernel, .* more is not finite at epoch 1, "
        r"step 3, of (0\d{7}(, )?){4}; lower --learning_rate. The last good "
        r"checkpoint is .*ckpt-2$",
    ):
        trainer.train(settings)
    assert np.isfinite([list(each.values()) for each in costs_seen]).all()
    # The weights after two good steps stay, and can be gone on from.
    workdir = pathlib.Path(settings.workdir)
    last = tf.train.load_checkpoint(runs.checkpoints(workdir)[-1])
    names = last.get_variable_to_shape_map()
    weights = [last.get_tensor(n) for n in names if n.startswith("weights")]
    assert weights and all(np.isfinite(each).all() for each in weights)
    spoils.assign(False)
    trainer.train(dataclasses.replace(settings, learning_rate=1e-4))
