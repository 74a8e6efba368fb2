"""Tests for H3's loss; those it shares with others are in heatmap_test.py.

Which pixels are near is worked out by NumPy in float64, from the distances of
their centres. Which far ones are drawn has no expected value: the tests hold
the draw to how many, where, how evenly, and when it is the same. Given both,
costs and gradients follow from softplus and the sigmoid, in NumPy float64.
"""

import importlib.util
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import losses
from tests.losses import cases

BinaryCrossEntropy = losses.BinaryCrossEntropy
close = cases.close


def people(count=4, joints=40, size=256, margin=20):
    """Labelled joints anywhere on a crop, some of them off its edge."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(-margin, size + margin, (count, joints, 3))
    truth[..., 2] = 1
    return truth.astype("float32")


def masks(loss, truth, height, width):
    """`draw` as two boolean `(B, K, H * W)`, on maps that are all zero."""
    batch, joints, _ = truth.shape
    maps = np.zeros((batch, height, width, joints), "float32")
    near, drawn = map(np.asarray, loss.draw(truth, maps))
    assert np.isin(near, (0, 1)).all() and np.isin(drawn, (0, 1)).all()
    return near > 0, drawn > 0


def flat(maps):
    """`(B, H, W, K)` as `(B, K, H * W)`."""
    batch, _, _, joints = maps.shape
    return np.moveaxis(maps, -1, 1).reshape(batch, joints, -1)


@pytest.mark.parametrize("negatives", [0, 1, 3])
@pytest.mark.parametrize(
    "stride, size, radius",
    [
        pytest.param(4, 64, 15.0, id="the paper's radius on 64 x 64"),
        pytest.param(8, 32, 15.0, id="and on 32 x 32"),
        pytest.param(8, 32, 5.0, id="few near, and sometimes none"),
        pytest.param(2, 128, 30.0, id="many near"),
    ],
)
def test_draws_so_many_far_pixels_for_each_near_one(
    stride, size, radius, negatives
):
    truth = people(joints=10)
    loss = BinaryCrossEntropy(stride, radius, negatives)
    near, drawn = masks(loss, truth, size, size)
    square = cases.square_distances(truth, stride, size, size)
    np.testing.assert_array_equal(near, flat(square <= radius**2))
    assert not (near & drawn).any()
    positives = near.sum(axis=-1)
    # None has too few far pixels: a disk is at most 1 / 20 of these maps.
    np.testing.assert_array_equal(drawn.sum(axis=-1), negatives * positives)
    assert len(np.unique(positives)) > 1


def test_takes_every_far_pixel_where_there_are_too_few():
    # At 15 pixels of 24 x 32 a disk has more than a quarter of the map,
    # unless the joint is near a corner or outside.
    loss = BinaryCrossEntropy(stride=4)
    near, drawn = masks(loss, people(size=28, margin=12), 6, 8)
    positives, far = near.sum(axis=-1), (~near).sum(axis=-1)
    few = 3 * positives >= far
    assert few.any() and not few.all()
    np.testing.assert_array_equal(drawn[few], ~near[few])
    np.testing.assert_array_equal(drawn[~few].sum(-1), 3 * positives[~few])


def test_a_map_that_is_near_all_over_draws_nothing():
    loss = BinaryCrossEntropy(4, radius=99.0)
    near, drawn = masks(loss, cases.labels([(13.5, 9.5, 1)]), 6, 8)
    assert near.all() and not drawn.any()


@pytest.mark.parametrize(
    "point, radius",
    [
        # (15.5, 11.5) is where four cells meet, sqrt(8) from their centres.
        pytest.param((15.5, 11.5), 2.8, id="between the pixels' centres"),
        pytest.param((-20, 11), 15.0, id="off the map"),
        pytest.param((1e6, -1e6), 15.0, id="far off the map"),
    ],
)
def test_a_joint_with_no_pixel_near_costs_nothing(point, radius):
    loss = BinaryCrossEntropy(4, radius)
    truth = cases.labels([(*point, 1), (13.5, 9.5, 1)])
    near, drawn = masks(loss, truth, 6, 8)
    assert near[0, 1].any() and drawn[0, 1].any()
    assert not near[0, 0].any() and not drawn[0, 0].any()
    _, scores = cases.random_case(people=1, joints=2)
    value, gradient = cases.value_and_gradient(loss, truth, scores)
    alone = loss(truth[:, 1:], scores[..., 1:])
    close(value, alone / 2)
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[..., 0], 0)
    assert np.any(gradient[..., 1])


def test_a_corner_between_four_centres_has_them_all_at_sqrt_8():
    # The radius above, from its other side.
    truth = cases.labels([(15.5, 11.5, 1)])
    near, drawn = masks(BinaryCrossEntropy(4, 2.83), truth, 6, 8)
    cells = [divmod(index, 8) for index in np.flatnonzero(near)]
    assert cells == [(2, 3), (2, 4), (3, 3), (3, 4)]
    assert drawn.sum() == 12


def test_a_map_of_zeros_costs_log_2_whatever_is_drawn():
    zeros = np.zeros((4, 64, 64, 40), "float32")
    cost = BinaryCrossEntropy(stride=4)(people(margin=0), zeros)
    close(cost, math.log(2))


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("radius, negatives", [(5.0, 3), (9.0, 1), (15.0, 3)])
def test_value_and_gradient_in_closed_form(radius, negatives, scale):
    truth, heatmaps = cases.random_case()
    heatmaps *= scale
    loss = BinaryCrossEntropy(4, radius, negatives)
    value, gradient = cases.value_and_gradient(loss, truth, heatmaps)

    near, drawn = masks(loss, truth, 6, 8)
    counted = near | drawn
    scores = flat(heatmaps.astype("float64"))
    # -log(sigmoid(s)) where near, -log(1 - sigmoid(s)) where drawn.
    cost = np.logaddexp(0, np.where(near, -scores, scores)) * counted
    weight = counted / np.maximum(counted.sum(-1, keepdims=True), 1)
    share = cases.shares(truth)[:, 0, 0, :, None]
    close(value, (cost * weight * share).sum())
    apart = 1 / (1 + np.exp(-scores)) - near
    close(flat(gradient.numpy()), apart * weight * share, atol=1e-6)


@pytest.mark.parametrize("score", [1e4, -1e4])
def test_huge_scores_are_finite(score):
    # A quarter of what counts is near; the rest is wrong at 1e4, or it is.
    truth = cases.labels([(13.5, 9.5, 1)])
    scores = np.full((1, 6, 8, 1), score, "float32")
    value, gradient = cases.value_and_gradient(
        BinaryCrossEntropy(4, radius=5.0), truth, scores
    )
    close(value, 1e4 * (3 / 4 if score > 0 else 1 / 4))
    # 5 pixels within 5 of a centre at 4 apart, so 20 count.
    pulls = np.unique(gradient.numpy().round(6)).tolist()
    close(pulls, [0, 1 / 20] if score > 0 else [-1 / 20, 0], atol=1e-6)


def test_the_draw_is_the_same_again():
    loss = BinaryCrossEntropy(stride=8)
    first = masks(loss, people(), 32, 32)
    again = masks(BinaryCrossEntropy(stride=8), people(), 32, 32)
    np.testing.assert_array_equal(first, masks(loss, people(), 32, 32))
    np.testing.assert_array_equal(first, again)
    # Of a joint alone too: its place in the batch is nothing to it.
    alone = masks(loss, people()[2:3, 7:8], 32, 32)
    np.testing.assert_array_equal(alone[1][0, 0], first[1][2, 7])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("stride, size", [(4, 64), (8, 32)])
def test_the_draw_is_the_same_in_a_graph(stride, size, jit_compile):
    loss = BinaryCrossEntropy(stride, seed=3)
    truth = people(joints=10)
    maps = np.zeros((4, size, size, 10), "float32")
    graph = tf.function(loss.draw, jit_compile=jit_compile)
    got = [np.asarray(mask) > 0 for mask in graph(truth, maps)]
    np.testing.assert_array_equal(got, masks(loss, truth, size, size))


def test_the_draw_does_not_read_the_maps():
    loss = BinaryCrossEntropy(stride=4, radius=5.0)
    truth, heatmaps = cases.random_case()
    near, drawn = loss.draw(truth, heatmaps)
    np.testing.assert_array_equal(
        (near > 0, drawn > 0), masks(loss, truth, 6, 8)
    )


def overlap(one, other):
    """The pixels drawn twice, over what two independent draws would share.

    Of N far pixels, two draws of n share n^2 / N; by the hypergeometric law
    with a variance below that mean. Returned with its standard deviation, at
    most, summed over all maps.
    """
    near, drawn = one
    np.testing.assert_array_equal(near, other[0])
    mean = (drawn.sum(-1) ** 2 / (~near).sum(-1)).sum()
    return (drawn & other[1]).sum() / mean, mean**-0.5


@pytest.mark.parametrize("seed", [1, -1, 2**31 - 1, 2**40 + 1])
def test_another_seed_is_an_independent_draw(seed):
    truth = people(margin=0, joints=50)
    one = masks(BinaryCrossEntropy(4), truth, 64, 64)
    other = masks(BinaryCrossEntropy(4, seed=seed), truth, 64, 64)
    ratio, deviation = overlap(one, other)
    assert abs(ratio - 1) < 5 * deviation < 0.2


@pytest.mark.parametrize(
    "shift", [(1 / 1024, 0), (0, 1 / 1024), (1 / 64, -1 / 64)], ids=str
)
def test_a_joint_moved_a_little_is_an_independent_draw(shift):
    # On multiples of 1 / 8, to which the shift adds without rounding; those
    # that it would not take across the edge of a disk.
    truth = np.floor(people(margin=0, joints=80) * 8) / 8
    square = cases.square_distances(truth, 4, 64, 64)
    clear = (abs(square**0.5 - 15) > 0.03).all(axis=(1, 2))
    truth = truth[clear][None]
    loss = BinaryCrossEntropy(stride=4)
    moved = masks(loss, truth + np.array([*shift, 0], "float32"), 64, 64)
    ratio, deviation = overlap(masks(loss, truth, 64, 64), moved)
    assert abs(ratio - 1) < 5 * deviation < 0.2


def require_even(near, drawn):
    """Fails unless `(draws, N)` masks of one disk draw all pixels as often.

    Pearson's statistic of draws without replacement is chi-square with N - 1
    degrees: of mean N - 1 and variance 2 (N - 1). Five deviations let about
    one sound generator in a million fail; on either side, because counts
    that are too even are not random either.
    """
    assert (near == near[0]).all()
    counts = drawn[:, ~near[0]].sum(axis=0)
    chance = drawn.mean(axis=0).sum() / len(counts)
    spread = len(drawn) * chance * (1 - chance)
    degrees = len(counts) - 1
    statistic = ((counts - len(drawn) * chance) ** 2 / spread).mean() * degrees
    assert abs(statistic - degrees) < 5 * (2 * degrees) ** 0.5


@pytest.mark.parametrize("along", [(1, 0), (0, 1), (1, 1), (1, -1)], ids=str)
def test_joints_in_a_row_draw_every_far_pixel_as_often(along):
    # 1/4096 apart, on half a pixel around a place whose disk stays the same.
    truth = np.ones((1, 2000, 3), "float32")
    steps = (np.arange(2000) - 1000) / 4096
    truth[0, :, :2] = 127.5 + steps[:, None] * along
    near, drawn = masks(BinaryCrossEntropy(stride=8), truth, 32, 32)
    assert near[0, 0].sum() == 12
    require_even(near[0], drawn[0])


def test_seeds_in_a_row_draw_every_far_pixel_as_often():
    truth = cases.labels([(63.5, 63.5, 1)])
    each = [
        masks(BinaryCrossEntropy(8, seed=seed), truth, 16, 16)
        for seed in range(200)
    ]
    near, drawn = (np.concatenate(mask)[:, 0] for mask in zip(*each))
    require_even(near, drawn)


def test_rejects_a_radius_or_a_ratio_without_a_meaning():
    with pytest.raises(ValueError, match=r"positive. Received: radius=0"):
        BinaryCrossEntropy(8, radius=0)
    with pytest.raises(ValueError, match="Received: negatives=-1"):
        BinaryCrossEntropy(8, negatives=-1)


# Run in its own process: Keras takes one backend for good.
ON_TORCH = """
import sys
import keras
import numpy as np
from integral_tf import losses

