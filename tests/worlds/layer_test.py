"""The layer in whichever Keras this is: the same file in every world.

One test, or more, for each column of the matrix in docs/layer.md: forward,
gradient, fit, save/load, mixed precision, jit, export. Points are checked
against NumPy's float64, written out pixel by pixel below.
"""

import os

import numpy as np
import pytest

import integral_tf
from integral_tf import losses
from integral_tf import metrics
from integral_tf.keras_version import keras
from integral_tf.keras_version import LEGACY
from tests.worlds import processes

BACKEND = "tensorflow" if LEGACY else keras.backend.backend()
STRIDE = 4
JOINTS = 16  # MPII's
# Pixels of the crop: what the layer may differ by.
CLOSE = 1e-4
OPTIONS = {
    "plain": {},
    "beta": {"beta": 7.5},
    "background": {"beta": 8.0, "background": 0.0},
    "window": {"beta": 2.0, "window": 3},
    "channels_first": {"data_format": "channels_first"},
}

# How an artifact is read, from `folder`, for `pictures`; to `joints`.
SAVED_MODEL = """
import tensorflow as tf
loaded = tf.saved_model.load(folder + "/model")
joints = loaded.serve(tf.constant(pictures))["joints"].numpy()
"""
STABLEHLO = """
import jax
from jax import export
with open(folder + "/model", "rb") as file:
    joints = export.deserialize(file.read()).call(pictures)
"""
PT2 = """
import torch
loaded = torch.export.load(folder + "/model.pt2").module()
joints = loaded(torch.tensor(pictures))["joints"].detach().numpy()
"""
LOSSES = {
    "BinaryCrossEntropy": 0.703115,
    "GaussianCrossEntropy": 4.56727,
    "GaussianDivergence": 0.396355,
    "GaussianSquaredError": 5.29201,
    "JointL1": 0.721666,
    "JointL2": 0.8871,
    "OneHotCrossEntropy": 4.60607,
    "VarianceError": 134.427,
}


def blobs(seed=0, batch=2, height=8, width=12, joints=3):
    """Heat maps with a Gaussian of peak 1 somewhere, `(B, H, W, K)` float32."""
    draw = np.random.default_rng(seed).uniform
    y, x = np.mgrid[:height, :width][..., None, None]
    apart = (x - draw(1, width - 2, (batch, joints))) ** 2
    apart = apart + (y - draw(1, height - 2, (batch, joints))) ** 2
    return np.exp(-apart / 2).transpose(2, 0, 1, 3).astype("float32")


def shares(maps, beta=1.0, background=None, window=None):
    """What each pixel weighs in the expectation, `(B, H, W, K)` float64."""
    weights = np.zeros(maps.shape)
    y, x = np.mgrid[: maps.shape[1], : maps.shape[2]]
    for b, k in np.ndindex(maps.shape[0], maps.shape[3]):
        scores = beta * maps[b, :, :, k].astype("float64")
        top = scores.max()
        mass = np.exp(scores - top)
        if background is not None:  # an empty pixel weighs nothing
            mass -= np.exp(beta * background - top)
        if window is not None:
            row, column = np.unravel_index(scores.argmax(), scores.shape)
            near = np.maximum(abs(y - row), abs(x - column)) <= window // 2
            mass *= near
        weights[b, :, :, k] = mass / mass.sum()
    return weights


def expected(maps, **options):
    """`(B, K, 2)` float64 in the crop: Eq. (6), pixel by pixel."""
    weights = shares(maps, **options)
    y, x = np.mgrid[: maps.shape[1], : maps.shape[2]]
    points = [np.einsum("bhwk,hw->bk", weights, axis) for axis in (x, y)]
    # Cell 0 covers crop pixels 0 to 3, so its centre is 1.5.
    return np.stack(points, axis=-1) * STRIDE + (STRIDE - 1) / 2


def array(tensor):
    if LEGACY:
        return np.asarray(tensor)
    return keras.ops.convert_to_numpy(tensor)


def read(maps, **options):
    """The layer's points, and NumPy's."""
    layer = integral_tf.IntegralRegression(stride=STRIDE, **options)
    first = options.pop("data_format", "channels_last") == "channels_first"
    given = maps.transpose(0, 3, 1, 2) if first else maps
    return array(layer(given)), expected(maps, **options)


