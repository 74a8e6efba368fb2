"""Tests for the One Euro filter, and for the Kalman filter and RTS smoother."""

import numpy as np
import pytest

from integral_tf.inference import smoothing

SIZE = 100.0


def measured(frames=12, joints=3, seed=0):
    """Uneven times, joints, and covariances that are all different."""
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.uniform(0.02, 0.08, frames))
    points = rng.normal(0, 20, (frames, joints, 2))
    roots = rng.normal(0, 2, (frames, joints, 2, 2))
    return seconds, points, roots @ roots.mT + np.eye(2)


def least_squares(seconds, points, covariances, agility):
    """The most probable path of one joint, by one dense system.

    The prior, the random accelerations and the measurements are rows of one
    weighted least-squares problem in all x, y and velocities. Its normal
    equations are solved at once: no filter, no recursion.

    Returns:
        `(T, 2)` positions and `(T, 2, 2)` their covariances.
    """
    count = len(seconds)
    known = np.isfinite(points).all(axis=-1)
    precision = np.zeros((4 * count, 4 * count))
    pull = np.zeros(4 * count)

    def add(rows, target, covariance):
        weight = np.linalg.inv(covariance)
        precision[:] += rows.T @ weight @ rows
        pull[:] += rows.T @ weight @ target

    first = points[known.argmax()]
    # Ten sizes, and ten sizes per second.
    prior = np.eye(4, 4 * count), np.append(first, [0, 0])
    add(*prior, (10 * SIZE) ** 2 * np.eye(4))
    for t in range(count - 1):
        step = seconds[t + 1] - seconds[t]
        rows = np.zeros((4, 4 * count))
        for axis in range(2):
            x, v = 4 * t + axis, 4 * t + 2 + axis
            rows[axis, [x, v, x + 4]] = -1, -step, 1
            rows[2 + axis, [v, v + 4]] = -1, 1
        noise = np.zeros((4, 4))
        noise[[0, 1], [0, 1]] = step**3 / 3
        noise[[0, 1, 2, 3], [2, 3, 0, 1]] = step**2 / 2
        noise[[2, 3], [2, 3]] = step
        add(rows, np.zeros(4), agility**2 * noise)
    for t in np.flatnonzero(known):
        rows = np.zeros((2, 4 * count))
        rows[[0, 1], [4 * t, 4 * t + 1]] = 1
        # The covariance of a sharp map is 0: (0.1 pixel)^2 is added.
        add(rows, points[t], covariances[t] + 0.01 * np.eye(2))
    spread = np.linalg.inv(precision)
    path = (spread @ pull).reshape(count, 4)[:, :2]
    blocks = [
        spread[4 * t : 4 * t + 2, 4 * t : 4 * t + 2] for t in range(count)
    ]
    return path, np.array(blocks)


@pytest.mark.parametrize("missing", [[], [0], [3, 4, 5], [11]])
def test_kalman_and_rts_are_least_squares_over_the_whole_film(missing):
    seconds, points, covariances = measured()
    points[missing, 1] = np.nan
    smooth = smoothing.KalmanRTS(agility=2.0, memory=0.0, degrees=None)
    got, spread = smooth(seconds, points, covariances, SIZE)
    for k in range(points.shape[1]):
        path, blocks = least_squares(
            seconds, points[:, k], covariances[:, k], 2.0 * SIZE
        )
        np.testing.assert_allclose(got[:, k], path, atol=1e-8)
        np.testing.assert_allclose(spread[:, k], blocks, atol=1e-8)


def test_a_sure_joint_moves_less_than_an_unsure_one():
    seconds = np.arange(9) / 25
    points = np.zeros((9, 2, 2))
    points[4] = 10, 0  # both joints jump in one frame
    covariances = np.tile(np.eye(2), (9, 2, 1, 1))
    covariances[4, 1] *= 400
    smooth = smoothing.KalmanRTS(degrees=None, memory=0.0)
    got, _ = smooth(seconds, points, covariances, SIZE)
    sure, unsure = got[4, :, 0]
    assert unsure < 0.1 < 1 < sure < 10


def test_heavy_tails_leave_an_outlier_out():
    rng = np.random.default_rng(0)
    seconds = np.arange(40) / 25
    # Constant velocity with errors of one pixel, and one frame on another limb.
    truth = np.stack([60 * seconds, -20 * seconds], axis=-1)[:, None]
    points = truth + rng.normal(0, 1, truth.shape)
    points[20] += 50
    covariances = np.tile(np.eye(2), (40, 1, 1, 1))
    errors = {}
    for degrees in (None, 4.0):
        smooth = smoothing.KalmanRTS(degrees=degrees, memory=0.0)
        got, _ = smooth(seconds, points, covariances, SIZE)
        errors[degrees] = np.linalg.norm(got - truth, axis=-1).max()
    assert errors[4.0] < 2.5 < 10 < errors[None]


