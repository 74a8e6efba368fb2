"""Training with the layer and its losses in whichever Keras this is.

The same file in every world: integralize and calibrate, fit, losses and mixed
precision.
"""

import numpy as np
import pytest

import integral_tf
from integral_tf import losses
from integral_tf import metrics
from integral_tf.keras_version import keras
from integral_tf.keras_version import LEGACY
from tests.worlds import cases

LOSSES = {
    "BinaryCrossEntropy": 0.703115,
    "EmptyCrossEntropy": 0.728887,
    "EmptySquaredError": 3.13047,
    "GaussianCrossEntropy": 4.56727,
    "GaussianDivergence": 0.396355,
    "GaussianSquaredError": 5.29201,
    "JointL1": 0.721666,
    "JointL2": 0.8871,
    "JointOKS": 0.642657,
    "MapLikelihood": 3.89988,
    "OneHotCrossEntropy": 4.60607,
    "SamplingArgmax": 1.75191,
    "VarianceError": 134.427,
}


@pytest.mark.skipif(LEGACY, reason="integralize and calibrate are Keras 3's")
def test_integralize_and_calibrate():
    pytest.importorskip("scipy")  # which Keras's worlds need not have
    pictures, labelled = cases.people()
    inputs = keras.Input((8, 12, cases.JOINTS))
    drawn = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    # The maps are as large as the pictures.
    with pytest.warns(UserWarning, match="contradict `stride`"):
        pose = integral_tf.integralize(drawn, stride=cases.STRIDE)
    found = integral_tf.calibrate(pose, [(pictures, labelled)])
    # The labels are the pictures, read at 30.
    assert found.beta == pytest.approx(30, rel=0.2)
    joints = cases.array(pose(pictures)["joints"])
    np.testing.assert_allclose(joints, labelled[..., :2], atol=0.5)


@pytest.mark.parametrize(
    "build", [cases.network, cases.Subclassed, cases.sequential]
)
def test_fit(build):
    keras.utils.set_random_seed(0)
    pictures, labelled = cases.people()
    model = build()
    loss, target = losses.JointL1(), labelled
    also = [losses.JointL2(), metrics.JointDistance()]
    if build is cases.network:
        loss = {
            "joints": loss,
            "maps": losses.GaussianCrossEntropy(cases.STRIDE),
        }
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
    if build is cases.network:
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
    maps = cases.blobs()
    labelled = np.pad(
        cases.expected(cases.blobs(seed=2)).astype("float32"),
        [(0, 0), (0, 0), (0, 1)],
        constant_values=1,
    )
    labelled[0, 1, 2] = 0
    if name == "JointOKS":
        # A sigma of 0.1, and an area of 9 between the point and its flag.
        given = cases.expected(maps).astype("float32")
        loss = losses.JointOKS([0.1] * given.shape[1])
        labelled = np.insert(labelled, 2, 9.0, axis=-1)
    elif name.startswith("Joint"):
        loss, given = (
            getattr(losses, name)(),
            cases.expected(maps).astype("float32"),
        )
    elif name.startswith("Empty"):
        loss, given = getattr(losses, name)(), maps
    else:
        # So small a radius that BinaryCrossEntropy has to draw.
        options = {"radius": 5.0} if name.startswith("Binary") else {}
        loss, given = (
            getattr(losses, name)(stride=cases.STRIDE, **options),
            maps,
        )
    np.testing.assert_allclose(
        cases.array(loss(labelled, given)), LOSSES[name], rtol=1e-5
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    pictures, labelled = cases.people()
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = cases.network()
        model.compile("adam", loss={"joints": losses.JointL1()})
        history = model.fit(pictures, {"joints": labelled}, verbose=0)
        outputs = model(pictures)
        got, want = cases.read(cases.blobs())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    # Float32 maps are not rounded on their way in.
    np.testing.assert_allclose(got, want, atol=cases.CLOSE)
    # The maps are of the half type, what is read from them is not.
    assert policy.removeprefix("mixed_") in str(outputs["maps"].dtype)
    assert "float32" in str(outputs["joints"].dtype)
    maps = outputs["maps"]
    maps = keras.backend.cast(maps, "float32") if LEGACY else maps
    maps = cases.array(maps).astype("float32")
    np.testing.assert_allclose(
        cases.array(outputs["joints"]), cases.expected(maps), atol=cases.CLOSE
    )
