"""Tests for heat-map networks made integral.

The networks are not this package's. Where their numbers matter they put out
maps that are worked out by hand.
"""

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf import layers
from integral_tf.ops import targets
from tests import numpy_reference

SIZE, STRIDE, JOINTS = 64, 4, 5


def hourglass():
    """Down, up, and the maps of two stages, as others write it."""
    images = keras.Input((SIZE, SIZE, 3), name="picture")
    x = keras.layers.Conv2D(8, 3, 2, "same", activation="relu")(images)
    skip = keras.layers.Conv2D(8, 3, 2, "same", activation="relu")(x)
    x = keras.layers.MaxPooling2D()(skip)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = keras.layers.UpSampling2D()(x) + skip
    first = keras.layers.Conv2D(JOINTS, 1, name="first")(x)
    x = keras.layers.Concatenate()([x, first])
    last = keras.layers.Conv2D(JOINTS, 1, name="last")(x)
    return keras.Model(images, {"first": first, "last": last})


class Subclassed(keras.Model):
    """A network written as a class, whose only output is the maps."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(JOINTS, 3, STRIDE, "same")

    def call(self, images):
        return self.maps(images)


def images():
    return np.random.default_rng(0).uniform(0, 1, (2, SIZE, SIZE, 3))


def expectation(maps, beta=1.0):
    """The joints of `numpy_reference`, in the crop."""
    points = numpy_reference.joints(maps, beta)
    return (points + 0.5) * (SIZE / maps.shape[2]) - 0.5


@pytest.mark.parametrize("layer", ["last", "first"])
def test_reads_the_named_maps(layer):
    network = hourglass()
    pose = integral_tf.integralize(network, layer, beta=3.0)
    outputs = pose(images())
    maps = network(images())[layer]
    np.testing.assert_allclose(outputs["heatmaps"], maps, atol=1e-6)
    np.testing.assert_allclose(
        outputs["joints"], expectation(maps, 3.0), atol=1e-3
    )
    assert outputs["scores"].shape == (2, JOINTS)
    # The same weights, not a copy of them.
    weights = layers.network_weights(pose)
    assert {id(w) for w in weights} <= {id(w) for w in network.weights}


def test_a_layer_inside_and_a_model_with_one_output():
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(JOINTS, 3, STRIDE, "same", name="scores"),
            keras.layers.Activation("sigmoid"),
        ]
    )
    before = integral_tf.integralize(network, layer="scores")
    assert before.get_layer("integral").stride == STRIDE
    scores = network.get_layer("scores")(images())
    np.testing.assert_allclose(before(images())["heatmaps"], scores, atol=1e-6)
    same = integral_tf.integralize(network, network.get_layer("scores"))
    np.testing.assert_array_equal(
        same(images())["joints"], before(images())["joints"]
    )
    behind = integral_tf.integralize(network)
    np.testing.assert_allclose(
        behind(images())["heatmaps"], network(images()), atol=1e-6
    )


def test_a_model_written_as_a_class():
    network = Subclassed()
    network(images())
    pose = integral_tf.integralize(network)
    np.testing.assert_allclose(
        pose(images())["joints"], expectation(network(images())), atol=1e-3
    )


def test_maps_that_are_normalised_already():
    # The softmax of a map's logarithm is the map.
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(JOINTS, 3, STRIDE, "same"),
            keras.layers.Reshape((-1, JOINTS)),
            keras.layers.Softmax(axis=1),
            keras.layers.Reshape((SIZE // STRIDE, SIZE // STRIDE, JOINTS)),
        ]
    )
    pose = integral_tf.integralize(network, probabilities=True)
    share = np.asarray(network(images()))
    np.testing.assert_allclose(share.sum(axis=(1, 2)), 1, atol=1e-5)
    np.testing.assert_allclose(
        pose(images())["joints"], expectation(np.log(share)), atol=1e-3
    )


def test_channels_first():
    # Written without a convolution, which TensorFlow's CPU has no kernel for.
    maps = keras.Input((3, SIZE, SIZE))
    pooled = keras.ops.transpose(maps, (0, 2, 3, 1))
    pooled = keras.layers.AveragePooling2D(STRIDE)(pooled)
    network = keras.Model(maps, keras.ops.transpose(pooled, (0, 3, 1, 2)))
    pose = integral_tf.integralize(network, data_format="channels_first")
    pictures = 20 * images().transpose(0, 3, 1, 2)
    out = pose(pictures)
    first = np.asarray(network(pictures)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(out["heatmaps"], first, atol=1e-5)
    np.testing.assert_allclose(out["joints"], expectation(first), atol=1e-3)


def test_survives_a_file(tmp_path):
    pose = integral_tf.integralize(hourglass(), "last", background=0.0)
    pose.save(tmp_path / "pose.keras")
    loaded = keras.saving.load_model(tmp_path / "pose.keras")
    np.testing.assert_allclose(
        loaded(images())["joints"], pose(images())["joints"], atol=1e-5
    )


@pytest.mark.parametrize(
    "kwargs, words",
    [
        pytest.param({}, "not just one output", id="two it could be"),
        pytest.param({"layer": "middle"}, "layer='middle'", id="no such"),
        pytest.param(
            {"layer": "last", "data_format": "NCHW"}, "NCHW", id="format"
        ),
        pytest.param(
            {"layer": keras.layers.Conv2D(3, 1, name="last")},
            "which is none of them",
            id="another model's layer",
        ),
        pytest.param(
            {"layer": "last", "probabilities": True, "background": 0.0},
            "background=0.0",
            id="a background of probabilities",
        ),
    ],
)
def test_says_what_it_cannot_tell(kwargs, words):
    with pytest.raises(ValueError, match=words):
        integral_tf.integralize(hourglass(), **kwargs)


def test_says_that_the_sizes_are_open():
    network = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(JOINTS, 3)]
    )
    with pytest.raises(ValueError, match="`stride` is the crop pixels"):
        integral_tf.integralize(network)
    pose = integral_tf.integralize(network, stride=2)
    assert pose(images())["joints"].shape == (2, JOINTS, 2)


def test_says_that_the_sizes_do_not_divide():
    # 13 cells that step by 8 pixels cover 104 of 100: 100 / 13 is no stride.
    network = keras.Sequential(
        [
            keras.Input((100, 100, 3)),
            keras.layers.Conv2D(JOINTS, 3, 8, "same"),
        ]
    )
    with pytest.raises(ValueError, match="do not divide"):
        integral_tf.integralize(network)


def test_a_layer_that_is_called_twice_is_no_answer():
    images = keras.Input((SIZE, SIZE, 3))
    shared = keras.layers.Conv2D(3, 3, padding="same", name="shared")
    network = keras.Model(images, shared(shared(images)))
    with pytest.raises(ValueError, match="which is shared .*, shared "):
        integral_tf.integralize(network, "shared")
    # By its place among the outputs there is no doubt.
    last = integral_tf.integralize(network)
    pictures = np.ones((2, SIZE, SIZE, 3), "float32")
    np.testing.assert_allclose(
        last(pictures)["heatmaps"], network(pictures), atol=1e-5
    )


def test_gives_the_covariance_too():
    pose = integral_tf.integralize(hourglass(), "last", covariance=True)
    assert pose(images())["covariance"].shape == (2, JOINTS, 2, 2)


def test_says_that_maps_have_four_axes():
    network = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(name="flat")]
    )
    with pytest.raises(ValueError, match="Heat maps have four axes"):
        integral_tf.integralize(network, "flat")
    with pytest.raises(TypeError, match="keras.Model of Keras 3"):
        integral_tf.integralize(lambda x: x)


def people(count):
    """Drawn pictures, a Gaussian per joint and colour, and where they are."""
    rng = np.random.default_rng(1)
    points = rng.uniform(8, SIZE - 8, (count, 3, 2)).astype("float32")
    maps = np.asarray(targets.gaussians(points, (SIZE, SIZE), sigma=4.0))
    pictures = maps.reshape(count, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
    seen = np.ones((count, 3, 1), "float32")
    return pictures, np.concatenate([points, seen], axis=-1)


def test_calibrated_and_trained_on():
    # A network that was trained to draw Gaussians of peak 1, and draws them.
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.AveragePooling2D(STRIDE),
            keras.layers.Conv2D(3, 1),
        ]
    )
    network.set_weights([np.eye(3)[None, None], np.zeros(3)])
    pose = integral_tf.integralize(network)
    pictures, truth = people(32)
    dataset = [(pictures[i : i + 8], truth[i : i + 8]) for i in (0, 8, 16, 24)]

    def error():
        got = pose.predict(pictures, verbose=0)["joints"]
        return np.linalg.norm(got - truth[..., :2], axis=-1).mean()

    # Such maps are nearly flat to a softmax: joints are in the middle.
    flat = error()
    assert flat > 10
    found = integral_tf.calibrate(pose, dataset)
    assert found.beta == pose.get_layer("integral").beta > 5
    assert found.reach == SIZE / 16
    # `predict` was traced before: it has to see the new beta.
    calibrated = error()
    assert calibrated < 1.0
    np.testing.assert_allclose(min(found.errors), calibrated, atol=1e-3)
    assert found.calibration_error < found.calibration_error_before
    # Then the whole network is trained by the joints, with Keras's own `fit`.
    pose.compile(
        keras.optimizers.Adam(0.01),
        loss={"joints": integral_tf.losses.JointL1()},
        jit_compile=False,
    )
    labels = {"joints": truth}
    pose.fit(pictures, labels, batch_size=8, epochs=4, verbose=0)
    assert error() < calibrated


def test_calibration_keeps_what_is_better():
    # Two pixels with scores 3 and 2, and the joint where a beta of 0.7 has it.
    network = keras.Sequential(
        [keras.Input((SIZE, SIZE, 1)), keras.layers.Activation("linear")]
    )
    pose = integral_tf.integralize(network, beta=0.7)
    maps = np.full((1, SIZE, SIZE, 1), -99.0)
    maps[0, 30, 10], maps[0, 30, 20] = 3.0, 2.0
    share = 1 / (1 + np.exp(-0.7))
    truth = np.array([[[10 * share + 20 * (1 - share), 30.0, 1.0]]])
    found = integral_tf.calibrate(pose, [(maps.astype("float32"), truth)])
    assert found.beta == pose.get_layer("integral").beta == 0.7
    assert found.error_before <= found.errors.min() and len(found.errors) == 21
    # Calibrated again: the scores before are those that it left.
    again = integral_tf.calibrate(pose, [(maps.astype("float32"), truth)])
    assert again.calibration_error_before == pytest.approx(
        found.calibration_error
    )


def test_calibration_refuses_maps_that_are_softmaxed():
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Reshape((-1, 3)),
            keras.layers.Softmax(axis=1),
            keras.layers.Reshape((SIZE, SIZE, 3)),
        ]
    )
    with pytest.raises(ValueError, match="softmaxed twice"):
        integral_tf.calibrate(integral_tf.integralize(network), [people(2)])
    integral_tf.calibrate(
        integral_tf.integralize(network, probabilities=True), [people(2)]
    )


def test_calibration_needs_people_and_maps():
    pose = integral_tf.integralize(hourglass(), "last")
    beta = pose.get_layer("integral").beta
    hidden = np.zeros((2, JOINTS, 3))
    with pytest.raises(ValueError, match="no labelled joint"):
        integral_tf.calibrate(pose, [(images(), hidden)])
    with pytest.raises(ValueError, match=r"here \(2, 5, 3\): x, y of"):
        integral_tf.calibrate(pose, [(images(), np.zeros((2, 3, 3)))])
    assert pose.get_layer("integral").beta == beta
    with pytest.raises(ValueError, match="integralize makes one"):
        integral_tf.calibrate(
            integral_tf.pose_model(
                "H1", "resnet18", 5, 64, width_multiplier=0.125
            ),
            [],
        )
    plain = keras.Sequential(
        [keras.Input((8, 8, 1)), integral_tf.IntegralRegression()]
    )
    with pytest.raises(ValueError, match="integralize makes one"):
        integral_tf.calibrate(plain, [])
