"""Tests for the single-stage networks."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from integral_tf import layers
from integral_tf import losses
from integral_tf import models
from integral_tf.models import backbone as backbones
from tests import numpy_reference
from tests import untrained

ROOT = pathlib.Path(__file__).parent.parent.parent
WITH_MAPS = ("H1", "I1", "I*")


def tiny(method, image_size=64, **kwargs):
    """A tiny network; maps of 8 x 8 at stride 8."""
    keras.utils.set_random_seed(0)
    return untrained.network(method, 3, image_size=image_size, **kwargs)


def with_peaks(model):
    """Enlarges the scores, which start near 0, so that maps have peaks."""
    score = model.get_layer("heatmap_head").score
    score.kernel.assign(score.kernel * 300)
    return model


def crops(count=2, height=64, width=64):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, height, width, 3)).astype("float32")


def run(model, images):
    return {k: np.asarray(v) for k, v in model(images).items()}


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    """A backbone and the file of its weights."""
    keras.utils.set_random_seed(7)
    backbone = backbones.build("resnet18", (64, 64), width_multiplier=0.125)
    path = tmp_path_factory.mktemp("weights") / "backbone.weights.h5"
    backbone.save_weights(path)
    return backbone, path


@pytest.mark.parametrize("method", ["H1", "R1", "I1", "I*", "SimCC"])
def test_outputs_have_names_and_shapes(method):
    model = tiny(method)
    shapes = {"joints": (2, 3, 2), "scores": (2, 3)}
    if method in WITH_MAPS:
        shapes["heatmaps"] = (2, 8, 8, 3)
    if method == "SimCC":
        shapes |= {"x": (2, 128, 3), "y": (2, 128, 3)}
    outputs = run(model, crops())
    assert {k: v.shape for k, v in outputs.items()} == shapes
    assert {k: v.shape for k, v in model.output.items()} == {
        k: (None, *shape[1:]) for k, shape in shapes.items()
    }
    for output in outputs.values():
        assert output.dtype == "float32"
        assert np.isfinite(output).all()
    assert (outputs["scores"] >= 0).all() and (outputs["scores"] <= 1).all()


@pytest.mark.parametrize("method", ["H1", "R1", "I1"])
def test_outputs_stay_in_float32_under_mixed_precision(method):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = tiny(method)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("backbone").output.dtype == "float16"
    for output in run(model, crops()).values():
        assert output.dtype == "float32"
        assert np.isfinite(output).all()


def test_h1_reads_each_map_at_its_maximum():
    outputs = run(with_peaks(tiny("H1")), crops(4))
    maps = outputs["heatmaps"]
    for person, joint in np.ndindex(4, 3):
        one = maps[person, :, :, joint]
        row, column = np.unravel_index(np.argmax(one), one.shape)
        # Middle of an 8 x 8 cell of the crop.
        expected = 8 * column + 3.5, 8 * row + 3.5
        np.testing.assert_allclose(outputs["joints"][person, joint], expected)
        score = outputs["scores"][person, joint]
        assert score == pytest.approx(np.clip(one.max(), 0, 1), abs=2e-6)
    assert len(np.unique(outputs["joints"])) > 4  # the maps had peaks


@pytest.mark.parametrize(
    "method, beta, upsamplings",
    [("I1", 1.0, 2), ("I1", 10.0, 2), ("I*", 1.0, 3)],
)
def test_integral_methods_read_each_maps_expectation(method, beta, upsamplings):
    model = with_peaks(tiny(method, beta=beta, upsamplings=upsamplings))
    outputs = run(model, crops(4))
    maps = outputs["heatmaps"]
    side = 2 * 2**upsamplings
    assert maps.shape == (4, side, side, 3)

    points = numpy_reference.joints(maps, beta)
    expected = (points + 0.5) * (64 / side) - 0.5
    assert np.ptp(expected) > 1  # the maps had peaks
    np.testing.assert_allclose(outputs["joints"], expected, atol=1e-3)


def test_simcc_reads_the_maximum_of_each_axis():
    model = with_peaks(tiny("SimCC", image_size=(64, 96)))
    outputs = run(model, crops(4, 64, 96))
    lines = [np.float64(outputs[axis]) for axis in "xy"]
    assert [line.shape for line in lines] == [(4, 192, 3), (4, 128, 3)]
    # The middle of half a pixel.
    points = [(line.argmax(axis=1) + 0.5) / 2 - 0.5 for line in lines]
    np.testing.assert_allclose(outputs["joints"], np.stack(points, axis=-1))
    assert len(np.unique(points)) > 4  # the lines had peaks
    shares = [
        np.exp(line) / np.exp(line).sum(axis=1)[:, None] for line in lines
    ]
    confidence = np.min([share.max(axis=1) for share in shares], axis=0)
    np.testing.assert_allclose(outputs["scores"], confidence, rtol=1e-4)


def test_r1_starts_at_the_middle_and_is_always_sure():
    model = tiny("R1", image_size=(64, 96))
    images = crops(4, 64, 96)
    middle = np.broadcast_to([47.5, 31.5], (4, 3, 2))
    # In training, where the backbone's norms keep its features small.
    first = model(images, training=True)["joints"]
    np.testing.assert_allclose(first, middle, atol=5)

    kernel = model.get_layer("joint_head").dense.kernel
    kernel.assign(0 * kernel)
    outputs = run(model, images)
    np.testing.assert_allclose(outputs["joints"], middle, atol=1e-4)
    np.testing.assert_array_equal(outputs["scores"], 1)


def test_i1_and_i_star_are_one_network():
    first, second = tiny("I1"), tiny("I*")
    second.set_weights(first.get_weights())
    images = crops()
    np.testing.assert_array_equal(
        first(images)["joints"], second(images)["joints"]
    )


def test_height_comes_before_width():
    # Twice as wide as high; the joint is at the last column and first row.
    model = tiny("H1", image_size=(64, 128))
    assert model.input_shape == (None, 64, 128, 3)
    assert model.output["heatmaps"].shape == (None, 8, 16, 3)
    maps = np.zeros((1, 8, 16, 3), "float32")
    maps[0, 0, 15] = 1.0
    joints = model.get_layer("argmax")(maps)["joints"]
    np.testing.assert_array_equal(joints[0, 0], (15 * 8 + 3.5, 3.5))


def test_images_are_centred_inside_of_the_model():
    model, images = tiny("I1"), crops()
    expected = keras.applications.resnet.preprocess_input(images.copy())

    centred = keras.Model(model.input, model.get_layer("centering").output)
    np.testing.assert_allclose(centred(images), expected, atol=1e-4)

    # The backbone sees exactly this.
    features = model.get_layer("backbone")(expected)
    heatmaps = model.get_layer("heatmap_head")(features)
    np.testing.assert_allclose(model(images)["heatmaps"], heatmaps, atol=1e-6)


def test_bytes_are_images_too():
    model = with_peaks(tiny("I1"))
    images = crops().astype("uint8")
    np.testing.assert_allclose(
        model(images)["joints"],
        model(images.astype("float32"))["joints"],
        atol=1e-5,
    )


def test_resnet18_is_the_known_one():
    # He et al., Table 1: kernels first, in torch's ResNet-18 11,166,912.
    kernels = 7 * 7 * 3 * 64 + 4 * 3 * 3 * 64 * 64
    normalised = 64 + 4 * 64  # channels with a norm behind them
    for fewer, filters in ((64, 128), (128, 256), (256, 512)):
        kernels += fewer * filters  # the shortcut
        kernels += 3 * 3 * fewer * filters + 3 * 3 * 3 * filters**2
        normalised += 5 * filters
    assert (kernels, normalised) == (11_166_912, 4_800)
    # torchvision's 11,689,512 with its classifier; a norm trains two numbers.
    assert kernels + 2 * normalised + 512 * 1000 + 1000 == 11_689_512

    model = backbones.build("resnet18", (64, 64))
    # As in keras.applications, a convolution has a bias, and a norm counts
    # its two moving moments.
    assert model.count_params() == kernels + 5 * normalised == 11_190_912
    assert model.output_shape == (None, 2, 2, 512)


@pytest.mark.parametrize(
    "backbone, head_input, millions",
    [("resnet18", 512, 14.33), ("resnet50", 2048, 33.03)],
)
def test_networks_have_the_known_number_of_parameters(
    backbone, head_input, millions
):
    model = models.pose_model("I1", backbone, image_size=64)
    # The size of the image changes nothing.
    weights = layers.network_weights(model)
    parameters = sum(np.prod(weight.shape) for weight in weights)
    assert parameters / 1e6 == pytest.approx(millions, rel=0.01)
    head = 16 * head_input * 256 + 16 * 256 * 256 + 2 * 4 * 256 + 257 * 16
    bare = backbones.build(backbone, (64, 64)).count_params()
    assert parameters == bare + head
    # Beta, and the slope and the offset of the scores.
    assert model.count_params() == parameters + 3


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "I9"}, "row of Table 2, or SimCC: .*Received: method='I9'"),
        (
            {"backbone": "resnet19"},
            "nearest names are resnet18, .*backbone='resnet19'",
        ),
        (
            {"backbone": "resnet18", "weights": "imagenet"},
            "no ImageNet weights for ResNet-18.*weights='imagenet'",
        ),
        (
            {"width_multiplier": 0.5},
            "Only resnet18.*backbone='resnet50', width_multiplier=0.5",
        ),
        *(
            (
                {"image_size": size},
                f"multiples of 32.*Received: image_size={size!r}".replace(
                    "(", r"\("
                ).replace(")", r"\)"),
            )
            for size in (100, 0, -64, 64.0, "64", None, (64,), (64, 100))
        ),
        ({"joints": 0, "backbone": "resnet18"}, "Received: joints=0"),
        (
            {"upsamplings": -1, "backbone": "resnet18"},
            "Received: upsamplings=-1",
        ),
        ({"beta": 0, "backbone": "resnet18"}, "Received: beta=0"),
    ],
)
def test_rejects_what_it_does_not_know(arguments, message):
    arguments = {"image_size": 64, **arguments}
    with pytest.raises(ValueError, match=message):
        models.pose_model(**arguments)


def test_weights_of_a_file_go_to_the_backbone(weights_file):
    backbone, path = weights_file
    model = tiny("I1", backbone="resnet18", weights=path)
    loaded = model.get_layer("resnet18").get_weights()
    assert len(loaded) == len(backbone.get_weights()) > 100
    for got, wanted in zip(loaded, backbone.get_weights()):
        np.testing.assert_array_equal(got, wanted)
    # Not by chance: without the file they are others.
    kernel = (
        tiny("I1", backbone="resnet18").get_layer("resnet18").get_weights()[0]
    )
    assert not np.array_equal(kernel, loaded[0])


# Keras warns of every container before it raises.
@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_width_are_refused_in_one_sentence(weights_file):
    _, path = weights_file
    with pytest.raises(ValueError, match=r"Received: weights=") as caught:
        models.pose_model("I1", "resnet18", image_size=64, weights=path)
    assert "resnet18" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5", "a.txt"])
def test_a_file_that_is_no_weights_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text("not weights")
    with pytest.raises(ValueError, match=f"Received: weights='{path}'$"):
        tiny("I1", backbone="resnet18", weights=str(path))


def test_a_missing_weights_file_is_named(tmp_path):
    path = tmp_path / "none.weights.h5"
    with pytest.raises(FileNotFoundError, match="Received: weights=.*none"):
        tiny("I1", backbone="resnet18", weights=path)


def reload(*paths):
    """Runs saved models in a process of their own; their outputs on `crops`."""
    code = (
        "import sys, integral_tf, keras, numpy as np\n"
        "images = np.load(sys.argv[1])\n"
        "for path in sys.argv[2:]:\n"
        "    outputs = keras.saving.load_model(path)(images)\n"
        "    outputs = {k: np.array(v) for k, v in outputs.items()}\n"
        "    np.savez(path + '.npz', **outputs)\n"
    )
    images = paths[0].with_suffix(".npy")
    np.save(images, crops())
    subprocess.run(
        [sys.executable, "-c", code, images, *paths], cwd=ROOT, check=True
    )
    for path in paths:
        with np.load(f"{path}.npz") as outputs:
            yield dict(outputs)


@pytest.mark.parametrize("method", ["H1", "R1", "I1"])
def test_a_saved_model_reloads(tmp_path, method):
    model = tiny(method, image_size=(64, 96))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.name == model.name
    expected = run(model, crops(2, 64, 96))
    for name, output in run(again, crops(2, 64, 96)).items():
        np.testing.assert_allclose(output, expected[name], atol=1e-5)


def compile_as_a_user_would(model):
    model.compile(
        optimizer="sgd",
        loss={
            "joints": losses.JointL1(),
            "heatmaps": losses.GaussianSquaredError(stride=8),
        },
    )


def test_a_saved_model_needs_only_the_package_imported(tmp_path):
    model = with_peaks(tiny("I1"))
    model.save(tmp_path / "model.keras")
    compile_as_a_user_would(model)
    model.save(tmp_path / "compiled.keras")
    expected = run(model, crops())
    for outputs in reload(
        tmp_path / "model.keras", tmp_path / "compiled.keras"
    ):
        assert set(outputs) == {"joints", "scores", "heatmaps"}
        for name, output in outputs.items():
            np.testing.assert_allclose(output, expected[name], atol=1e-4)


def test_fit_takes_losses_by_the_outputs_names():
    model = with_peaks(tiny("I1"))
    compile_as_a_user_would(model)
    truth = np.random.default_rng(1).uniform(0, 64, (4, 3, 3))
    truth[..., 2] = 1
    targets = {"joints": truth, "heatmaps": truth}
    before = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    # As `fit` will see them: in training mode, before the first step.
    outputs = model(crops(4), training=True)
    expected = {
        name: float(model.loss[name](truth, outputs[name]))
        for name in ("joints", "heatmaps")
    }

    history = model.fit(
        crops(4),
        targets,  # and none for `scores`
        batch_size=4,
        epochs=2,
        verbose=0,
    ).history

    assert set(history) == {"loss", "joints_loss", "heatmaps_loss"}
    for name, value in expected.items():
        assert history[f"{name}_loss"][0] == pytest.approx(value, rel=1e-3)
    total = history["joints_loss"][0] + history["heatmaps_loss"][0]
    assert history["loss"][0] == pytest.approx(total, rel=1e-5)
    assert np.isfinite(history["loss"]).all()
    changed = [
        not np.array_equal(old, new)
        for old, new in zip(before, model.trainable_weights)
    ]
    assert sum(changed) > len(changed) / 2