def gradient_of(layer, maps, upstream):
    """d sum(upstream * joints) / d maps, by the backend's differentiation."""
    if BACKEND == "jax":
        import jax

        return jax.grad(lambda maps: (layer(maps) * upstream).sum())(maps)
    if BACKEND == "torch":
        import torch

        maps = torch.tensor(maps, requires_grad=True)
        (layer(maps) * torch.tensor(upstream)).sum().backward()
        return maps.grad
    import tensorflow as tf

    maps = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = tf.reduce_sum(layer(maps) * upstream)
    return tape.gradient(total, maps)


def compiled(function):
    """A function of one array, by the backend's compiler."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    if BACKEND == "torch":
        import torch

        return torch.compile(function, fullgraph=True)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def network(**options):
    """A functional model from pictures to maps and joints."""
    pictures = keras.Input((8, 12, JOINTS))
    maps = keras.layers.Conv2D(JOINTS, 3, padding="same", name="maps")(pictures)
    layer = integral_tf.IntegralRegression(
        stride=STRIDE, name="joints", **options
    )
    return keras.Model(pictures, {"maps": maps, "joints": layer(maps)})


class Subclassed(keras.Model):
    """The same, without the maps."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(JOINTS, 3, padding="same")
        self.joints = integral_tf.IntegralRegression(stride=STRIDE)

    def call(self, pictures):
        return self.joints(self.maps(pictures))


def sequential():
    return keras.Sequential(
        [
            keras.Input((8, 12, JOINTS)),
            keras.layers.Conv2D(JOINTS, 3, padding="same"),
            integral_tf.IntegralRegression(stride=STRIDE),
        ]
    )


def people():
    """Pictures whose channels are the joints' blobs, and labelled joints."""
    pictures = blobs(seed=1, batch=8, joints=JOINTS)
    joints = expected(pictures, beta=30.0).astype("float32")
    return pictures, np.pad(joints, [(0, 0), (0, 0), (0, 1)], constant_values=1)


def test_this_is_the_world_that_was_asked_for():
    worlds = {
        "jax": ("keras", "jax"),
        "torch": ("keras", "torch"),
        "modelgarden": ("tf_keras", "tensorflow"),
        "addons": ("keras", "tensorflow"),
    }
    asked = os.environ.get("WORLD")
    wanted = worlds.get(asked, ("keras", "tensorflow"))
    assert (keras.__name__, BACKEND) == wanted
    assert LEGACY == (asked in ("modelgarden", "addons"))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_forward(options):
    got, want = read(blobs(), **options)
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, want, atol=CLOSE)


@pytest.mark.parametrize("name", OPTIONS)
def test_forward_of_nobody(name):
    # A detector found no person: a batch of 0 crops.
    layer = integral_tf.IntegralRegression(confidence=True, **OPTIONS[name])
    outputs = layer(np.zeros((0, 8, 12, 3), "float32"))
    joints = 8 if "data_format" in OPTIONS[name] else 3
    assert outputs["joints"].shape == (0, joints, 2)


@pytest.mark.parametrize("base", [-1e4, 1e4])
def test_forward_of_huge_scores(base):
    maps = np.random.default_rng(0).normal(base, 2, (2, 8, 12, 3))
    got, want = read(maps.astype("float32"))
    np.testing.assert_allclose(got, want, atol=CLOSE)


def test_forward_of_huge_differences():
    maps = np.random.default_rng(0).uniform(-1e4, 1e4, (2, 8, 12, 3))
    got, want = read(maps.astype("float32"))
    np.testing.assert_allclose(got, want, atol=CLOSE)


def test_forward_of_a_large_map():
    # A softmax that sums to 1.00003 moves it by more.
    maps = np.random.default_rng(0).normal(size=(1, 1024, 600, 1)) * 3
    got, want = read(maps.astype("float32"))
    np.testing.assert_allclose(got, want, rtol=0, atol=STRIDE * CLOSE)


@pytest.mark.parametrize("value, where", [(np.inf, 1), (-np.inf, 0)], ids=str)
def test_forward_of_infinite_scores(value, where):
    # One pixel of +inf is the joint; nothing but -inf is like a flat map.
    maps = np.full((1, 8, 12, 1), value if not where else 0, "float32")
    if where:
        maps[0, 3, 4] = value
    layer = integral_tf.IntegralRegression()
    want = (4, 3) if where else (5.5, 3.5)
    np.testing.assert_allclose(array(layer(maps))[0, 0], want, atol=CLOSE)
    gradient = array(gradient_of(layer, maps, np.ones((1, 1, 2), "float32")))
    assert np.isfinite(gradient).all()
    maps[0, 1, 1] = np.nan
    assert np.isnan(array(layer(maps))).all()


