"""Records to train on, once for all tests here, and a tiny network's flags."""

import dataclasses

import keras
import pytest

from integral_tf.training import optimizers
from tests import drawn
from tests import untrained


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """32 people or so to train on, 8 to validate on."""
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    return drawn.records(folder, 40, 0.2, count=2)


@pytest.fixture(scope="session")
def unvalidated(tmp_path_factory):
    """16 people to train on, and nobody else."""
    folder = tmp_path_factory.mktemp("data") / "unvalidated"
    return drawn.records(folder, 16, 0.0)


@pytest.fixture(scope="session")
def tiny(data, tmp_path_factory):
    """Flags of an epoch on the maps, and one on both losses."""
    return untrained.settings(
        "I1",
        **untrained.backbone(tmp_path_factory.mktemp("five") / "five.keras"),
        batch_size=8,
        epochs=2,
        heatmap_epochs=1,
        final_epochs=0,
        tensorboard=False,
        data=str(data),
    )


@pytest.fixture
def settings(tiny, tmp_path):
    return dataclasses.replace(tiny, workdir=str(tmp_path / "run"))


@pytest.fixture
def sgd(monkeypatch):
    """Plain SGD, whose graph is made in a third of the time of Adam's."""
    monkeypatch.setattr(
        optimizers, "Adam", lambda rate, *_: keras.optimizers.SGD(rate)
    )
