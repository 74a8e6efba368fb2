"""Tests for what is measured on the validation split."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import config
from integral_tf import coordinates
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.evaluation import calibrate
from integral_tf.ops import integral
from integral_tf.ops import targets
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from integral_tf.training import objectives
from integral_tf.training import validation
from tests import drawn


@pytest.fixture(scope="module")
def validator(tmp_path_factory):
    """A validator of a network that draws H1's target perfectly."""
    out = tmp_path_factory.mktemp("data") / "synthetic"
    drawn.records(out, 24, 0.4)
    settings = config.TrainConfig(
        method="I1", image_size=64, upsamplings=3, data=str(out)
    )
    crop = layers.PersonCrop(64, 64, skeletons.MPII.mirrored_order)

    def observe(records, split, batch_size):
        for people in batches.eval_batches(records, split, batch_size):
            crops = crop(batches.for_device(people))
            points = coordinates.crop_to_heatmap(crops["joints"], 4)
            maps = targets.gaussians(points, (16, 16))
            maps = tf.transpose(
                tf.reshape(maps, (-1, 16, 16, 16)), (0, 2, 3, 1)
            )
            read = integral.integrate(maps, observe.beta)
            outputs = {
                "heatmaps": maps,
                "joints": coordinates.heatmap_to_crop(read, 4),
                "scores": tf.reduce_max(maps, axis=(1, 2)),
            }
            yield people, crops, outputs

    observe.beta = 1.0
    made = validation.Validator(settings, observe, Records.open(out))
    made.observe = observe
    return made


def test_a_perfect_gaussian_map_needs_a_large_beta(validator):
    # At beta 1 the softmax of a map with peak 1 over 256 cells is nearly
    # flat, and the joint nearly the centre; at 10 the peak outweighs them.
    best, found = validator.best_beta()
    aucs = dict(zip(calibrate.BETAS, found, strict=True))
    assert best == max(aucs, key=aucs.get)
    assert best >= 10
    assert aucs[best] > 80 > 30 > aucs[1.0]


def test_whoever_reads_maps_better_has_more_hits(validator):
    flat, read_flat = validator.hits()
    validator.observe.beta = 20.0
    sharp, read_sharp = validator.hits()
    validator.observe.beta = 1.0
    # The score here is each map's maximum, whatever reads it; one for each
    # labelled joint, of which all but some cut ones are read to half a pixel.
    np.testing.assert_array_equal(flat, sharp)
    assert flat.shape == read_flat.shape == read_sharp.shape
    assert read_flat.mean() < 0.5 < 0.9 < read_sharp.mean()


def test_the_figures_are_those_of_the_phases_losses(validator):
    losses = objectives.objectives(validator.config, "main")
    figures = validator.figures(losses)
    assert set(figures) == {
        "heatmap", "joint", "loss", "pckh@0.5", "pckh@0.1", "auc",
    }  # fmt: skip
    total = figures["heatmap"] + figures["joint"]
    assert figures["loss"] == pytest.approx(total)
