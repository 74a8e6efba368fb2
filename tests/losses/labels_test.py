"""Tests for what every loss and the metric do with labels and weights.

Expected values follow from the cost of one joint at a time, which the other
files check, or are worked out by hand.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses
from integral_tf import metrics

STRIDE = 4
JOINTS = 3
# Losses with labels of another form have test files of their own.
OTHERS = ("EmptyCrossEntropy", "EmptySquaredError", "JointOKS")
NAMES = [name for name in losses.__all__ if name not in OTHERS]
MAPS = NAMES[:-1]


def make(name, **options):
    if name in ("JointL1", "JointL2"):
        return getattr(losses, name)(**options)
    return getattr(losses, name)(STRIDE, **options)


def predicted(name, people=2, dimensions=2):
    rng = np.random.default_rng(1)
    if name.startswith("Joint"):
        shape = (people, JOINTS, dimensions)
        return rng.uniform(0, 24, shape).astype("float32")
    shape = (people, 6, 5, 4)[: dimensions + 1] + (JOINTS,)
    return rng.normal(size=shape).astype("float32")


def truth(visible, dimensions=2):
    """Labels `(2, 3, D + 1)` with these flags."""
    rng = np.random.default_rng(0)
    labels = rng.uniform(2, 20, (2, JOINTS, dimensions + 1))
    labels[..., -1] = visible
    return labels.astype("float32")


def distance(y_true, y_pred, sample_weight=None):
    metric = metrics.JointDistance()
    metric.update_state(y_true, y_pred, sample_weight)
    return float(metric.result())


def cost(name, y_true, y_pred, **options):
    if name == "JointDistance":
        return distance(y_true, y_pred, **options)
    return float(make(name)(y_true, y_pred, **options))


EVERY = pytest.mark.parametrize("name", [*NAMES, "JointDistance"])


@EVERY
@pytest.mark.parametrize(
    "flags", [(2, 1, 0), (2, 2, -1), (1, 0.25, np.nan), (7, 1e-3, -np.inf)]
)
def test_visibility_is_a_flag_and_no_weight(name, flags):
    y_pred = predicted(name)
    wanted = cost(name, truth((1, 1, 0)), y_pred)
    assert cost(name, truth(flags), y_pred) == wanted


@EVERY
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_lines_planes_and_volumes_cost_the_mean_of_their_joints(
    name, dimensions
):
    labels, y_pred = truth(1, dimensions), predicted(name, 2, dimensions)
    if name == "MapLikelihood" and dimensions != 2:
        with pytest.raises(ValueError, match="pictures' maps"):
            cost(name, labels, y_pred)
        return
    each = []
    for person, joint in np.ndindex(2, JOINTS):
        alone = labels[person : person + 1].copy()
        alone[0, np.arange(JOINTS) != joint] = 0
        each.append(cost(name, alone, y_pred[person : person + 1]))
    assert len(set(each)) == len(each)
    np.testing.assert_allclose(
        cost(name, labels, y_pred), np.mean(each), rtol=1e-5
    )


@EVERY
def test_a_joint_is_weighed_by_itself(name):
    # A person's cost is sum(weight * cost) / (labelled joints), the metric's
    # the mean by weight over all.
    labels, y_pred = truth((1, 1, 0)), predicted(name)
    weights = np.array([[3.0, 0.5, 9.0], [0.0, 2.0, 9.0]])
    each = np.zeros((2, 2))
    for person, joint in np.ndindex(2, 2):
        alone = labels[person : person + 1].copy()
        alone[0, 1 - joint] = 0
        each[person, joint] = cost(name, alone, y_pred[person : person + 1])
    total = (weights[:, :2] * each).sum()
    divisor = 5.5 if name == "JointDistance" else 4
    np.testing.assert_allclose(
        cost(name, labels, y_pred, sample_weight=weights),
        total / divisor,
        rtol=1e-5,
    )


@EVERY
@pytest.mark.parametrize("column", [False, True])
def test_a_person_is_weighed_as_its_joints_alike(name, column):
    labels, y_pred = truth((1, 1, 0)), predicted(name)
    people = np.array([0.5, 3.0])
    joints = np.repeat(people[:, None], JOINTS, axis=1)
    np.testing.assert_allclose(
        cost(name, labels, y_pred, sample_weight=joints),
        cost(name, labels, y_pred, sample_weight=people[:, None][:, :1])
        if column
        else cost(name, labels, y_pred, sample_weight=people),
        rtol=1e-6,
    )


def test_weights_of_joints_in_the_other_reductions():
    labels, y_pred = truth(1), predicted("JointL1")
    weights = np.repeat([[0.5], [3.0]], JOINTS, axis=1)
    for reduction in ("none", "sum", "mean_with_sample_weight"):
        loss = losses.JointL1(reduction=reduction)
        np.testing.assert_allclose(
            loss(labels, y_pred, sample_weight=weights),
            loss(labels, y_pred, sample_weight=weights[:, 0]),
            rtol=1e-6,
        )


@EVERY
@pytest.mark.parametrize(
    "wrong, said",
    [
        (lambda y: y[..., :2], "append a column of ones"),
        (lambda y: y[..., :2].reshape(2, -1), r"y_true.shape=\(2, 6\)"),
        (lambda y: y[:, :1], r"here \(2, 3, 3\).*y_true.shape=\(2, 1, 3\)"),
        (lambda y: y[:, :2], r"y_true.shape=\(2, 2, 3\)"),
        (lambda y: y[:1], r"y_true.shape=\(1, 3, 3\)"),
        (lambda y: np.repeat(y, 2, 2), r"y_true.shape=\(2, 3, 6\)"),
        (lambda y: y[0], r"y_true.shape=\(3, 3\)"),
        (
            lambda y: tf.RaggedTensor.from_tensor(y, lengths=[1, 2]),
            "visibility 0 where a joint is not labelled",
        ),
    ],
)
def test_labels_of_another_shape(name, wrong, said):
    with pytest.raises(ValueError, match=said):
        cost(name, wrong(truth(1)), predicted(name))


@EVERY
@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 3, 1)])
def test_weights_of_another_shape(name, shape):
    with pytest.raises(ValueError, match=r"joints\), one of each joint, here"):
        cost(name, truth(1), predicted(name), sample_weight=np.ones(shape))


def test_a_transposed_label_is_told():
    with pytest.raises(ValueError, match="transpose the last two axes"):
        losses.JointL1()(np.zeros((2, 3, 5)), np.zeros((2, 5, 2)))
    # Of three joints it would be the same shape.
    with pytest.raises(ValueError, match=r"where labelled\. Received"):
        losses.JointL1()(np.zeros((1, 3, 3)), np.zeros((2, 3, 2)))


@EVERY
def test_a_shape_that_only_the_graph_knows_is_checked_there(name):
    spec = (
        tf.TensorSpec(None),
        tf.TensorSpec((None, *predicted(name).shape[1:])),
    )

    @tf.function(input_signature=spec)
    def run(y_true, y_pred):
        return make(name)(y_true, y_pred)

    if name == "JointDistance":
        return
    y_pred = predicted(name)
    assert run(truth(1), y_pred) == make(name)(truth(1), y_pred)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(truth(1)[:, :1], y_pred)


@EVERY
def test_a_label_that_is_nan_though_visible_shows(name):
    labels = truth(1)
    labels[0, 0, 0] = np.nan
    assert np.isnan(cost(name, labels, predicted(name)))


@pytest.mark.parametrize(
    "make",
    [
        lambda value: losses.JointL1(unit=value),
        lambda value: losses.GaussianCrossEntropy(value),
        lambda value: losses.GaussianCrossEntropy((4, value)),
        lambda value: losses.GaussianSquaredError(4, sigma=value),
        lambda value: losses.GaussianCrossEntropy(4, beta=value),
        lambda value: losses.BinaryCrossEntropy(4, radius=value),
        lambda value: losses.BinaryCrossEntropy(4, negatives=value),
        lambda value: losses.BinaryCrossEntropy(4, seed=value),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf, "4", None, -1.5, []])
def test_what_is_no_number_in_range(make, value):
    with pytest.raises(ValueError, match=r"\. Received: \w+="):
        make(value)


def test_a_stride_of_each_axis():
    # A loss of maps with cells of 4 x 8 crop pixels is that of square cells of
    # 4, once y counts in cells, too: (y + 0.5) / 8 = (y' + 0.5) / 4.
    labels, maps = truth(1), predicted("GaussianCrossEntropy")
    square = labels.copy()
    square[..., 1] = (labels[..., 1] + 0.5) / 2 - 0.5
    for name in MAPS:
        # SamplingArgmax's draw is a function of the joint.
        if name in (
            "BinaryCrossEntropy", "JointL1", "JointL2", "SamplingArgmax",
        ):  # fmt: skip
            continue
        loss = getattr(losses, name)((8, 4))
        np.testing.assert_allclose(
            loss(labels, maps), make(name)(square, maps), rtol=1e-5
        )
        again = type(loss).from_config(loss.get_config())
        assert again.stride == (8, 4)
    with pytest.raises(ValueError, match="stride"):
        losses.GaussianCrossEntropy((4, 8, 4))(labels, maps)


def test_the_data_format_is_keras_own_unless_given():
    labels, maps = truth(1), predicted("GaussianCrossEntropy")
    first = maps.transpose(0, 3, 1, 2)
    wanted = losses.GaussianCrossEntropy(4)(labels, maps)
    keras.config.set_image_data_format("channels_first")
    try:
        loss = losses.GaussianCrossEntropy(4)
        assert loss(labels, first) == wanted
        with pytest.raises(ValueError, match="y_true.shape"):
            loss(labels, maps)
        given = losses.GaussianCrossEntropy(4, data_format="channels_last")
        assert given(labels, maps) == wanted
        # What it was made with goes with it.
        again = losses.GaussianCrossEntropy.from_config(loss.get_config())
    finally:
        keras.config.set_image_data_format("channels_last")
    assert again(labels, first) == wanted
    with pytest.raises(ValueError, match="data_format"):
        losses.GaussianCrossEntropy(4, data_format="NCHW")


def test_fit_takes_weights_of_joints():
    labels, images = truth(1), np.ones((2, 8, 8, 1), "float32")
    weights = np.array([[1.0, 0, 0], [0, 0, 0]])

    def moved(sample_weight):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((8, 8, 1))
        flat = keras.layers.Flatten()(inputs)
        points = keras.layers.Dense(6, use_bias=False)(flat)
        points = keras.layers.Reshape((3, 2))(points)
        model = keras.Model(inputs, points)
        model.compile(
            keras.optimizers.SGD(0.1),
            losses.JointL1(),
            weighted_metrics=[metrics.JointDistance()],
            jit_compile=False,
        )
        before = model.get_weights()[0]
        history = model.fit(
            images, labels, sample_weight=sample_weight, verbose=0
        ).history
        return np.abs(model.get_weights()[0] - before).sum(axis=0), history

    columns, history = moved(weights)
    assert (columns[:2] > 0).all() and (columns[2:] == 0).all()
    assert history["joint_distance"][0] > 0


def test_the_metrics_direction_is_known_to_keras(tmp_path):
    from keras.src.callbacks import monitor_callback  # as ModelCheckpoint does

    metric = metrics.JointDistance()
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    model.compile("sgd", losses.JointL1(), metrics=[metric], jit_compile=False)
    model.fit(np.zeros((2, 3, 2)), truth(1), verbose=0)
    callback = monitor_callback.MonitorCallback("val_joint_distance", "auto")
    callback.set_model(model)
    callback._set_monitor_op()
    assert callback._is_improvement(1.0, 2.0)
    assert not callback._is_improvement(2.0, 1.0)


def test_the_metric_without_a_joint_is_0():
    assert distance(truth(0), predicted("JointL1")) == 0
    assert metrics.JointDistance().result() == 0