assert keras.backend.backend() == "torch"
file = np.load(sys.argv[1])
truth = keras.ops.convert_to_tensor(file["truth"])
heatmaps = keras.ops.convert_to_tensor(file["maps"])
loss = losses.BinaryCrossEntropy(stride=8, seed=2**31 - 1)
near, drawn = loss.draw(truth, heatmaps)
np.savez(
    sys.argv[2],
    near=keras.ops.convert_to_numpy(near),
    drawn=keras.ops.convert_to_numpy(drawn),
    cost=keras.ops.convert_to_numpy(loss(truth, heatmaps)),
)
"""


def test_draws_the_same_on_torch(tmp_path):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    truth = people(joints=10)
    truth[1, ::2] = (np.nan, np.nan, 0)
    maps = np.random.default_rng(0).normal(size=(4, 32, 32, 10))
    maps = maps.astype("float32")
    np.savez(tmp_path / "in.npz", truth=truth, maps=maps)
    subprocess.run(
        [
            sys.executable,
            "-c",
            ON_TORCH,
            tmp_path / "in.npz",
            tmp_path / "out.npz",
        ],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        check=True,
    )
    got = np.load(tmp_path / "out.npz")
    loss = BinaryCrossEntropy(stride=8, seed=2**31 - 1)
    near, drawn = masks(loss, truth, 32, 32)
    np.testing.assert_array_equal(got["near"], near)
    np.testing.assert_array_equal(got["drawn"], drawn)
    close(got["cost"], loss(truth, maps))


def test_a_far_pixel_of_minus_infinity_costs_nothing():
    truth = cases.labels([(8, 8, 1)])
    loss = BinaryCrossEntropy(4, radius=5.0, negatives=99)
    maps = cases.empty(8, 8)
    near, _ = masks(loss, truth, 8, 8)
    maps.reshape(-1)[~near.reshape(-1)] = -np.inf
    # The near ones cost log 2 each, and all are counted.
    wanted = math.log(2) * near.sum() / 64
    close(float(loss(truth, maps)), wanted)
