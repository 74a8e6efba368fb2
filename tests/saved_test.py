"""Files that the tree before 0.2 wrote (`tests/saved`) still give its joints.

`answers.npz` holds what that tree answered: the outputs of each network, the
poses of the finished run and of the interrupted one once it had gone on, and
the people of the records.
"""

import pathlib
import shutil

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf import config
from integral_tf import flagfiles
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from integral_tf.training import trainer

SAVED = pathlib.Path(__file__).parent / "saved"
ANSWERS = np.load(SAVED / "answers.npz")
BOXES = [[10, 5, 40, 60], [30, 20, 50, 50]]


def network():
    """The network under every integral of the answers, untrained."""
    images = keras.Input((32, 32, 3), name="images")
    scaled = keras.layers.Rescaling(1 / 64)(images)
    maps = keras.layers.Conv2D(3, 5, 4, "same", name="maps")(scaled)
    return keras.Model(images, maps)


def check_outputs(model, name):
    outputs = model(ANSWERS["images"].astype("float32"))
    names = [key for key in ANSWERS if key.startswith(f"{name}/")]
    assert names
    for key in names:
        np.testing.assert_allclose(
            outputs[key.partition("/")[2]], ANSWERS[key], atol=1e-3
        )


def check_poses(model, name):
    poses = integral_tf.PoseEstimator(model)(ANSWERS["photo"], BOXES)
    for part in ("joints", "scores"):
        np.testing.assert_allclose(
            [getattr(pose, part) for pose in poses],
            ANSWERS[f"{name}/{part}"],
            atol=1e-3,
        )


@pytest.mark.parametrize(
    "name",
    ["calibrated", "learned", "background", "window", "covariance", "h1"],
)
def test_a_keras_file(name):
    model = keras.saving.load_model(SAVED / f"{name}.keras", compile=False)
    check_outputs(model, name)


def test_a_file_of_weights_alone():
    # It had no beta and no calibrated scores: those of the new model stay.
    model = integral_tf.integralize(network(), beta=2.51, covariance=True)
    model.load_weights(SAVED / "calibrated.weights.h5")
    outputs = model(ANSWERS["images"].astype("float32"))
    for part in ("joints", "covariance", "heatmaps"):
        np.testing.assert_allclose(
            outputs[part], ANSWERS[f"calibrated/{part}"], atol=1e-3
        )


def test_a_finished_run():
    check_poses(SAVED / "finished", "finished")


def whole_batches(people, batch_size, parts=1):
    """`batches.division` before 0.2, which left out the rest of an epoch."""
    starts = np.arange(people // batch_size)[:, None] * batch_size
    return starts + batch_size * np.arange(parts + 1) // parts


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    shutil.copytree(SAVED, tmp_path / "tests" / "saved")
    monkeypatch.chdir(tmp_path / "tests")
    monkeypatch.setattr(batches, "division", whole_batches)
    real = batches.train_batches

    def whole(records, batch_size, seed, epoch, skip, *rest, **division):
        found = real(records, batch_size, seed, epoch, skip, *rest, **division)
        return found.take(23 // batch_size - skip)

    monkeypatch.setattr(batches, "train_batches", whole)
    run = flagfiles.read(config.TrainConfig, "saved/interrupted/flags.cfg")
    model = trainer.train(run)
    check_poses(model, "resumed")


def test_records():
    people = next(
        iter(batches.eval_batches(Records.open(SAVED / "records"), "train", 64))
    )
    for name in ("joints", "visible", "boxes", "to_image"):
        np.testing.assert_allclose(
            people[name], ANSWERS[f"records/{name}"], atol=1e-4
        )
