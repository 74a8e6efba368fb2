"""Tests for the crop, by following painted dots."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.layers import person_crop
from integral_tf.records import shards

PersonCrop = person_crop.PersonCrop

SIDE = 220
ARM = skeletons.Skeleton(
    name="arm",
    joints=("head", "left_wrist", "right_wrist"),
    sides=(("left_wrist", "right_wrist"),),
    limbs=(),
)
# Of everyone, window frame; the dots have the channels' colours.
JOINTS = [(112.0, 70.0), (84.0, 118.0), (131.0, 143.0)]
BOX = (70.0, 60.0, 80.0, 100.0)  # its middle is at (109.5, 109.5)


def people(count, joints=JOINTS, box=BOX):
    """Windows with a soft dot per joint, joint k in channel k."""
    row, column = np.mgrid[:SIDE, :SIDE]
    dots = [
        np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 2.5**2))
        for x, y in joints
    ]
    window = np.rint(255 * np.stack(dots, axis=-1)).astype(np.uint8)
    return {
        "windows": np.stack([window] * count),
        "joints": np.stack([np.float32(joints)] * count),
        "boxes": np.stack([np.float32(box)] * count),
        "visible": np.ones((count, len(joints)), "float32"),
    }


def with_draws(people, seed=0):
    draws = np.random.default_rng(seed).random((len(people["boxes"]), 3))
    halves = np.random.default_rng(seed + 1).random((len(draws), 2))
    return {
        **people,
        "draws": draws.astype("float32"),
        "halves": halves.astype("float32"),
    }


def crop(height=128, width=128, **kwargs):
    return PersonCrop(height, width, ARM.mirrored_order, **kwargs)


def dots_in(image):
    """`(3, 2)` where each channel's dot is."""
    row, column = np.mgrid[: image.shape[0], : image.shape[1]]
    mass = np.asarray(image, np.float64)
    mass = np.where(mass < 20, 0, mass)
    total = mass.sum(axis=(0, 1))
    x = (mass * column[..., None]).sum(axis=(0, 1)) / total
    y = (mass * row[..., None]).sum(axis=(0, 1)) / total
    return np.stack([x, y], axis=-1)


def test_round_trips_its_config():
    layer = crop(
        96, 72, rotation=10, scale=0.1, flip=False, seed=3,
        half_body=0.3, upper_body=[0],
    )  # fmt: skip
    again = PersonCrop.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.half_body, again.upper_body) == (0.3, [0])
    archived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert archived.get_config() == layer.get_config()


@pytest.mark.parametrize("height, width", [(128, 128), (128, 96), (96, 128)])
def test_dots_are_found_at_the_joints(height, width):
    batch = with_draws(people(64))
    crops = crop(height, width)(batch, training=True)
    images = crops["images"].numpy()
    assert images.shape == (64, height, width, 3)
    mirrored = batch["draws"][:, 2] < 0.5
    assert 20 < mirrored.sum() < 44
    for i, image in enumerate(images):
        # Pixels are never exchanged, names are: channel 1 is the left wrist
        # of the window, and the right one of its mirror image.
        channels = ARM.mirrored_order if mirrored[i] else [0, 1, 2]
        found = dots_in(image)[channels]
        seen = crops["visible"][i].numpy() > 0
        # A dot of radius 2.5 pixels is whole only this far from the edge.
        joints = crops["joints"][i].numpy()
        size = np.array([width, height])
        whole = ((joints > 12) & (joints < size - 13)).all(axis=-1)
        np.testing.assert_allclose(found[whole], joints[whole], atol=0.5)
        assert seen[whole].all()


def test_nearly_every_dot_is_followed():
    # The test above proves nothing of dots that it leaves out.
    crops = crop()(with_draws(people(64)), training=True)
    joints = crops["joints"].numpy()
    assert ((joints > 12) & (joints < 115)).all(axis=-1).mean() > 0.9


def test_draws_mean_what_the_docstring_says():
    # turn +-30 degrees, side +-25 %, mirrored below a half.
    batch = people(3)
    batch["draws"] = np.float32([(0, 0.5, 0.9), (0.5, 1, 0.9), (0.5, 0, 0.4)])
    to_window = crop()(batch, training=True)["to_window"].numpy()
    pixel = 100 * coordinates.BOX_MARGIN / 128  # the box's longer side is 100
    size = np.sqrt(np.abs(np.linalg.det(to_window[:, :, :2])))
    np.testing.assert_allclose(size / pixel, [1, 1.25, 0.75], rtol=1e-5)
    # The lowest draw turns the person 30 degrees anticlockwise, that is the
    # crop clockwise: its rows run down to the right in the window.
    x, y = to_window[0, :, 0]
    np.testing.assert_allclose(np.degrees(np.arctan2(y, x)), 30, rtol=1e-5)
    handedness = np.sign(np.linalg.det(to_window[:, :, :2]))
    np.testing.assert_array_equal(handedness, [1, 1, -1])


