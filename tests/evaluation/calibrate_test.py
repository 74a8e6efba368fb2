"""Tests for what `calibrate` takes as people, and what it refuses.

What beta is best is in models/integralize_test.py. Here the same people are
given in other forms, and the same beta comes back.
"""

import itertools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import integral_tf
from integral_tf import layers
from integral_tf.models import pose as poses

SIZE = 32
STRIDE = 4
JOINTS = 3


def pose(**kwargs):
    """Reads a picture's colours as heat maps, once they are pooled."""
    images = keras.Input((SIZE, SIZE, JOINTS))
    maps = keras.layers.AveragePooling2D(STRIDE)(images)
    return integral_tf.integralize(keras.Model(images, maps), **kwargs)


def people(count=8):
    """Pictures with a Gaussian of each joint in a colour of its own."""
    points = np.random.default_rng(1).uniform(6, SIZE - 6, (count, JOINTS, 2))
    y, x = np.mgrid[:SIZE, :SIZE]
    apart = (x - points[..., :1, None]) ** 2 + (y - points[..., 1:, None]) ** 2
    pictures = np.exp(-apart / (2 * 4**2)).transpose(0, 2, 3, 1)
    truth = np.concatenate([points, np.ones((count, JOINTS, 1))], axis=-1)
    return pictures.astype("float32"), truth.astype("float32")


class Sequence(keras.utils.PyDataset):
    def __init__(self, count):
        super().__init__()
        self.count = count

    @property
    def num_batches(self):
        return self.count

    def __getitem__(self, i):
        return people()


