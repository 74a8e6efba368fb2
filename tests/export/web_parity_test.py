"""The page's joints and ellipses beside those of Keras.

What the worker answers is read before it is rounded or drawn. `web_test.py`
compares the starter model: the package's own crops, and the second look.
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


@pytest.fixture(scope="module")
def both(chromium, tmp_path_factory):
    """The page, and the estimator of the network that it runs.

    The network's ellipses are calibrated; its cells are "first", so that its
    crops are OpenCV's.
    """
    folder = tmp_path_factory.mktemp("both")
    model = calibrated(cases.model("I1", cells="first"))
    onnx.write(frozen_network.freeze(model, MPII, maps=True), folder)
    web.copy_page(folder)
    (folder / "skeleton.json").write_text(archive.to_json(MPII))
    card = {"format": "web", "method": "I1", "network": {"cells": "first"}}
    (folder / "card.json").write_text(json.dumps(card))
    with pages.Server(folder) as server:
        page = pages.Page(chromium, server.url, SPY)
        yield page, estimator.PoseEstimator(model, MPII)
        assert page.errors == []


def compare(both, path, boxes=None):
    """Requires the pose that the page holds to be that of the estimator."""
    page, estimate = both
    (person,) = page.page.evaluate("window.answers.at(-1)")
    (pose,) = estimate(str(path), boxes)
    np.testing.assert_allclose(person["joints"], pose.joints, atol=0.05)
    np.testing.assert_allclose(person["scores"], pose.scores, atol=0.002)
    spread = np.reshape(person["covariance"], (-1, 2, 2))
    want = pose.covariance
    np.testing.assert_allclose(radii(spread), radii(want), atol=0.05)
    # The axes' directions, too.
    size = np.trace(want, axis1=1, axis2=2)[:, None, None]
    np.testing.assert_allclose(spread / size, want / size, atol=0.01)


def radii(spread):
    """`(K, 2)`: of the ellipses of one sigma."""
    return np.sqrt(np.linalg.eigvalsh(spread))


def test_a_drawn_person(both, tmp_path):
    page, _ = both
    path = tmp_path / "picture.png"
    picture = Image.new("RGB", (420, 300), (90, 120, 90))
    picture.paste(Image.fromarray(synthetic.person(0, 5).image), (150, 30))
    picture.save(path)
    page.show(path)
    compare(both, path)
    page.change(lambda: page.page.click("#add"))
    # A quarter and an eighth in.
    compare(both, path, [[105, 38, 210, 225]])


def test_photographs(both):
    found = pages.photographs()
    if not found:
        pytest.skip(f"no {pages.COCO} in or above the checkout")
    for path in found:
        both[0].show(path)
        compare(both, path)
