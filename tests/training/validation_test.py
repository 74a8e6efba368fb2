"""Tests for what is measured on the validation split."""

import dataclasses

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
    read = validator.read()
    aucs = dict(zip(calibrate.BETAS, read.aucs, strict=True))
    assert read.beta == max(aucs, key=aucs.get) == read.figures["beta"]
    assert read.beta >= 10
    assert aucs[read.beta] > 80 > 30 > aucs[1.0]


def test_the_figures_are_those_at_the_chosen_beta_in_one_pass(validator):
    # The network is run at another beta, of which only the losses are.
    seen = []
    observe = validator.observe
    validator._observe = lambda *args: (
        seen.append(each[0]["source_id"]) or each for each in observe(*args)
    )
    read = validator.read()
    assert len(np.concatenate(seen)) == validator.records.people("val")
    validator._observe = observe
    flat = dataclasses.replace(validator.config, beta=1.0)
    sharp = dataclasses.replace(validator.config, beta=read.beta)
    found = {}
    for settings in (flat, sharp):
        observe.beta = settings.beta
        one = validation.Validator(settings, observe, validator.records)
        found[settings.beta] = one.read().figures
        assert "beta" not in found[settings.beta]
    observe.beta = 1.0
    for name, value in found[read.beta].items():
        assert read.figures[name] == pytest.approx(value, abs=1e-3)
    assert read.figures["auc"] > 2 * found[1.0]["auc"]


def test_the_scores_are_fitted_to_the_joints_as_they_are_read(validator):
    # Half a head covers several of these 64 pixels: sharp joints are right,
    # so that their scores rise to nearly 1.
    read = validator.read()
    before, after = read.calibration_error
    assert after < 0.1 < before
    assert read.slope > 0


@pytest.mark.parametrize("method", ["I1", "H1", "R1"])
def test_maps_that_are_nan_have_figures_and_no_calibration(validator, method):
    settings = dataclasses.replace(validator.config, method=method)

    def observe(*args):
        for people, crops, outputs in validator.observe(*args):
            outputs = {name: each * np.nan for name, each in outputs.items()}
            yield people, crops, outputs

    read = validation.Validator(settings, observe, validator.records).read()
    assert read.figures["pckh@0.5"] == read.figures["auc"] == 0
    assert (read.slope, read.offset) == (1.0, 0.0)
    assert read.calibration_error is None


def test_the_losses_are_those_of_the_phase(validator):
    losses = objectives.objectives(validator.config, "main")
    figures = validator.read(losses).figures
    assert set(figures) == {
        "heatmap", "joint", "loss", "pckh@0.5", "pckh@0.1", "auc", "beta",
    }  # fmt: skip
    total = figures["heatmap"] + figures["joint"]
    assert figures["loss"] == pytest.approx(total)
    # The joints of the losses are read at the beta of the training.
    validator.observe.beta = 20.0
    sharp = validator.read(losses).figures
    validator.observe.beta = 1.0
    assert sharp["joint"] < figures["joint"] / 2
    assert sharp["heatmap"] == figures["heatmap"]
    assert sharp["auc"] == figures["auc"]