class Indexed:
    """Has a length, as datasets of other libraries do, and no iterator."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return tuple(each[4 * i : 4 * i + 4] for each in people())


def batches(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays or people()).batch(4)


@pytest.fixture(scope="module")
def wanted():
    """The calibration of `people`."""
    return integral_tf.calibrate(pose(), batches())


@pytest.mark.parametrize(
    "form",
    [
        lambda x, y: (x, y),
        lambda x, y: [x, y],
        lambda x, y: (x, y, np.ones(8)),
        lambda x, y: (x, {"joints": y, "heatmaps": y}),
        lambda x, y: [(x, y)],
        lambda x, y: ((x[:4], y[:4]), (x[4:], y[4:])),
        lambda x, y: iter([(x, y)]),
        lambda x, y: batches(x, y),
        lambda x, y: [(x, {"joints": y})],
        lambda x, y: [(x.astype("float64"), y.tolist())],
        lambda x, y: [(x[:0], y[:0]), (x, y)],
        lambda x, y: Sequence(1),
        lambda x, y: Indexed(),
    ],
)
def test_people_as_fit_takes_them(form, wanted):
    found = integral_tf.calibrate(pose(), form(*people()))
    assert found.beta == wanted.beta > 1
    np.testing.assert_allclose(found.errors, wanted.errors, rtol=1e-5)


def test_arrays_are_read_in_batches():
    pictures, truth = people(70)
    model = pose()
    sizes = []
    model.call = lambda images, **_: (
        sizes.append(len(images)),
        poses.PoseModel.call(model, images),
    )[1]
    integral_tf.calibrate(model, (pictures, truth))
    assert sizes == [32, 32, 6]


@pytest.mark.parametrize(
    "dataset",
    [
        lambda: batches().repeat(),
        lambda: Sequence(None),
        lambda: itertools.cycle([people()]),
        lambda: itertools.repeat(people()),
    ],
)
def test_a_dataset_without_an_end_needs_steps(dataset):
    with pytest.raises(ValueError, match="`dataset` has no end"):
        integral_tf.calibrate(pose(), dataset())
    found = integral_tf.calibrate(pose(), dataset(), steps=2)
    assert found.beta > 1


def test_steps_are_batches():
    read = []

    def generator():
        while True:
            read.append(1)
            yield people()

    integral_tf.calibrate(pose(), generator(), steps=3)
    assert len(read) == 3
    # Fewer that there are is no mistake.
    integral_tf.calibrate(pose(), itertools.repeat(people(), 2), steps=9)
    for steps in (0, -1, 1.5, "3", np.nan):
        with pytest.raises(ValueError, match="`steps` counts batches"):
            integral_tf.calibrate(pose(), batches(), steps=steps)


def test_a_generator_that_goes_on_and_on_is_told(monkeypatch):
    monkeypatch.setattr("integral_tf.evaluation.feed._MANY", 2)
    generator = (people() for _ in range(3))
    with pytest.warns(UserWarning, match="calibrate has read 2 batches"):
        integral_tf.calibrate(pose(), generator)


def altered(change):
    pictures, truth = people()
    truth = truth.copy()
    change(truth)
    return [(pictures, truth)]


def test_visibility_is_a_flag():
    wanted = integral_tf.calibrate(pose(), altered(lambda y: None))

    def change(truth):
        truth[..., 2] = 2
        truth[2:4, :, 2] = 0.5

    found = integral_tf.calibrate(pose(), altered(change))
    np.testing.assert_allclose(found.errors, wanted.errors)

    def hide(truth):
        truth[0, 0] = np.nan
        truth[1, 1] = (9e9, 9e9, -1)
        truth[2, 1] = (0, 0, np.nan)

    found = integral_tf.calibrate(pose(), altered(hide))
    assert np.isfinite(found.errors).all()


@pytest.mark.parametrize(
    "dataset, words",
    [
        (lambda x, y: [], "gives no batch"),
        (lambda x, y: iter(()), "gives no batch"),
        (lambda x, y: [(x, y[..., :2])], "append a column of ones"),
        (lambda x, y: [(x, y[:, :1])], r"here \(8, 3, 3\)"),
        (lambda x, y: [(x, y[:5])], r"y_true.shape=\(5, 3, 3\)"),
        (lambda x, y: None, "Received: NoneType"),
        (lambda x, y: [(x * np.nan, y)], "24 of 24 labelled joints"),
        (lambda x, y: [(x[:0], y[:0])], "no labelled joint"),
        (lambda x, y: [(x, y[0])], r"y_true.shape=\(3, 3\)"),
        (lambda x, y: [(x, {"heatmaps": y})], "a dict of heatmaps"),
        (lambda x, y: [{"images": x, "joints": y}], "dict as batch 1"),
        (lambda x, y: [x], r"ndarray of shape \(8, 32, 32, 3\) as batch 1"),
        (lambda x, y: (x, y[:5]), "Received: 5 and 8"),
        (lambda x, y: [(x, y * (1, 1, np.nan))], "visibility above 0"),
        (lambda x, y: [(x, y * (np.nan, 1, 1))], "joint 0 of person 0"),
        (lambda x, y: [(x, y / (SIZE, SIZE, 1))], "normalised"),
        (lambda x, y: [(x, y / (16, 16, 1) - (1, 1, 0))], "normalised"),
    ],
)
def test_people_that_are_not(dataset, words):
    model = pose()
    with pytest.raises(ValueError, match=words):
        integral_tf.calibrate(model, dataset(*people()))
    assert model.get_layer("integral").beta == 1  # nothing was set


@pytest.mark.parametrize(
    "factor, words", [(1 / STRIDE, "pixels of the maps"), (20, "photographs")]
)
def test_a_truth_in_other_pixels_is_told(factor, words):
    pictures, truth = people()
    truth[..., :2] *= factor
    with pytest.warns(UserWarning, match=words):
        integral_tf.calibrate(pose(), (pictures, truth))


def test_the_right_pixels_are_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        integral_tf.calibrate(pose(), people())


@pytest.mark.parametrize("reach", [np.nan, np.inf, 0, -1, "8", [8]])
def test_a_reach_that_is_none(reach):
    with pytest.raises(ValueError, match="`reach` is the crop pixels"):
        integral_tf.calibrate(pose(), people(), reach=reach)


def test_reach_is_a_sixteenth_of_the_longer_side():
    images = keras.Input((64, 32, 1))
    maps = keras.layers.AveragePooling2D((8, 4))(images)
    model = integral_tf.integralize(keras.Model(images, maps))
    truth = np.full((2, 1, 3), 20, "float32")
    pictures = np.random.default_rng(0).uniform(size=(2, 64, 32, 1))
    assert integral_tf.calibrate(model, (pictures, truth)).reach == 4


@pytest.mark.parametrize("shape", [(32, 2), (16, 16, 16, 2)])
def test_lines_and_volumes(shape):
    signals = keras.Input(shape)
    pool = {2: keras.layers.AveragePooling1D, 4: keras.layers.AveragePooling3D}
    network = keras.Model(signals, pool[len(shape)](2)(signals))
    model = integral_tf.integralize(network)
    dimensions = len(shape) - 1
    truth = np.full((4, 2, dimensions + 1), 5.5, "float32")
    places = np.indices(shape[:-1]) - 5.5
    peak = np.exp(-(places**2).sum(axis=0) / 8)[..., None]
    found = integral_tf.calibrate(
        model, (np.tile(peak, (4, *[1] * dimensions, 2)), truth)
    )
    assert found.beta > 1
    assert min(found.errors) < 0.1 < found.error_before


def test_coordinates_in_a_range_are_read_as_such():
    images = keras.Input((SIZE, SIZE, JOINTS))
    maps = keras.layers.AveragePooling2D(STRIDE)(images)
    read = integral_tf.IntegralRegression(confidence=True, output_range=(-1, 1))
    found = read(maps)
    scores = layers.ScoreCalibration()(found["confidence"])
    model = keras.Model(
        images,
        {"joints": found["joints"], "scores": scores, "heatmaps": maps},
    )
    pictures, truth = people()
    truth[..., :2] = (truth[..., :2] + 0.5) * 2 / SIZE - 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        got = integral_tf.calibrate(model, (pictures, truth))
    wanted = integral_tf.calibrate(pose(), people())
    assert got.reach == pytest.approx(2 / 16)
    assert got.beta == wanted.beta
    np.testing.assert_allclose(got.errors, wanted.errors / 16, rtol=1e-3)


def test_what_was_traced_before_follows():
    model = pose()
    pictures, truth = people()
    before = model.predict(pictures, verbose=0)["joints"]
    integral_tf.calibrate(model, (pictures, truth))
    after = model.predict(pictures, verbose=0)["joints"]
    assert np.abs(after - before).max() > 1
    np.testing.assert_allclose(after, model(pictures)["joints"], atol=1e-4)
