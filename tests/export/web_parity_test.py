"""The page's joints and ellipses beside those of `PoseEstimator`.

What the worker answers is read before it is rounded or drawn. The starter
model, whose second look and crops are the others, is in `web_test.py`.
"""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from integral_tf import layers
from integral_tf.export import frozen_network
from integral_tf.export import onnx
from integral_tf.export import web
from integral_tf.inference import estimator
from integral_tf.models import archive
from integral_tf.records import synthetic
from integral_tf.skeletons import MPII
from tests.export import cases
from tests.export import pages

# Keeps the people of the worker's last answers, without their maps.
SPY = """
  window.answers = [];
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (!Array.isArray(data.value)) return;
        const people = data.value.map((pose) => ({ ...pose, maps: null }));
        window.answers.push(people);
      });
    }
  };
"""


def calibrated(model):
    """The model as a run with calibrated ellipses keeps it."""
    heatmaps = model.output["heatmaps"]
    stride = model.input_shape[1] // heatmaps.shape[1]
    read = layers.IntegralRegression(stride=stride, covariance=True)
    spread = read(heatmaps)["covariance"]
    scale = layers.CovarianceCalibration(slope=2.0, offset=3.0)
    outputs = {**model.output, "covariance": scale(spread)}
    return keras.Model(model.input, outputs)


def write(model, folder, cells="middle"):
    """Writes a model's ONNX file, card and skeleton into a folder."""
    folder.mkdir()
    onnx.write(frozen_network.freeze(model, MPII, maps=True), folder)
    (folder / "skeleton.json").write_text(archive.to_json(MPII))
    card = {"format": "web", "method": "I1", "network": {"cells": cells}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="module")
def both(chromium, tmp_path_factory):
    """The page with two models, and their estimators.

    The first's ellipses are calibrated; the second's cells are "first", so that
    its crops are OpenCV's.
    """
    out = tmp_path_factory.mktemp("both")
    models = (
        calibrated(cases.model("I1")),
        cases.model("I1", cells="first"),
    )
    folder = write(models[0], out / "page")
    web.copy_page(folder)
    other = write(models[1], out / "other", cells="first")
    with pages.Server(folder) as server:
        page = pages.Page(chromium, server.url, SPY)
        page.give(*other.iterdir())
        page.wait("is open")
        yield page, [estimator.PoseEstimator(each, MPII) for each in models]
        assert page.errors == []


def compare(both, path, boxes=None):
    """Requires the poses that the page holds to be those of the estimators."""
    page, estimates = both
    answers = page.page.evaluate("window.answers.slice(-2)")
    for people, estimate in zip(answers, estimates):
        (person,), (pose,) = people, estimate(str(path), boxes)
        np.testing.assert_allclose(person["joints"], pose.joints, atol=0.05)
        np.testing.assert_allclose(person["scores"], pose.scores, atol=0.002)
        spread = np.reshape(person["covariance"], (-1, 2, 2))
        np.testing.assert_allclose(
            radii(spread), radii(pose.covariance), atol=0.05
        )
        # The axes' directions, too.
        size = np.trace(pose.covariance, axis1=1, axis2=2)[:, None, None]
        np.testing.assert_allclose(
            spread / size, pose.covariance / size, atol=0.01
        )


def radii(spread):
    """`(K, 2)`: of the ellipses of one sigma."""
    return np.sqrt(np.linalg.eigvalsh(spread))


def test_a_drawn_person(both, tmp_path):
    page, estimates = both
    path = tmp_path / "picture.png"
    picture = Image.new("RGB", (420, 300), (90, 120, 90))
    picture.paste(Image.fromarray(synthetic.person(0, 5).image), (150, 30))
    picture.save(path)
    page.show(path)
    compare(both, path)
    page.change(lambda: page.page.click("#add"))
    # A quarter and an eighth in.
    compare(both, path, [[105, 38, 210, 225]])
    # The two crops, and what is calibrated, are not the same.
    first, second = [estimate(str(path))[0] for estimate in estimates]
    assert np.abs(first.joints - second.joints).max() > 1


def test_photographs(both):
    found = pages.photographs()
    if not found:
        pytest.skip(f"no {pages.COCO} in or above the checkout")
    for path in found:
        both[0].show(path)
        compare(both, path)
