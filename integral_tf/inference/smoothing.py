"""Smooths the joints of one person over the frames of a film.

    OneEuro     frame by frame, as frames come
    KalmanRTS   the whole film at once: forwards, then backwards

`OneEuro` is the filter of Casiez, Roussel and Vogel, "1 Euro Filter: A Simple
Speed-based Low-pass Filter for Noisy Input in Interactive Systems" (2012).
`KalmanRTS` is a Kalman filter (1960) with the smoother of Rauch, Tung and
Striebel (1965). Nothing here is from the paper on integral regression.

Speeds and accelerations are relative to the person's size, the longer side of
the box, so that one setting serves people of all sizes. Times are in seconds:
the rate of the frames may vary.

Shape letters: T frames, K joints. Everything is float64 NumPy, image frame.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from integral_tf import checks
from integral_tf.signatures import ArrayLike

# Square pixels, added to each covariance: that of a sharp map is 0.
_LEAST = 1e-2
# ours: without a covariance, a joint's standard deviation in person's sizes.
_DEVIATION = 0.03
# ours: what is known before the first frame, in person's sizes and seconds: a
# position within ten sizes, a speed within ten sizes per second.
_PRIOR = 10.0
# The weights of a Student's t distribution have converged at this change.
_SETTLED = 1e-3


class OneEuro:
    """The One Euro filter: slow joints are smoothed more than fast ones.

    A low-pass filter whose cutoff frequency is `min_cutoff + beta * speed`. The
    speed is smoothed by a low-pass filter with the cutoff `d_cutoff`. Each
    joint has its own speed, the length of its velocity: the original takes x
    and y separately, which would depend on the camera's rotation.

    ours: the defaults, the best on drawn people (docs/choices.md).

    Args:
        min_cutoff: Cutoff in Hz of a joint at rest. A lower one removes more
            jitter.
        beta: Hz per person's size per second. A higher one lags less.
        d_cutoff: Cutoff in Hz of the speed.

    Raises:
        ValueError: an argument is out of range.

    Example: a joint that jumps by 8 pixels, half a second later.

    >>> smooth = OneEuro(min_cutoff=1.0, beta=0.0)
    >>> smooth(0.0, [[0.0, 0.0]], size=100).tolist()
    [[0.0, 0.0]]
    >>> smooth(0.5, [[8.0, 0.0]], size=100).round(2).tolist()
    [[6.07, 0.0]]
    """

    def __init__(
        self,
        *,
        min_cutoff: float = 1.0,
        beta: float = 4.0,
        d_cutoff: float = 1.0,
    ) -> None:
        sentence = "A cutoff is a frequency in Hz, above 0."
        checks.number("min_cutoff", min_cutoff, sentence, above=0)
        checks.number("d_cutoff", d_cutoff, sentence, above=0)
        checks.number("beta", beta, "`beta` is not negative.", least=0)
        self.min_cutoff, self.beta, self.d_cutoff = min_cutoff, beta, d_cutoff
        self._seconds = self._joints = self._velocity = None

    def __call__(
        self, seconds: float, joints: ArrayLike, size: float
    ) -> np.ndarray:
        """The smoothed joints of the next frame.

        Args:
            seconds: Time of the frame, later than that of the last call.
            joints: `(K, 2)` in image pixels; a joint that is NaN is missing.
            size: The person's size in pixels.

        Returns:
            `(K, 2)`. A missing joint stays where it was; NaN before it was
            first seen.

        Raises:
            ValueError: the frame is not later than the last.
        """
        joints = np.asarray(joints, np.float64)
        if self._joints is None:
            self._seconds, self._joints = seconds, joints
            self._velocity = np.zeros_like(joints)
            return joints.copy()
        step = seconds - self._seconds
        if not step > 0:
            raise ValueError(
                "Each frame is later than the frame before. "
                f"Received: {seconds} s after {self._seconds} s"
            )
        before = self._joints
        velocity = (joints - before) / step
        velocity = np.where(np.isfinite(velocity), velocity, self._velocity)
        share = _share(self.d_cutoff, step)
        self._velocity += share * (velocity - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=-1, keepdims=True) / size
        share = _share(self.min_cutoff + self.beta * speed, step)
        moved = before + share * (joints - before)
        moved = np.where(np.isnan(before), joints, moved)
        self._joints = np.where(np.isnan(moved), before, moved)
        self._seconds = seconds
        return self._joints.copy()


def _share(cutoff, step):
    """A low-pass filter's share of the new value after `step` seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))


