"""Tests for the model that comes with the package, and for its card."""

import hashlib
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import integral_tf
from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.models import loading
from integral_tf.records import synthetic

ROOT = pathlib.Path(__file__).parent.parent
CARD = json.loads(loading.STARTER.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def estimate():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made = integral_tf.PoseEstimator()
    made.said = [str(each.message) for each in said]
    return made


def test_the_file_is_small_and_is_the_cards():
    data = loading.STARTER.read_bytes()
    assert len(data) == CARD["bytes"] <= 6_000_000
    assert hashlib.sha256(data).hexdigest() == CARD["sha256"]


def test_the_card_says_what_it_is_worth():
    for name, figure in (("lsp_extended", "PCKh@0.5"), ("coco", "AP50")):
        found = CARD["figures"][name]
        assert found["people"] > 90
        assert found["model"][figure] > found["mean_pose"][figure]
    value = CARD["figures"]["lsp_extended"]["model"]["PCKh@0.5"]
    assert f"PCKh@0.5 {value:.0f} on LSP-extended" in CARD["notice"]
    assert "docs/checkpoints.md" in CARD["notice"]
    assert "Apache-2.0" in CARD["licence"]
    assert "EfficientNet-Lite0" in CARD["licence"]


def test_the_page_has_the_cards_figures():
    page = (ROOT / "docs" / "starter.md").read_text()
    for who in ("model", "mean_pose"):
        pckh = CARD["figures"]["lsp_extended"][who]
        row = " | ".join(f"{pckh[n]}" for n in ("PCKh@0.5", "PCKh@0.1", "AUC"))
        assert row in page, row
        ap = CARD["figures"]["coco"][who]
        assert f"{ap['AP']} | {ap['AP50']}" in page


def test_it_says_once_that_it_answers(estimate):
    assert estimate.said == [CARD["notice"]]
    assert estimate.skeleton == skeletons.MPII


def test_it_finds_drawn_people_that_it_has_not_seen(estimate):
    # Seed 77 is in no records; the figure is far below what it has, and far
    # above that of the mean pose.
    people = [synthetic.person(77, index) for index in range(12)]
    found = [estimate(p.image, boxes=[p.box])[0].joints for p in people]
    truth = np.stack([p.joints for p in people])
    visible = np.stack([p.visible > 0 for p in people])
    boxes = np.stack([p.box for p in people])[:, None]
    sizes = np.array([p.head_size for p in people])
    # Of these very people, which flatters it.
    shares = (truth - boxes[..., :2]) / boxes[..., 2:]
    weights = visible[..., None]
    mean = (shares * weights).sum(0) / weights.sum(0)
    mean = boxes[..., :2] + mean * boxes[..., 2:]

    def pckh(joints):
        score = metrics.pckh(joints, truth, visible, sizes, skeletons.MPII)
        return score.at[0.5]

    assert pckh(np.stack(found)) > max(40, 1.4 * pckh(mean))


def test_predict_without_a_model_uses_it_and_says_so(tmp_path):
    from integral_tf.inference import draw

    draw.save(synthetic.person(77, 0).image, tmp_path / "photo.png")
    done = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), "--out=out",
         "--images=photo.png"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(CARD["notice"]) == 1
    (person,) = json.loads((tmp_path / "out" / "joints.json").read_text())
    assert len(person["keypoints"]) == 48


def test_an_installation_without_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(loading, "STARTER", tmp_path / "starter.keras")
    with pytest.raises(FileNotFoundError, match="name a model. Received"):
        integral_tf.PoseEstimator()