def test_a_window_of_a_map_of_minus_infinity():
    # The first pixel is as much a maximum as any; 3 around it are 2 x 2.
    maps = np.full((1, 8, 12, 1), -np.inf, "float32")
    for learned in (False, True):
        layer = integral_tf.IntegralRegression(window=3, learn_beta=learned)
        np.testing.assert_allclose(array(layer(maps))[0, 0], 0.5, atol=CLOSE)


def penalty_of(layer, maps):
    """The gradient of |d sum(joints) / d maps|^2, a gradient penalty."""
    if BACKEND == "jax":
        import jax

        pull = jax.grad(lambda maps: layer(maps).sum())
        return jax.grad(lambda maps: (pull(maps) ** 2).sum())(maps)
    if BACKEND == "torch":
        import torch

        maps = torch.tensor(maps, requires_grad=True)
        (pull,) = torch.autograd.grad(
            layer(maps).sum(), maps, create_graph=True
        )
        (pull**2).sum().backward()
        return maps.grad
    import tensorflow as tf

    maps = tf.constant(maps)
    with tf.GradientTape() as outer:
        outer.watch(maps)
        with tf.GradientTape() as inner:
            inner.watch(maps)
            total = tf.reduce_sum(layer(maps))
        penalty = tf.reduce_sum(inner.gradient(total, maps) ** 2)
    return outer.gradient(penalty, maps)


@pytest.mark.parametrize("confidence", [False, True])
def test_second_derivative(confidence):
    maps = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("f")
    layer = integral_tf.IntegralRegression(confidence=confidence)

    def penalty(maps):
        # sum_p (H~(p) (x + y - J_x - J_y))^2, in float64.
        weights = shares(maps)
        both = np.add(*np.mgrid[:4, :3])[None, :, :, None]
        joints = np.sum(weights * both, axis=(1, 2), keepdims=True)
        return np.sum((weights * (both - joints)) ** 2)

    want = np.zeros(maps.shape)
    for pixel in np.ndindex(maps.shape):
        moved = np.stack([maps, maps]).astype("float64")
        moved[0][pixel] += 1e-4
        moved[1][pixel] -= 1e-4
        want[pixel] = (penalty(moved[0]) - penalty(moved[1])) / 2e-4
    got = penalty_of(
        lambda x: layer(x)["joints"] if confidence else layer(x), maps
    )
    np.testing.assert_allclose(array(got), want, atol=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
def test_forward_mode(name):
    options = OPTIONS[name]
    layer = integral_tf.IntegralRegression(**options)
    maps, way = (blobs(seed, batch=1) for seed in (0, 1))
    if "data_format" in options:
        maps, way = (each.transpose(0, 3, 1, 2) for each in (maps, way))
    if BACKEND == "jax":
        import jax

        _, got = jax.jvp(layer, (maps,), (way,))
    elif BACKEND == "torch":
        import torch

        maps, way = torch.tensor(maps), torch.tensor(way)
        _, got = torch.func.jvp(layer, (maps,), (way,))
        # And what else of torch.func a written-out gradient would refuse.
        torch.func.vmap(lambda each: layer(each[None]))(maps)
        torch.func.grad(lambda maps: layer(maps).sum())(maps)
    else:
        import tensorflow as tf

        maps = tf.constant(maps)
        with tf.autodiff.ForwardAccumulator(maps, tf.constant(way)) as ahead:
            points = layer(maps)
        got = ahead.jvp(points)
    # By the gradient, joint by joint.
    want = np.zeros((1, 3, 2))
    for k, i in np.ndindex(3, 2):
        upstream = np.zeros((1, 3, 2), "float32")
        upstream[0, k, i] = 1
        pull = array(gradient_of(layer, np.asarray(maps), upstream))
        want[0, k, i] = np.sum(pull * np.asarray(way))
    np.testing.assert_allclose(array(got), want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["plain", "beta", "window"])
def test_gradient(name):
    options = OPTIONS[name]
    maps = blobs()
    upstream = np.random.default_rng(1).normal(size=(2, 3, 2)).astype("f")
    layer = integral_tf.IntegralRegression(stride=STRIDE, **options)
    # d J / d H(p) = stride beta H~(p) (p - J), for p and J in map pixels.
    joints = (expected(maps, **options) - (STRIDE - 1) / 2) / STRIDE
    y, x = np.mgrid[:8, :12]
    apart = np.stack([x, y], -1)[None, :, :, None] - joints[:, None, None]
    pull = np.sum(apart * upstream[:, None, None], axis=-1)
    want = STRIDE * options.get("beta", 1.0) * shares(maps, **options) * pull
    got = array(gradient_of(layer, maps, upstream))
    np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"confidence": True}], ids=str)
