"""Tests that a SavedModel's operations are read before any of them runs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import integral_tf
from integral_tf.export import saved_model
from integral_tf.inference import operations
from tests import untrained
from tests.export import cases

IMAGES = tf.TensorSpec([None, 64, 64, 3], tf.float32, "images")
FACTOR = tf.Variable(2.0)


def write_file(images, tmp_path):
    tf.io.write_file(str(tmp_path / "written"), "x")


def read_file(images, tmp_path):
    return tf.strings.length(tf.io.read_file(str(tmp_path / "secret")))


def list_files(images, tmp_path):
    return tf.size(tf.io.matching_files(str(tmp_path / "*")))


def call_python(images, tmp_path):
    return tf.py_function(lambda: 1.0, [], tf.float32)


def print_to_a_file(images, tmp_path):
    tf.print("x", output_stream=f"file://{tmp_path}/written")


def read_lines(images, tmp_path):
    lines = tf.data.TextLineDataset(str(tmp_path / "secret"))
    return lines.reduce(np.int64(0), lambda n, _: n + 1)


def read_a_checkpoint(images, tmp_path):
    (value,) = tf.raw_ops.RestoreV2(
        prefix=str(tmp_path / "secret"),
        tensor_names=["x"],
        shape_and_slices=[""],
        dtypes=[tf.float32],
    )
    return value


def in_a_branch(images, tmp_path):
    return tf.cond(
        tf.reduce_sum(images) > 0,
        lambda: read_file(images, tmp_path),
        lambda: 0,
    )


def write(folder, step):
    """Writes a pose network of 16 joints that also takes a step."""
    module = tf.Module()

    @tf.function(input_signature=[IMAGES])
    def serve(images):
        value = step(images)
        added = 0.0 if value is None else tf.cast(value, tf.float32)
        joints = tf.zeros([tf.shape(images)[0], 16, 2]) + added
        scores = tf.ones([tf.shape(images)[0], 16])
        return {"joints": tf.ensure_shape(joints, [None, 16, 2]),
                "scores": scores}  # fmt: skip

    module.factor = FACTOR  # so that the saver has a variable
    module.serve = serve
    tf.saved_model.save(module, str(folder), {"serving_default": serve})
    return folder


@pytest.mark.parametrize(
    "step, names",
    [
        (write_file, "WriteFile"),
        (read_file, "ReadFile"),
        (list_files, "MatchingFiles"),
        (call_python, "EagerPyFunc"),
        (print_to_a_file, "PrintV2"),
        (read_lines, ".*TextLineDataset"),
        (read_a_checkpoint, "RestoreV2"),
        (in_a_branch, "ReadFile"),
    ],
)
def test_operations_beyond_a_networks_are_named_and_not_run(
    step, names, tmp_path
):
    (tmp_path / "secret").write_text("secret")
    folder = write(tmp_path / "model", lambda images: step(images, tmp_path))
    with pytest.raises(ValueError, match=f"other than .*Received: {names}"):
        integral_tf.PoseEstimator(folder, "mpii")
    assert not (tmp_path / "written").exists()


def test_a_network_of_somebody_else_is_run(tmp_path):
    folder = write(tmp_path / "model", lambda images: FACTOR * 3.0)
    estimate = integral_tf.PoseEstimator(folder, "mpii")
    image = np.zeros((64, 64, 3), np.uint8)
    (pose,) = estimate(image, [[0, 0, 64, 64]])
    # 6 of the crop's pixels, a crop of the box with a margin of a quarter.
    assert np.ptp(pose.joints[:, 0]) < 1e-4


def test_the_layers_of_keras_are_a_networks(tmp_path):
    inputs = keras.Input((64, 64, 3))
    maps = inputs
    for layer in (
        keras.layers.DepthwiseConv2D(3, padding="same"),
        keras.layers.SeparableConv2D(4, 3, activation="gelu"),
        keras.layers.LayerNormalization(),
        keras.layers.Conv2DTranspose(4, 3, activation="silu"),
        keras.layers.GroupNormalization(2),
        keras.layers.UpSampling2D(interpolation="bilinear"),
        keras.layers.PReLU(),
        keras.layers.Conv2D(16, 1, activation="hard_swish"),
    ):
        maps = layer(maps)
    joints = integral_tf.IntegralRegression()(maps)
    scores = keras.layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(inputs, {"joints": joints, "scores": scores})
    model.export(tmp_path / "model", verbose=False)
    operations.check(tmp_path / "model")


def test_what_we_export_is_a_networks(tmp_path):
    frozen = cases.frozen(untrained.network("I*"))
    saved_model.write(frozen, tmp_path, oks_threshold=0.9)
    operations.check(tmp_path)


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 64)
    with pytest.raises(ValueError, match="reads: its saved_model.pb is damag"):
        integral_tf.PoseEstimator(tmp_path, "mpii")
