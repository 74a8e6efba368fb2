"""Tests for what is chosen after training."""

import keras
import numpy as np
import pytest

from integral_tf.models import freezing
from integral_tf.training import after_training
from integral_tf.training import validation
from tests import untrained

READ = validation.Reading({}, 7.94, [12.5], 2.5, -1.0, (0.2, 0.05))


def numbers(model):
    """Beta, slope and offset of a model."""
    calibrated = model.get_layer("score_calibration")
    return (
        model.get_layer("integral").beta, calibrated.slope, calibrated.offset,
    )  # fmt: skip


def test_a_reading_is_applied_saved_and_told(tmp_path, capsys):
    model = untrained.network("I1", 3)
    after_training.apply(model, READ)
    assert numbers(model) == (7.94, 2.5, -1.0)
    model.save(tmp_path / "model.keras")
    assert numbers(keras.saving.load_model(tmp_path / "model.keras")) == (
        7.94, 2.5, -1.0,
    )  # fmt: skip
    after_training.reset(model)
    assert numbers(model) == (7.94, 1.0, 0.0)
    after_training.tell(READ)
    printed = capsys.readouterr().out
    assert "beta: 7.94" in printed and "error 0.200 -> 0.050" in printed


def test_a_model_is_finished_inside_and_as_before_outside():
    model = untrained.network("I1", 3)
    freezing.freeze(model, 2)
    trained = [weight.path for weight in model.trainable_weights]
    with pytest.raises(OSError), after_training.finished(model, READ):
        assert numbers(model) == (7.94, 2.5, -1.0)
        assert len(model.trainable_weights) > len(trained)
        raise OSError("the disk is full")
    assert numbers(model) == (1.0, 1.0, 0.0)
    assert [weight.path for weight in model.trainable_weights] == trained
    # Without a validation split nothing is calibrated.
    with after_training.finished(model, None):
        assert numbers(model) == (1.0, 1.0, 0.0)
        assert len(model.trainable_weights) > len(trained)


def test_a_method_without_maps_has_nothing_to_calibrate():
    model = untrained.network("R1", 3)
    read = validation.Reading({}, None, [12.5])
    before = [np.array(weight) for weight in model.get_weights()]
    after_training.apply(model, read)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
