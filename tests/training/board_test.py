"""Tests for a run's TensorBoard, read with TensorBoard's own reader."""

import dataclasses
import importlib.util

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from integral_tf import config
from integral_tf.evaluation import predictions
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from integral_tf.training import board as boards
from integral_tf.training import objectives
from integral_tf.training import validation
from tests import untrained


class Still:
    """People whose sheet is a grey picture."""

    split = "val"

    def sheet(self):
        return np.full((40, 60, 3), 128, np.uint8)


def row(epoch, **more):
    return {"epoch": epoch, "phase": "main", "learning_rate": 1e-3, **more}


def read(workdir, split):
    """What TensorBoard shows of a split."""
    found = event_accumulator.EventAccumulator(
        str(workdir / "tensorboard" / split), size_guidance={"tensors": 0}
    )
    found.Reload()
    return found


def curve(found, tag):
    """Pairs of step and value of a tag."""
    return [
        (event.step, float(tf.make_ndarray(event.tensor_proto)))
        for event in found.Tensors(tag)
    ]


def picture(event):
    """A `people` event's picture."""
    return tf.io.decode_image(event.encoded_image_string).numpy()


def test_training_and_validation_share_a_chart(tmp_path):
    board = boards.Board(tmp_path, 0, Still())
    for epoch in (1, 2):
        board.write(
            row(
                epoch, train_loss=3.0, train_joint=2.0, val_loss=4.0,
                val_joint=1.0 / epoch, **{"val_pckh@0.5": 50.0},
                val_beta=8.0 * epoch,
            )
        )  # fmt: skip
    train, val = read(tmp_path, "train"), read(tmp_path, "val")
    shared = {"loss/total", "loss/joint"}
    assert set(train.Tags()["tensors"]) == shared | {"schedule/learning_rate"}
    assert set(val.Tags()["tensors"]) == shared | {
        "accuracy/pckh@0.5",
        "schedule/beta",
    }
    assert curve(train, "loss/total") == [(1, 3.0), (2, 3.0)]
    assert curve(val, "loss/joint") == [(1, 1.0), (2, 0.5)]
    assert curve(val, "schedule/beta") == [(1, 8.0), (2, 16.0)]
    drawn = val.Images("people")
    assert [event.step for event in drawn] == [1, 2]
    assert picture(drawn[0]).shape == (40, 60, 3)
    assert not train.Tags()["images"]


def test_an_epoch_that_is_trained_again_is_shown_once(tmp_path):
    first = boards.Board(tmp_path, 0, Still())
    for epoch in (1, 2, 3):
        first.write(row(epoch, train_loss=float(epoch), val_loss=1.0))
    # The checkpoints of epochs 2 and 3 were lost, and a file's end, too.
    for path in (tmp_path / "tensorboard" / "val").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    again = boards.Board(tmp_path, 1, Still())
    again.write(row(2, train_loss=20.0, val_loss=1.0))
    train, val = read(tmp_path, "train"), read(tmp_path, "val")
    assert curve(train, "loss/total") == [(1, 1.0), (2, 20.0)]
    assert [step for step, _ in curve(train, "schedule/learning_rate")] == [
        1,
        2,
    ]
    assert [step for step, _ in curve(val, "loss/total")] == [1, 2]
    assert [event.step for event in val.Images("people")] == [1, 2]


def watched(settings):
    """The people to watch, and the validator of a network without training."""
    records = Records.open(settings.data)
    model = untrained.network(settings.method)
    observe = predictions.Observer(model, records.skeleton)
    validator = validation.Validator(settings, observe, records)
    people = boards.Watched(validator, observe)
    return people, validator, model


def test_the_same_people_are_drawn_each_epoch(settings):
    people, validator, model = watched(settings)
    losses = objectives.objectives(settings, "main")
    sheets = []
    for _ in range(2):
        validator.read(losses)
        sheets.append(people.sheet().astype(int))
        for variable in model.trainable_variables:
            variable.assign(-2 * variable)
    # Eight tiles in two rows of four, each below a caption; the legend above.
    assert sheets[0].shape == (20 + 2 * 260, 4 * 240, 3)
    # The poses differ, and nothing else.
    differ = np.abs(sheets[0] - sheets[1]).max(axis=-1)[60:280] > 0
    assert 0.01 < differ.mean() < 0.3


def test_people_of_the_training_where_none_validate(settings, unvalidated):
    settings = dataclasses.replace(settings, data=str(unvalidated), method="H1")
    people, validator, _ = watched(settings)
    assert people.split == "train"
    # Of 16 people: places 0, 2.1, 4.3, 6.4, 8.6, 10.7, 12.9 and 15.
    _, names = batches.ids(Records.open(settings.data), "train")
    shown = [names[i] for i in (0, 2, 4, 6, 9, 11, 13, 15)]
    assert people.names == shown
    assert people.sheet().shape == (540, 960, 3)


def test_without_tensorboard_a_line_says_so(tmp_path, monkeypatch, capsys):
    """`tf.summary.scalar` raises where TensorBoard is not installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    settings = config.TrainConfig(workdir=str(tmp_path), tensorboard=True)
    boards.opened(settings, 0, None, None)({"epoch": 1, "train_loss": 0.5})
    assert "pip install integral_tf[tensorboard]" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