def test_gradient_of_the_background(options):
    # The slope at some pixels is that of central differences, in float64.
    maps, step = blobs(batch=1, joints=1), 1e-4
    reading = {"beta": 8.0, "background": 0.0}
    layer = integral_tf.IntegralRegression(stride=STRIDE, **reading, **options)
    upstream = np.float32([[[1.0, -2.0]]])
    got = array(
        gradient_of(
            lambda x: layer(x)["joints"] if options else layer(x),
            maps,
            upstream,
        )
    )
    top = np.unravel_index(maps.argmax(), maps.shape)
    for pixel in (top, (0, 0, 0, 0), (0, 7, 11, 0)):
        moved = np.stack([maps, maps]).astype("float64")
        moved[0][pixel] += step
        moved[1][pixel] -= step
        more, less = (expected(each, **reading) for each in moved)
        want = np.sum((more - less) * upstream) / (2 * step)
        np.testing.assert_allclose(got[pixel], want, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(LEGACY, reason="integralize and calibrate are Keras 3's")
def test_integralize_and_calibrate():
    pytest.importorskip("scipy")  # which Keras's worlds need not have
    pictures, labelled = people()
    inputs = keras.Input((8, 12, JOINTS))
    drawn = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    pose = integral_tf.integralize(drawn, stride=STRIDE)
    found = integral_tf.calibrate(pose, [(pictures, labelled)])
    # The labels are the pictures, read at 30.
    assert found.beta == pytest.approx(30, rel=0.2)
    joints = array(pose(pictures)["joints"])
    np.testing.assert_allclose(joints, labelled[..., :2], atol=0.5)


@pytest.mark.parametrize("build", [network, Subclassed, sequential])
def test_fit(build):
    keras.utils.set_random_seed(0)
    pictures, labelled = people()
    model = build()
    loss, target = losses.JointL1(), labelled
    also = [losses.JointL2(), metrics.JointDistance()]
    if build is network:
        loss = {"joints": loss, "maps": losses.GaussianCrossEntropy(STRIDE)}
        also = {"joints": also}
        target = {"joints": labelled, "maps": labelled}
    model.compile(keras.optimizers.Adam(0.3), loss=loss, metrics=also)
    history = model.fit(pictures, target, batch_size=4, epochs=12, verbose=0)
    logged = [
        name
        for name in history.history
        if "joint_l2" in name or "joint_distance" in name
    ]
    assert len(logged) == 2
    for figure in ("loss", *logged):
        first, *_, last = history.history[figure]
        assert last < 0.7 * first, history.history
    points = model.predict(pictures, verbose=0)
    if build is network:
        points = points["joints"]
    apart = np.linalg.norm(points - labelled[..., :2], axis=-1).mean()
    figures = model.evaluate(pictures, target, verbose=0)
    assert min(abs(np.array(figures) - apart)) < 1e-3
    score = metrics.pckh(
        points, labelled[..., :2], labelled[..., 2], np.full(8, 8.0)
    )
    assert score.at[0.5] > 90


@pytest.mark.parametrize("name", sorted(losses.__all__))
def test_loss_is_the_same_everywhere(name):
    # TensorFlow's on Keras 3, which tests/losses checks against NumPy.
    maps = blobs()
    labelled = np.pad(
        expected(blobs(seed=2)).astype("float32"),
        [(0, 0), (0, 0), (0, 1)],
        constant_values=1,
    )
    labelled[0, 1, 2] = 0
    if name.startswith("Joint"):
        loss, given = getattr(losses, name)(), expected(maps).astype("float32")
    else:
        # So small a radius that BinaryCrossEntropy has to draw.
        options = {"radius": 5.0} if name.startswith("Binary") else {}
        loss, given = getattr(losses, name)(stride=STRIDE, **options), maps
    np.testing.assert_allclose(
        array(loss(labelled, given)), LOSSES[name], rtol=1e-5
    )


def test_save_load(tmp_path):
    # Trained first, so that the learned beta is one that no constructor gave.
    keras.utils.set_random_seed(0)
    pictures, labelled = people()
    inputs = keras.Input((8, 12, JOINTS))
    maps = keras.layers.Conv2D(JOINTS, 3, padding="same")(inputs)
    first = keras.layers.Permute((3, 1, 2))(maps)
    outputs = {
        "learned": integral_tf.IntegralRegression(
            stride=STRIDE, beta=2.0, learn_beta=True, name="learned"
        )(maps),
        "first": integral_tf.IntegralRegression(
            stride=STRIDE, background=0.0, data_format="channels_first"
        )(first),
        **integral_tf.IntegralRegression(
            window=5, confidence=True, covariance=True
        )(maps),
    }
    model = keras.Model(inputs, outputs)
    trained = keras.Model(inputs, outputs["learned"])
    trained.compile(keras.optimizers.Adam(0.1), losses.JointL1())
    trained.fit(pictures, labelled, epochs=3, verbose=0)
    beta = model.get_layer("learned").beta
    assert abs(beta - 2.0) > 0.05
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "pictures.npy", pictures)
    # Keras' own load_model, its safe_mode on, knows the layer by the import.
    printed = processes.fresh(
        """
import sys, numpy, integral_tf
from integral_tf.keras_version import keras
model = keras.models.load_model(sys.argv[1] + "/model.keras")
pictures = numpy.load(sys.argv[1] + "/pictures.npy")
outputs = model.predict(pictures, verbose=0)
numpy.savez(sys.argv[1] + "/outputs.npz", **outputs)
print(model.get_layer("learned").beta)
""",
        tmp_path,
    )
    assert float(printed.split()[-1]) == pytest.approx(beta, abs=1e-6)
    want = model.predict(pictures, verbose=0)
    with np.load(tmp_path / "outputs.npz") as got:
        assert set(got) == set(want)
        for name, value in want.items():
            np.testing.assert_allclose(got[name], value, atol=CLOSE)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    pictures, labelled = people()
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = network()
        model.compile("adam", loss={"joints": losses.JointL1()})
        history = model.fit(pictures, {"joints": labelled}, verbose=0)
        outputs = model(pictures)
        got, want = read(blobs())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    # Float32 maps are not rounded on their way in.
    np.testing.assert_allclose(got, want, atol=CLOSE)
    # The maps are of the half type, what is read from them is not.
    assert policy.removeprefix("mixed_") in str(outputs["maps"].dtype)
    assert "float32" in str(outputs["joints"].dtype)
    maps = outputs["maps"]
    maps = keras.backend.cast(maps, "float32") if LEGACY else maps
    maps = array(maps).astype("float32")
    np.testing.assert_allclose(
        array(outputs["joints"]), expected(maps), atol=CLOSE
    )


