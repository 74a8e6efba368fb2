"""Tests for training models of which some outputs have no target."""

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf import losses
from integral_tf import metrics
from tests import untrained

SIZE = 64


def integralized():
    network = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(3, 3, 4, "same")]
    )
    return integral_tf.integralize(network)


def paper():
    return untrained.network("I1", 3, image_size=SIZE)


def people():
    rng = np.random.default_rng(0)
    truth = rng.uniform(8, SIZE - 8, (4, 3, 3)).astype("float32")
    truth[..., 2] = [2, 1, 0]
    images = rng.uniform(0, 255, (4, SIZE, SIZE, 3)).astype("float32")
    return images, truth


def compiled(model, **kwargs):
    model.compile(
        "sgd",
        loss={
            "joints": losses.JointL1(4),
            "heatmaps": losses.GaussianCrossEntropy(4),
        },
        jit_compile=False,
        **kwargs,
    )
    return model


@pytest.mark.parametrize(
    "make, many",
    [(integralized, False), (integralized, True), (paper, False)],
)
def test_a_metric_of_joints_needs_no_target_of_scores(make, many, tmp_path):
    images, truth = people()
    metric = metrics.JointDistance()
    model = compiled(make(), metrics={"joints": [metric] if many else metric})
    targets = {"joints": truth, "heatmaps": truth}
    assert model.fit(
        images, targets, validation_data=(images, targets), verbose=0
    ).history["val_joints_joint_distance"]
    found = model.evaluate(images, targets, verbose=0, return_dict=True)
    apart = np.asarray(model(images, training=False)["joints"]) - truth[..., :2]
    distances = np.linalg.norm(apart, axis=-1)[:, :2]
    np.testing.assert_allclose(
        found["joints_joint_distance"], distances.mean(), rtol=1e-4
    )
    # As of any Keras model: a file, and a copy.
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    again.fit(images, targets, verbose=0)
    copy = compiled(keras.models.clone_model(model), metrics={"joints": metric})
    copy.fit(images, targets, verbose=0)


def test_a_weighted_metric_takes_the_persons_weights():
    images, truth = people()
    model = compiled(
        integralized(), weighted_metrics={"joints": metrics.JointDistance()}
    )
    weights = np.array([1.0, 0, 0, 0])
    found = model.evaluate(
        images,
        {"joints": truth, "heatmaps": truth},
        sample_weight={"joints": weights, "heatmaps": weights},
        verbose=0,
        return_dict=True,
    )
    apart = np.asarray(model(images)["joints"])[0] - truth[0, :, :2]
    np.testing.assert_allclose(
        found["joints_joint_distance"],
        np.linalg.norm(apart, axis=-1)[:2].mean(),
        rtol=1e-4,
    )


def test_joints_alone_and_a_target_of_each_output_still_work():
    images, truth = people()
    for names in (["joints"], ["joints", "heatmaps", "scores"]):
        model = integralized()
        model.compile(
            "sgd",
            loss={"joints": losses.JointL1(4)},
            metrics={"joints": metrics.JointDistance()},
            jit_compile=False,
        )
        model.fit(images, dict.fromkeys(names, truth), verbose=0)