def test_a_mirrored_crop_is_the_crop_mirrored():
    batch = people(2)
    batch["draws"] = np.float32([(0.5, 0.5, 0.9), (0.5, 0.5, 0.1)])
    crops = crop()(batch, training=True)
    straight, mirrored = crops["images"].numpy()
    np.testing.assert_allclose(mirrored, straight[:, ::-1], atol=1e-2)
    head, left, right = crops["joints"][0].numpy()
    expected = [(127 - x, y) for x, y in (head, right, left)]
    np.testing.assert_allclose(crops["joints"][1], expected, atol=1e-4)


def test_visibility_follows_its_joint_through_a_flip():
    batch = people(1)
    batch["visible"] = np.float32([(1, 1, 0)])
    batch["draws"] = np.float32([(0.5, 0.5, 0.1)])
    crops = crop()(batch, training=True)
    np.testing.assert_array_equal(crops["visible"], [(1, 0, 1)])


def test_without_training_it_is_the_box_and_nothing_else():
    layer = crop()
    first, again = layer(people(2)), layer(with_draws(people(2), seed=9))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    # By hand: side 100 * 1.25 = 125 pixels around (109.5, 109.5) on 128.
    step = 125 / 128
    corner = 109.5 - 63.5 * step
    expected = [(step, 0, corner), (0, step, corner)]
    np.testing.assert_allclose(first["to_window"][0], expected, atol=1e-4)
    found = dots_in(first["images"][0])
    np.testing.assert_allclose(found, first["joints"][0], atol=0.5)
    by_hand = (np.array(JOINTS) - corner) / step
    np.testing.assert_allclose(first["joints"][0], by_hand, atol=1e-4)


@pytest.mark.parametrize(
    "box, inside",
    [
        pytest.param((109, 90, 20, 20), (0, 0, 0), id="nobody"),
        pytest.param((100, 60, 20, 20), (1, 0, 0), id="the head"),
        pytest.param((70, 100, 80, 80), (0, 1, 1), id="the wrists"),
    ],
)
def test_joints_outside_the_crop_are_not_visible(box, inside):
    crops = crop()(people(1, box=box))
    np.testing.assert_array_equal(crops["visible"], [inside])


def test_to_window_takes_the_joints_back():
    batch = with_draws(people(16))
    crops = crop(96, 128)(batch, training=True)
    back = coordinates.apply(crops["to_window"].numpy(), crops["joints"])
    for i, joints in enumerate(back):
        flipped = batch["draws"][i, 2] < 0.5
        order = ARM.mirrored_order if flipped else [0, 1, 2]
        np.testing.assert_allclose(joints, np.array(JOINTS)[order], atol=1e-3)


def test_outside_the_window_is_black():
    batch = people(1, box=(-50.0, 60.0, 100.0, 100.0))
    batch["windows"] = np.full_like(batch["windows"], 200)
    image = crop()(batch)["images"][0].numpy()
    # The crop starts at x = -62.5 and has 125 / 128 window pixels a pixel.
    np.testing.assert_array_equal(image[:, :63], 0.0)
    np.testing.assert_allclose(image[:, 65:], 200.0, atol=1e-3)


@pytest.mark.parametrize("height, width", [(128, 128), (128, 96), (96, 128)])
@pytest.mark.parametrize("box", [(50.0, 80.0), (80.0, 50.0)])
def test_a_window_holds_every_crop(height, width, box):
    # A photograph without edges leaves no black in any corner, for a tall
    # person and a wide one.
    aspect = width / height
    size = shards.window_size(height, aspect)
    window = coordinates.window_around((0, 0, *box), aspect)
    corner = -window[:2] * size / window[2]
    batch = {
        "windows": np.full((4, size, size, 3), 200, np.uint8),
        "boxes": np.float32(
            [[*corner, *np.multiply(box, size / window[2])]] * 4
        ),
        "joints": np.zeros((4, 3, 2), "float32"),
        "visible": np.ones((4, 3), "float32"),
        # Turned as far as it goes either way, the largest and the smallest.
        "draws": np.float32([(t, z, 0.9) for t in (0, 1) for z in (0, 1)]),
    }
    images = crop(height, width)(batch, training=True)["images"].numpy()
    assert images.min() > 199


def test_draws_give_the_same_crop_in_graphs_and_pipelines():
    layer = crop(half_body=0.5, upper_body=[0, 1])
    batch = with_draws(people(4))
    assert 0 < (batch["halves"][:, 0] < 0.5).sum() < 4
    eager = layer(batch, training=True)

    def step(people):
        return layer(people, training=True)

    pipeline = tf.data.Dataset.from_tensors(batch).map(step)
    signature = {
        key: tf.TensorSpec([None, *np.shape(value)[1:]], value.dtype)
        for key, value in batch.items()
    }
    for other in (
        tf.function(step)(batch),
        tf.function(step, input_signature=[signature])(batch),
        tf.function(step, jit_compile=True)(batch),
        next(iter(pipeline)),
    ):
        for key, value in eager.items():
            # Grey levels and pixels; a compiled warp rounds otherwise.
            np.testing.assert_allclose(other[key], value, atol=0.05)


