"""Gives the people of a film numbers that they keep from frame to frame.

A pose belongs to the track whose prediction it resembles most: by OKS of the
joints and IoU of the boxes around them. Nothing here is from the paper.

Shape letters: N poses, M tracks, K joints. Points and boxes are in image
pixels.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from integral_tf import checks
from integral_tf import skeletons
from integral_tf.detection import refinement
from integral_tf.detection import suppression
from integral_tf.inference import pose as poses_of
from integral_tf.metrics import oks

# ours: mean of OKS and IoU from which a pose may be a track's.
_ALIKE = 0.2
# ours: OKS from which two poses of one frame are of one person.
_SAME = 0.65
# ours: seconds of a person's past that tell where the person moves.
_INERTIA = 0.3
# ours: a new person is taken to have stood still for so many seconds, because
# the errors of two poses are no velocity.
_AT_REST = 0.16


class _Track:
    """One person, whose middle follows a critically damped g-h filter.

    Attributes:
        number: The person's number in the film, from 1.
        pose: The last pose.
        seconds: Time of this pose.
        seen: Time of the last pose that nobody else had, too.
    """

    def __init__(self, number: int, pose: poses_of.Pose, seconds: float):
        self.number, self.pose = number, pose
        self.seconds = self.seen = seconds
        self._middle, self._velocity = _middle(pose), np.zeros(2)
        self._count = 1

    def moved(self, seconds: float) -> np.ndarray:
        """`(2,)` pixels from the last pose to where it is expected."""
        expected = self._middle + self._velocity * (seconds - self.seconds)
        return expected - _middle(self.pose)

    def take(self, pose: poses_of.Pose, seconds: float, seen: bool) -> None:
        """Goes on with the pose of a later frame; `seen` if of nobody else."""
        step = seconds - self.seconds
        expected = self._middle + self._velocity * step
        surprise = _middle(pose) - expected
        # The gains of a straight line through all frames so far, and then of
        # one through the frames of about `_INERTIA` seconds.
        self._count += 1 + round(_AT_REST / step) * (self._count == 1)
        both = self._count * (self._count + 1)
        left = math.exp(-step / _INERTIA)
        place = max(1 - left**2, 2 * (2 * self._count - 1) / both)
        speed = max((1 - left) ** 2, 6 / both)
        self._middle = expected + place * surprise
        self._velocity = self._velocity + speed / step * surprise
        self.pose, self.seconds = pose, seconds
        self.seen = seconds if seen else self.seen


class Tracker:
    """Matches the poses of each frame with the people of the frames before.

    A person who is not found moves on at a constant velocity for `lost`
    seconds, and is then forgotten. Numbers are never given twice. If two
    people's poses are alike, because one hides the other, the pose is that of
    the person whose prediction it resembles more; the other is not found.

    Args:
        lost: Seconds for which a person who is not found is remembered.

    Raises:
        ValueError: `lost` is negative.

    Example: someone who moves 10 pixels to the right between frames.

    >>> from integral_tf import skeletons
    >>> from integral_tf.inference.pose import Pose
    >>> joints = np.array([[10.0 * k, 8.0 * (k % 4)] for k in range(14)])
    >>> def seen(shift):
    ...     box = np.array([shift, 0, 140.0, 30.0])
    ...     return Pose(joints + (shift, 0), np.ones(14), box, skeletons.LSP)
    >>> track = Tracker()
    >>> [pose.number for pose in track([seen(0), seen(500)], seconds=0.0)]
    [1, 2]
    >>> [pose.number for pose in track([seen(510), seen(10)], seconds=0.1)]
    [2, 1]
    """

    def __init__(self, lost: float = 1.0) -> None:
        checks.number(
            "lost",
            lost,
            "`lost` is the seconds for which a person is remembered.",
            least=0,
        )
        self.lost = lost
        self._tracks: list[_Track] = []
        self._count = 0
        self._seconds = -math.inf

    @property
    def numbers(self) -> list[int]:
        """Numbers of the people who are remembered."""
        return [track.number for track in self._tracks]

    def boxes(self, seconds: float) -> np.ndarray:
        """The boxes in which to look for the people at a later time.

        Args:
            seconds: Time of the frame.

        Returns:
            `(M, 4)` x, y, width, height: the box around the last pose's sure
            joints, or the last box, moved on at the person's velocity.
        """
        self._forget(seconds)
        boxes = [_box(track.pose) for track in self._tracks]
        for box, track in zip(boxes, self._tracks):
            box[:2] += track.moved(seconds)
        return np.reshape(boxes, (-1, 4))

    def __call__(
        self,
        poses: Sequence[poses_of.Pose],
        seconds: float,
        *,
        new: bool = True,
    ) -> list[poses_of.Pose]:
        """Numbers the poses of a frame.

        Args:
            poses: The frame's N poses.
            seconds: Time of the frame, later than that of the last call.
            new: Whether a pose that is no known person's is a new person; else
                it is left out. Poses in `boxes` show no new people.

        Returns:
            The poses of people, in the order of `poses`; `number` is the
            person's number in the film, from 1. Poses without a sure joint,
            and poses of a person who has another in this frame, are left out.

        Raises:
            ValueError: the frame is not later than the last.
        """
        if not seconds > self._seconds:
            raise ValueError(
                "Each frame is later than the frame before. "
                f"Received: {seconds} s after {self._seconds} s"
            )
        self._seconds = seconds
        self._forget(seconds)
        poses = [pose for pose in poses if pose.sure]
        alike = self._alike(poses, seconds)
        owners = _assigned(alike)
        same = _same(poses)
        hidden = set()
        for i, j in np.argwhere(np.triu(same)).tolist():
            if {i, j} <= owners.keys() - hidden:
                hidden.add(min(i, j, key=lambda k: alike[k, owners[k]]))
        for i, owner in owners.items():
            self._tracks[owner].take(poses[i], seconds, seen=i not in hidden)
        taken = list(owners)
        for i in range(len(poses) if new else 0):
            if i not in taken and not same[i, taken].any():
                self._count += 1
                owners[i] = len(self._tracks)
                self._tracks.append(_Track(self._count, poses[i], seconds))
                taken.append(i)
        numbers = {i: self._tracks[owner].number for i, owner in owners.items()}
        return [
            dataclasses.replace(poses[i], number=numbers[i])
            for i in sorted(owners.keys() - hidden)
        ]

    def _forget(self, seconds):
        self._tracks = [
            track
            for track in self._tracks
            # Times are sums of steps: a frame exactly `lost` later counts.
            if seconds - track.seen <= self.lost + 1e-6
        ]

    def _alike(self, poses, seconds):
        """`(N, M)` mean of OKS and IoU of poses and the tracks' predictions."""
        if not poses or not self._tracks:
            return np.zeros((len(poses), len(self._tracks)))
        moves = [track.moved(seconds) for track in self._tracks]
        before = [track.pose for track in self._tracks]
        joints = [pose.joints + move for pose, move in zip(before, moves)]
        boxes = self.boxes(seconds)
        now = np.array([_box(pose) for pose in poses])
        similar = _oks(poses, [pose.joints for pose in poses], joints, boxes)
        return (similar + _iou(now, boxes)) / 2