def test_a_gap_of_a_constant_velocity_is_bridged_by_a_straight_line():
    seconds = np.arange(12) / 25
    truth = np.stack([50 * seconds, 10 + 25 * seconds], axis=-1)[:, None]
    points = truth.copy()
    points[4:9] = np.nan
    got, spread = smoothing.KalmanRTS()(seconds, points, None, SIZE)
    np.testing.assert_allclose(got, truth, atol=0.05)
    sizes = np.trace(spread[:, 0], axis1=-2, axis2=-1)
    assert sizes[6] > sizes[4] > sizes[3]  # least sure in the middle


def test_memory_makes_the_result_independent_of_the_rate():
    # Each measurement given twice as often tells nothing new.
    paths = []
    for rate in (25, 50):
        seconds = np.arange(2 * rate) / rate
        points = np.sin(7 * seconds)[:, None, None] * [10.0, 5.0]
        smooth = smoothing.KalmanRTS(memory=0.1, degrees=None)
        got, spread = smooth(seconds, points, None, SIZE)
        paths.append((got[:: rate // 25], spread[:: rate // 25]))
    (slow, wide), (fast, narrow) = paths
    # Away from the ends.
    np.testing.assert_allclose(slow[10:-10], fast[10:-10], atol=0.2)
    np.testing.assert_allclose(narrow[10:-10], wide[10:-10], rtol=0.05)


def test_one_frame_is_as_it_was():
    got, spread = smoothing.KalmanRTS(degrees=None, memory=0)(
        [0.5], [[[3.0, 4.0]]], [[[[1.0, 0.0], [0.0, 1.0]]]], SIZE
    )
    assert got.tolist() == [[[3.0, 4.0]]]
    np.testing.assert_allclose(spread[0, 0], 1.01 * np.eye(2), atol=1e-5)


def test_times_that_do_not_ascend_are_refused():
    smooth = smoothing.KalmanRTS()
    with pytest.raises(ValueError, match="Received: 2 frames, the shortest"):
        smooth([1.0, 1.0], np.zeros((2, 1, 2)), None, SIZE)
    with pytest.raises(ValueError, match="0 frames with the joint"):
        smooth([1.0, 2.0], np.full((2, 1, 2), np.nan), None, SIZE)
    with pytest.raises(ValueError, match="Received: agility=0"):
        smoothing.KalmanRTS(agility=0)
    with pytest.raises(ValueError, match="Received: degrees=-1"):
        smoothing.KalmanRTS(degrees=-1)


def test_one_euro_is_the_filter_of_its_authors():
    # By hand, with cutoffs of 1 / (2 pi) Hz: of a step of 1 s the share is 1/2.
    cutoff = 1 / (2 * np.pi)
    smooth = smoothing.OneEuro(
        min_cutoff=cutoff, beta=2 * cutoff, d_cutoff=cutoff
    )
    assert smooth(0.0, [[0.0, 0.0]], 10).tolist() == [[0, 0]]
    # Velocity (6, 8) / s, half of that after its filter: a speed of 5 / 10
    # sizes per second. Cutoff (1 + 2 * 0.5) / (2 pi): a share of 2/3.
    got = smooth(1.0, [[6.0, 8.0]], 10)
    np.testing.assert_allclose(got, [[4, 16 / 3]])


def test_one_euro_keeps_a_missing_joint_and_takes_it_up_again():
    smooth = smoothing.OneEuro()
    nan = [np.nan, np.nan]
    assert np.isnan(smooth(0.0, [nan, [1.0, 1.0]], 10)[0]).all()
    got = smooth(0.1, [[2.0, 3.0], nan], 10)
    assert got.tolist() == [[2, 3], [1, 1]]
    assert np.isfinite(smooth(0.2, [[2.0, 3.0], [1.0, 1.0]], 10)).all()


def test_one_euro_removes_jitter_of_a_joint_at_rest():
    rng = np.random.default_rng(0)
    points = 50 + rng.normal(0, 2, (100, 1, 2))
    smooth = smoothing.OneEuro()
    got = np.array([smooth(t / 25, p, 200) for t, p in enumerate(points)])
    assert np.diff(got, axis=0).std() < 0.4 * np.diff(points, axis=0).std()


def test_one_euro_refuses_what_is_no_filter():
    with pytest.raises(ValueError, match="above 0. Received: min_cutoff=0"):
        smoothing.OneEuro(min_cutoff=0)
    with pytest.raises(ValueError, match="not negative. Received: beta=-1"):
        smoothing.OneEuro(beta=-1)
    smooth = smoothing.OneEuro()
    smooth(1.0, [[0.0, 0.0]], 10)
    with pytest.raises(ValueError, match="Received: 1.0 s after 1.0 s"):
        smooth(1.0, [[0.0, 0.0]], 10)