@pytest.mark.parametrize("name", ["plain", "background", "window"])
def test_jit(name):
    layer = integral_tf.IntegralRegression(stride=STRIDE, **OPTIONS[name])
    maps = blobs()
    given = (
        keras.backend.constant(maps)
        if LEGACY
        else (keras.ops.convert_to_tensor(maps))
    )
    np.testing.assert_allclose(
        array(compiled(layer)(given)),
        expected(maps, **OPTIONS[name]),
        atol=CLOSE,
    )


def test_export(tmp_path):
    """What the backend writes is read where this package is not imported."""
    model, (pictures, _) = network(beta=3.0), people()
    np.save(tmp_path / "pictures.npy", pictures)
    code = {"tensorflow": SAVED_MODEL, "jax": STABLEHLO, "torch": PT2}[BACKEND]
    if BACKEND == "jax":
        # model.export of this backend wants TensorFlow: jax.export does not.
        import jax
        from jax import export

        written = export.export(jax.jit(lambda x: model(x)["joints"]))(
            jax.ShapeDtypeStruct(export.symbolic_shape("b,8,12,16"), "float32")
        )
        (tmp_path / "model").write_bytes(written.serialize())
    elif BACKEND == "torch":
        import torch

        model.export(
            tmp_path / "model.pt2",
            format="torch",
            dynamic_shapes={0: torch.export.Dim("batch")},
            verbose=False,
        )
    else:
        model.export(str(tmp_path / "model"))
    processes.fresh(
        "import sys, numpy\nfolder = sys.argv[1]\n"
        "pictures = numpy.load(folder + '/pictures.npy')\n"
        f"{code}\n"
        "numpy.save(folder + '/joints.npy', joints)\n"
        "assert 'integral_tf' not in sys.modules",
        tmp_path,
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "joints.npy"),
        array(model(pictures)["joints"]),
        atol=CLOSE,
    )