def _middle(pose):
    """`(2,)` mean of the joints, weighted by their scores."""
    return np.average(pose.joints, axis=0, weights=pose.scores + 1e-6)


def _box(pose):
    """`(4,)` box around the pose's sure joints, or else its own box."""
    box = refinement.sure_box(pose.joints, pose.scores)
    return np.array(pose.box if box is None else box, np.float64)


def _oks(poses, first, second, boxes):
    """`(N, M)` OKS of N with M poses `(K, 2)`, whose boxes are `(M, 4)`."""
    first, second = np.asarray(first), np.asarray(second)
    sigmas = poses[0].skeleton.sigmas
    sigmas = sigmas or (skeletons.DEFAULT_SIGMA,) * first.shape[1]
    rows, columns = np.indices((len(first), len(second))).reshape(2, -1)
    similar = oks.of_pairs(
        first,
        second,
        np.isfinite(second).all(axis=-1),
        np.prod(boxes[columns, 2:], axis=-1),
        sigmas,
        pairs=(rows, columns),
    )
    return np.nan_to_num(similar).reshape(len(first), len(second))


def _iou(first, second):
    """`(N, M)` intersection over union of boxes `(N, 4)` and `(M, 4)`."""
    first, second = (
        np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        for boxes in (first, second)
    )
    return suppression.overlaps(first[:, None], second)


def _assigned(alike):
    """Dict from a row to its column, by the largest sum of `alike`."""
    from scipy import optimize

    allowed = np.where(alike >= _ALIKE, alike, 0)
    rows, columns = optimize.linear_sum_assignment(allowed, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist())
    return {i: j for i, j in pairs if allowed[i, j]}


def _same(poses):
    """`(N, N)` bools: whether two poses of a frame are of one person."""
    if not poses:
        return np.zeros((0, 0), bool)
    joints = [pose.joints for pose in poses]
    boxes = np.array([_box(pose) for pose in poses])
    similar = _oks(poses, joints, joints, boxes)
    same = np.maximum(similar, similar.T) >= _SAME
    np.fill_diagonal(same, False)
    return same