def test_its_own_draws_are_random_and_follow_the_seed():
    batch = people(8)
    layer, twin, other = crop(seed=1), crop(seed=1), crop(seed=2)
    first = layer(batch, training=True)["to_window"].numpy()
    assert len(np.unique(first[:, 0, 0])) == 8
    np.testing.assert_array_equal(
        twin(batch, training=True)["to_window"], first
    )
    assert not np.allclose(layer(batch, training=True)["to_window"], first)
    assert not np.allclose(other(batch, training=True)["to_window"], first)


# Two joints above the box's middle and three below, named by their places.
BODY = [(100.0, 66.0), (128.0, 90.0), (96.0, 120.0), (125.0, 118.0), (110, 154)]
BODY_ORDER = [0, 1, 3, 2, 4]


def halved(**kwargs):
    """A layer that crops half of everyone, and its crops of 64 people."""
    layer = PersonCrop(
        128, 96, BODY_ORDER, half_body=1.0, upper_body=[0, 1], **kwargs
    )
    batch = people(64, JOINTS) | {
        "joints": np.stack([np.float32(BODY)] * 64),
        "visible": np.ones((64, 5), "float32"),
    }
    return layer, batch


def test_a_crop_around_the_upper_half_by_hand():
    layer, batch = halved(rotation=0, scale=0, flip=False)
    batch["halves"] = np.zeros((64, 2), "float32")
    crops = layer(batch, training=True)
    # The half is 28 x 24, and 28 / 0.75 > 24: 28 * 1.5 = 42 pixels on 96.
    step = 42 / 96
    # Around the middle of (100, 66) and (128, 90).
    corner = np.array([114 - 47.5 * step, 78 - 63.5 * step])
    expected = [(step, 0, corner[0]), (0, step, corner[1])]
    np.testing.assert_allclose(crops["to_window"][0], expected, atol=1e-4)
    by_hand = (np.array(BODY) - corner) / step
    np.testing.assert_allclose(crops["joints"][0], by_hand, atol=1e-3)
    # (118 - 50.2) / 0.4375 = 155 is below the crop's 128 rows.
    np.testing.assert_array_equal(crops["visible"][0], (1, 1, 0, 0, 0))


def test_every_crop_is_around_one_half_and_both_occur():
    layer, batch = halved(seed=0)
    crops = layer(batch, training=True)
    to_window = crops["to_window"].numpy()
    # Where the crop's middle is in the window: at that of one half's extent.
    middles = coordinates.apply(to_window, np.array([[47.5, 63.5]]))[:, 0]
    above = np.abs(middles - (114, 78)).max(axis=-1) < 1e-3
    below = np.abs(middles - (110.5, 136)).max(axis=-1) < 1e-3
    assert (above ^ below).all()
    # 0.7 of 64, with a standard deviation of 3.7.
    assert 33 < above.sum() < 57
    back = coordinates.apply(to_window, crops["joints"])
    mirrored = np.linalg.det(to_window[:, :, :2]) < 0
    assert 0 < mirrored.sum() < 64
    for joints, flipped in zip(back, mirrored):
        order = BODY_ORDER if flipped else range(5)
        np.testing.assert_allclose(joints, np.array(BODY)[order], atol=1e-3)


def test_without_half_body_or_training_crops_are_as_before():
    batch = people(8)
    plain = crop(seed=1)(batch, training=True)
    few = crop(seed=1, half_body=1.0, upper_body=[0])  # 1 joint, and 2
    for crops in (
        crop(seed=1)(with_draws(batch) | {"draws": None}, training=True),
        few(batch, training=True),
    ):
        for name, value in plain.items():
            np.testing.assert_array_equal(crops[name], value, err_msg=name)
    layer, batch = halved()
    still = PersonCrop(128, 96, BODY_ORDER)(batch)
    for name, value in layer(batch).items():
        np.testing.assert_array_equal(value, still[name], err_msg=name)


_ON_TORCH = """
import sys
import keras
import numpy as np
from integral_tf.layers import person_crop

assert keras.backend.backend() == "torch"
people = dict(np.load(sys.argv[1]))
layer = person_crop.PersonCrop(
    128, 96, [0, 2, 1], half_body=0.5, upper_body=[0, 1]
)
crops = layer(people, training=True)
np.savez(sys.argv[2], **{
    name: keras.ops.convert_to_numpy(value) for name, value in crops.items()
})
"""


def test_torch_crops_alike(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    batch = with_draws(people(8))
    np.savez(tmp_path / "people.npz", **batch)
    subprocess.run(
        [
            sys.executable,
            "-c",
            _ON_TORCH,
            tmp_path / "people.npz",
            tmp_path / "crops.npz",
        ],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        check=True,
    )
    layer = crop(128, 96, half_body=0.5, upper_body=[0, 1])
    crops = layer(batch, training=True)
    with np.load(tmp_path / "crops.npz") as on_torch:
        for name, value in crops.items():
            np.testing.assert_allclose(
                on_torch[name], value, atol=1e-3, err_msg=name
            )
