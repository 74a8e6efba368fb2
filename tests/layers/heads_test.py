"""Tests for the head networks."""

import keras
import numpy as np
import pytest

from integral_tf import layers
from tests import conformance


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def features(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def deconvolve(image, kernel):
    """A 4 x 4 deconvolution of stride 2, one input pixel at a time."""
    height, width, _ = image.shape
    padded = np.zeros((2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for y in range(height):
        for x in range(width):
            stamp = kernel.astype("float64") @ image[y, x]
            padded[2 * y : 2 * y + 4, 2 * x : 2 * x + 4] += stamp
    # One pixel goes on each side: the map stays centred on the features.
    return padded[1:-1, 1:-1]


@pytest.mark.parametrize(
    "upsamplings, height, width", [(0, 2, 3), (1, 4, 6), (2, 8, 12)]
)
def test_heatmap_head_conforms(tmp_path, upsamplings, height, width):
    conformance.check_layer(
        layers.HeatmapHead(4, upsamplings=upsamplings, channels=6),
        features(2, 2, 3, 5),
        expected_shape=(2, height, width, 4),
        tmp_path=tmp_path,
    )


def test_joint_head_conforms(tmp_path):
    conformance.check_layer(
        layers.JointHead(4, crop_extent=(96, 64)),
        features(2, 2, 3, 5),
        expected_shape=(2, 4, 2),
        tmp_path=tmp_path,
    )


def test_heatmap_head_is_of_the_papers_size():
    head = layers.HeatmapHead(16)
    head.build((None, 8, 8, 2048))
    # Two deconvolutions without bias, their norms, and the 1 x 1 scores.
    first = 4 * 4 * 2048 * 256 + 4 * 256
    second = 4 * 4 * 256 * 256 + 4 * 256
    assert head.count_params() == first + second + 256 * 16 + 16


def test_joint_head_has_one_output_per_coordinate():
    head = layers.JointHead(16, crop_extent=(256, 256))
    head.build((None, 8, 8, 2048))
    assert head.count_params() == 2048 * 32 + 32


def test_heatmap_head_is_deconvolution_norm_relu_scores():
    head = layers.HeatmapHead(3, upsamplings=1, channels=4)
    image = features(1, 3, 5, 2)
    head.build(image.shape)
    kernel = features(4, 4, 4, 2, seed=1)
    head.deconvolutions[0].kernel.assign(kernel)
    head.score.kernel.assign(features(1, 1, 4, 3, seed=2))
    head.score.bias.assign([1.0, 2.0, 3.0])

    # Untrained, the norm divides by the square root of 1 + epsilon.
    hidden = deconvolve(image[0], kernel) / np.sqrt(1 + 1e-3)
    expected = np.maximum(hidden, 0) @ features(1, 1, 4, 3, seed=2)[0, 0]
    expected = expected + [1, 2, 3]

    np.testing.assert_allclose(head(image)[0], expected, atol=1e-4)


def test_heatmap_head_starts_nearly_flat():
    heatmaps = layers.HeatmapHead(16)(features(1, 8, 8, 64))
    assert np.abs(heatmaps).max() < 0.1


def test_heatmap_heads_norm_learns_only_when_training():
    head = layers.HeatmapHead(2, upsamplings=1, channels=4)
    image = features(2, 3, 3, 5)
    head(image, training=False)
    assert not np.any(head.norms[0].moving_mean)
    head(image, training=True)
    assert np.all(head.norms[0].moving_mean)


def test_joint_head_starts_at_the_middle_of_the_crop():
    head = layers.JointHead(3, crop_extent=(96, 64))
    points = head(np.zeros((2, 2, 3, 5), "float32"))
    np.testing.assert_allclose(
        points, np.broadcast_to([47.5, 31.5], (2, 3, 2)), atol=1e-5
    )
    nearly = head(features(2, 2, 3, 5))
    np.testing.assert_allclose(nearly, points, atol=1.0)


def test_joint_head_averages_the_features_and_spans_the_crop():
    head = layers.JointHead(2, crop_extent=(96, 64))
    image = np.zeros((1, 1, 2, 1), "float32")
    image[0, 0, :, 0] = 0.0, 2.0  # average 1
    head.build(image.shape)
    head.dense.kernel.assign([[0.0, 0.0, 1.0, 0.25]])
    head.dense.bias.assign([0.0, 0.0, 0.0, 0.0])
    # Shares 0 and 1 are the crop's outer edges, half a pixel outside.
    np.testing.assert_allclose(
        head(image)[0], [[-0.5, -0.5], [95.5, 15.5]], atol=1e-5
    )


def test_axis_head_reads_each_joints_map_by_two_dense_layers():
    head = layers.AxisHead((6, 4))
    maps = features(2, 3, 5, 4)
    lines = head(maps)
    assert head.count_params() == (3 * 5 + 1) * 2 * (6 + 4)
    for axis, side in (("x", 6), ("y", 4)):
        kernel, bias = map(np.float64, head.lines[axis].get_weights())
        kernel = kernel.reshape(3, 5, 2 * side)
        expected = np.einsum("bhwk,hwn->bnk", maps, kernel) + bias[:, None]
        np.testing.assert_allclose(lines[axis], expected, atol=1e-5)
    symbols = layers.AxisHead.from_config(head.get_config())(
        keras.KerasTensor((None, 3, 5, 4), dtype="float16")
    )
    assert symbols["x"].shape == (None, 12, 4)
    assert symbols["y"].dtype == "float32"


def test_heads_stay_in_float32_under_mixed_precision(mixed_float16):
    heatmap_head = layers.HeatmapHead(3, channels=4)
    joint_head = layers.JointHead(3, crop_extent=(64, 64))
    image = features(1, 2, 2, 5)
    symbol = keras.KerasTensor((None, 2, 2, 5), dtype="float16")
    for head in (heatmap_head, joint_head):
        assert head(image).dtype == "float32"
        assert head(symbol).dtype == "float32"
    # Only the points and the scores are pinned; the rest is to be fast.
    assert heatmap_head.deconvolutions[0].compute_dtype == "float16"


@pytest.mark.parametrize(
    "build, received",
    [
        (lambda: layers.HeatmapHead(0), "joints=0"),
        (lambda: layers.HeatmapHead(16, upsamplings=-1), "upsamplings=-1"),
        (lambda: layers.JointHead(0, crop_extent=(64, 64)), "joints=0"),
        (lambda: layers.AxisHead((64, 64), 0), "splits=0"),
    ],
)
def test_rejects_a_count_that_makes_no_sense(build, received):
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        build()


@pytest.mark.parametrize("asked", ["channels_first", None])
def test_heads_take_channels_first(asked):
    keras.config.set_image_data_format("channels_first")
    try:
        joint_head = layers.JointHead(3, (96, 64), data_format=asked)
        heatmap_head = layers.HeatmapHead(3, 1, 4, data_format=asked)
    finally:
        keras.config.set_image_data_format("channels_last")
    last = layers.JointHead(3, (96, 64))
    image = features(2, 3, 5, 7)
    first = image.transpose(0, 3, 1, 2)
    last(image), joint_head(first)
    joint_head.set_weights(last.get_weights())
    np.testing.assert_allclose(joint_head(first), last(image), atol=1e-4)
    # TensorFlow's CPU has no convolution of channels first: the shapes alone.
    heatmap_head.build(first.shape)
    assert heatmap_head.compute_output_shape(first.shape) == (2, 3, 6, 10)
    symbol = keras.KerasTensor((None, 7, 3, None))
    assert heatmap_head(symbol).shape == (None, 3, 6, None)
    assert heatmap_head.norms[0].gamma.shape == (4,)
    assert heatmap_head.deconvolutions[0].kernel.shape == (4, 4, 4, 7)


@pytest.mark.parametrize(
    "head", [layers.HeatmapHead(3, 1, 4), layers.JointHead(3, (64, 64))]
)
def test_a_head_of_a_file_of_before_is_channels_last(head):
    config = head.get_config()
    assert config.pop("data_format") == "channels_last"
    keras.config.set_image_data_format("channels_first")
    try:
        again = type(head).from_config(config)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert again.data_format == "channels_last"


def test_the_crops_extent_has_its_former_name():
    config = layers.JointHead(3, (96, 64)).get_config()
    config["crop_size"] = config.pop("crop_extent")
    assert layers.JointHead.from_config(config).crop_extent == (96, 64)