@dataclasses.dataclass(frozen=True)
class KalmanRTS:
    """A Kalman filter forwards and the Rauch-Tung-Striebel smoother backwards.

    A joint moves at a constant velocity but for random accelerations. Its
    measurement has the joint's covariance in this frame, so that unsure joints
    are moved towards their path, and sure ones are not. Errors follow a
    Student's t distribution with the covariance as scale, as those of
    `layers.CovarianceCalibration`: a joint far from its path, such as one on
    another limb, counts less. This is the EM algorithm: `rounds` times both
    passes, with each joint's covariance divided by its weight of the round
    before.

    A network errs alike in neighbouring frames. `memory` says how long: the
    covariance is multiplied by the number of frames in twice this time, which
    also makes the result independent of the rate of the frames.

    ours: the defaults, the best on drawn people (docs/choices.md).

    Attributes:
        agility: Standard deviation of the change of velocity in a second, in
            person's sizes per second.
        memory: Seconds until errors are independent; 0 if those of every frame
            are.
        degrees: Degrees of freedom of the errors; None for normal errors.
        rounds: Most rounds for these weights.

    Raises:
        ValueError: an argument is out of range.
    """

    agility: float = 1.0
    memory: float = 0.1
    degrees: float | None = 4.0
    rounds: int = 10

    def __post_init__(self) -> None:
        checks.number("agility", self.agility, "It is above 0.", above=0)
        checks.number("memory", self.memory, "It is not negative.", least=0)
        if self.degrees is not None:
            checks.number("degrees", self.degrees, "They are above 0.", above=0)
        checks.whole("rounds", self.rounds, "At least one round.", least=1)

    def __call__(
        self,
        seconds: ArrayLike,
        joints: ArrayLike,
        covariances: ArrayLike | None,
        size: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The smoothed joints of all frames.

        Args:
            seconds: `(T,)` times of the frames, ascending.
            joints: `(T, K, 2)` in image pixels; a joint that is NaN is missing
                in its frame. Each joint is seen in a frame at least.
            covariances: `(T, K, 2, 2)` in square pixels; (0.1 pixel)^2 is added
                to their diagonals. None takes a constant, (3 % of `size`)^2.
            size: The person's size in pixels.

        Returns:
            `(T, K, 2)` joints, also where they are missing; and `(T, K, 2, 2)`
            their covariances.

        Raises:
            ValueError: the times do not ascend, or a joint is seen in no frame.
        """
        seconds = np.asarray(seconds, np.float64)
        joints = np.asarray(joints, np.float64)
        seen = np.isfinite(joints).all(axis=-1)
        steps = np.diff(seconds)
        if not (steps > 0).all() or not seen.any(axis=0).all():
            raise ValueError(
                "The times of frames ascend, and each joint is seen in one at "
                f"least. Received: {len(seconds)} frames, the shortest step "
                f"{steps.min(initial=np.inf):g} s; {seen.sum(axis=0).min()} "
                "frames with the joint that is seen least"
            )
        noise = _noise(covariances, joints.shape, size)
        if self.memory and len(steps):
            noise *= max(1.0, 2 * self.memory / float(np.median(steps)))
        chain = _Chain(steps, joints, seen, self.agility * size, size)
        weights = np.ones(seen.shape)
        for _ in range(1 if self.degrees is None else self.rounds):
            states, spread = chain.smooth(noise / weights[..., None, None])
            points, around = states[..., :2], spread[..., :2, :2]
            if self.degrees is None:
                break
            before = weights
            weights = self._weights(joints - points, around, noise, seen)
            if np.abs(weights - before).max() < _SETTLED:
                break
        return points, around

    def _weights(self, errors, around, noise, seen):
        """`(T, K)` expected precision of each measurement, relative to R."""
        errors = np.where(seen[..., None], errors, 0.0)
        inverse = np.linalg.inv(noise)
        square = np.einsum("tki,tkij,tkj->tk", errors, inverse, errors)
        square += np.einsum("tkij,tkji->tk", inverse, around)
        weights = (self.degrees + 2) / (self.degrees + square)
        return np.where(seen, weights, 1.0)


def _noise(covariances, shape, size):
    """`(T, K, 2, 2)` covariances of the measurements, in square pixels."""
    identity = np.broadcast_to(np.eye(2), (*shape, 2))
    if covariances is None:
        return (_DEVIATION * size) ** 2 * identity
    covariances = np.asarray(covariances, np.float64)
    finite = np.isfinite(covariances).all(axis=(-2, -1), keepdims=True)
    return np.where(finite, covariances, 0.0) + _LEAST * identity


class _Chain:
    """The chain of states, x, y and their velocities, of all K joints.

    Args:
        steps: `(T - 1,)` seconds between frames.
        joints: `(T, K, 2)` measurements.
        seen: `(T, K)` whether a joint is measured.
        agility: As `KalmanRTS.agility`, in pixels.
        size: The person's size in pixels.
    """

    def __init__(self, steps, joints, seen, agility, size):
        self.steps, self.seen, self.agility = steps, seen, agility
        self.joints = np.where(seen[..., None], joints, 0.0)
        self.start = np.zeros((joints.shape[1], 4))
        # Around the joint's first measurement.
        first = seen.argmax(axis=0)
        self.start[:, :2] = self.joints[first, np.arange(len(first))]
        self.prior = (_PRIOR * size) ** 2 * np.eye(4)

    def smooth(self, noise):
        """Both passes.

        Args:
            noise: `(T, K, 2, 2)` covariances of the measurements.

        Returns:
            `(T, K, 4)` states and `(T, K, 4, 4)` their covariances.
        """
        count = len(self.joints)
        state = self.start
        spread = np.broadcast_to(self.prior, (len(state), 4, 4))
        states = np.empty((count, *state.shape))
        spreads = np.empty((count, *spread.shape))
        expected, around = states.copy(), spreads.copy()
        for t in range(count):
            if t:
                move, random = self._step(t - 1)
                state = state @ move.T
                spread = move @ spread @ move.T + random
            expected[t], around[t] = state, spread
            state, spread = self._measured(t, state, spread, noise[t])
            states[t], spreads[t] = state, spread
        for t in range(count - 2, -1, -1):
            move, _ = self._step(t)
            gain = np.linalg.solve(around[t + 1], move @ spreads[t]).mT
            change = states[t + 1] - expected[t + 1]
            states[t] += np.einsum("kij,kj->ki", gain, change)
            change = spreads[t + 1] - around[t + 1]
            spreads[t] += gain @ change @ gain.mT
        return states, spreads

    def _step(self, t):
        """Transition and covariance of random accelerations to the next frame.

        The accelerations are white noise: the velocity's variance grows by
        `agility` squared in a second.
        """
        step = self.steps[t]
        move = np.kron([[1.0, step], [0.0, 1.0]], np.eye(2))
        random = [[step**3 / 3, step**2 / 2], [step**2 / 2, step]]
        return move, self.agility**2 * np.kron(random, np.eye(2))

    def _measured(self, t, state, spread, noise):
        innovation = self.joints[t] - state[:, :2]
        total = spread[:, :2, :2] + noise
        gain = np.linalg.solve(total, spread[:, :2, :]).mT
        gain = np.where(self.seen[t, :, None, None], gain, 0.0)
        state = state + np.einsum("kij,kj->ki", gain, innovation)
        # Joseph's form, which stays symmetric and positive.
        left = np.eye(4) - np.pad(gain, ((0, 0), (0, 0), (0, 2)))
        return state, left @ spread @ left.mT + gain @ noise @ gain.mT
