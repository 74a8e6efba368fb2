"""Tests for what is chosen after training."""

import keras
import numpy as np

from integral_tf.training import after_training
from tests import untrained
from tests.metrics import cases


class Seen:
    """A validator whose people were seen already."""

    def __init__(self, model, confidence, hits):
        self.layer = model.get_layer("score_calibration")
        self.confidence, self.true_hits = confidence, hits

    def hits(self):
        return np.asarray(self.layer(self.confidence)), self.true_hits


def test_a_models_scores_are_calibrated_once_and_saved(tmp_path, capsys):
    model = untrained.network("I1", 3)
    validator = Seen(model, *cases.drawn(2.5, -1))
    after_training.calibrate_scores(model, validator)
    layer = model.get_layer("score_calibration")
    first = layer.slope, layer.offset
    np.testing.assert_allclose(first, (2.5, -1), atol=0.15)
    # Again: of raw confidences, so the same.
    after_training.calibrate_scores(model, validator)
    np.testing.assert_allclose((layer.slope, layer.offset), first, atol=1e-3)
    assert "expected calibration error" in capsys.readouterr().out
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3))
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again(images)["scores"], model(images)["scores"], atol=1e-6
    )
