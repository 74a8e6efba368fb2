"""Tests that every layer says what is wrong with a number, in its own words."""

import math

import keras
import numpy as np
import pytest

from integral_tf import layers

ORDER = [1, 0, 2]
NONSENSE = [math.nan, math.inf, -math.inf, "4", True, np.ones(2), 1j]
# How a layer is made of one argument, and whether None is a value of it.
ARGUMENTS = {
    "stride": (lambda stride: layers.IntegralRegression(stride), False),
    "beta": (lambda beta: layers.IntegralRegression(beta=beta), False),
    "background": (
        lambda background: layers.IntegralRegression(background=background),
        True,
    ),
    "window": (lambda window: layers.IntegralRegression(window=window), True),
    "output_range": (
        lambda output_range: layers.IntegralRegression(
            output_range=output_range
        ),
        True,
    ),
    "slope": (lambda slope: layers.ScoreCalibration(slope), False),
    "offset": (lambda offset: layers.ScoreCalibration(offset=offset), False),
    "degrees": (
        lambda degrees: layers.CovarianceCalibration(degrees=degrees),
        True,
    ),
    "share": (
        lambda share: layers.CovarianceCalibration().radius(share),
        False,
    ),
    "joints": (lambda joints: layers.HeatmapHead(joints), False),
    "upsamplings": (
        lambda upsamplings: layers.HeatmapHead(3, upsamplings),
        False,
    ),
    "channels": (lambda channels: layers.HeatmapHead(3, 1, channels), False),
    "crop_extent": (
        lambda crop_extent: layers.JointHead(3, crop_extent),
        False,
    ),
    "height": (lambda height: layers.PersonCrop(height, 8, ORDER), False),
    "width": (lambda width: layers.PersonCrop(8, width, ORDER), False),
    "rotation": (
        lambda rotation: layers.PersonCrop(8, 8, ORDER, rotation=rotation),
        False,
    ),
    "scale": (
        lambda scale: layers.PersonCrop(8, 8, ORDER, rotation=0, scale=scale),
        False,
    ),
    "half_body": (
        lambda half_body: layers.PersonCrop(8, 8, ORDER, half_body=half_body),
        False,
    ),
    "box_margin": (
        lambda box_margin: layers.PersonCrop(
            8, 8, ORDER, box_margin=box_margin
        ),
        False,
    ),
}


def refuses(make, name, value):
    with pytest.raises(ValueError) as error:
        make(value)
    message = str(error.value)
    assert message.endswith(f"Received: {name}={value!r}")
    # Says what the argument is first.
    assert f"`{name}`" in message.partition(" Received")[0]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_nonsense(name):
    make, none_is_one = ARGUMENTS[name]
    for value in NONSENSE + ([] if none_is_one else [None]):
        refuses(make, name, value)


@pytest.mark.parametrize(
    "make, name, value",
    [
        (layers.Argmax, "stride", "4"),
        (layers.Argmax, "stride", (8, 0)),
        (layers.IntegralRegression, "stride", ()),
        (layers.IntegralRegression, "stride", (8, None)),
        (layers.IntegralRegression, "beta", 1e39),
        (ARGUMENTS["window"][0], "window", 4.5),
        (ARGUMENTS["output_range"][0], "output_range", (1, 0)),
        (ARGUMENTS["output_range"][0], "output_range", (0, 1, 2)),
        (ARGUMENTS["channels"][0], "channels", 2.5),
        (ARGUMENTS["crop_extent"][0], "crop_extent", (64, 0)),
        (ARGUMENTS["rotation"][0], "rotation", -1),
        (ARGUMENTS["scale"][0], "scale", 1),
        (ARGUMENTS["half_body"][0], "half_body", 1.5),
        (ARGUMENTS["share"][0], "share", 1.0),
    ],
)
def test_out_of_range(make, name, value):
    if make is layers.IntegralRegression:
        refuses(lambda value: make(**{name: value}), name, value)
    else:
        refuses(make, name, value)


@pytest.mark.parametrize("order", [[0, 0, 2], [1, 2, 3], [0.5, 1], ["a"]])
def test_an_order_names_every_joint_once(order):
    with pytest.raises(ValueError, match="Received: mirrored_order="):
        layers.PersonCrop(8, 8, order)


@pytest.mark.parametrize("half", [(), [0, 1, 2], [3], [0, 0], ["a"]])
def test_the_upper_half_is_some_of_the_joints(half):
    with pytest.raises(ValueError, match="Received: upper_body="):
        layers.PersonCrop(8, 8, ORDER, half_body=0.3, upper_body=half)


def test_numbers_of_numpy_become_pythons():
    layer = layers.IntegralRegression(
        np.float32(4), beta=np.float64(2), window=np.int64(5)
    )
    config = layer.get_config()
    plain = [config[name] for name in ("stride", "beta", "window")]
    assert plain == [4.0, 2.0, 5]
    assert [type(value) for value in plain] == [float, float, int]
    head = layers.HeatmapHead(np.int32(3), np.int64(1), 8.0).get_config()
    assert all(
        type(head[name]) is int
        for name in ("joints", "upsamplings", "channels")
    )


def test_a_stride_for_each_axis_is_checked_against_the_maps():
    for layer in (layers.IntegralRegression((4, 4, 4)), layers.Argmax((8,))):
        with pytest.raises(ValueError, match="2 axes of space"):
            layer(np.zeros((1, 4, 6, 2), "float32"))
        with pytest.raises(ValueError, match="2 axes of space"):
            layer(keras.Input((4, 6, 2)))


def test_covariances_are_of_a_plane():
    for given in (np.zeros((2, 3, 3), "float32"), keras.Input((3, 3))):
        with pytest.raises(ValueError, match="of joints in a plane"):
            layers.CovarianceCalibration()(given)


def test_a_range_takes_no_stride():
    with pytest.raises(ValueError, match=r"output_range=\(0, 1\), stride=4$"):
        layers.IntegralRegression(4, output_range=(0, 1))
