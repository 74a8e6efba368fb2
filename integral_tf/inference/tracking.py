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
from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.detection import refinement
from integral_tf.inference import pose as poses_of
from integral_tf.metrics import oks

# ours: mean of OKS and IoU from which a pose may be a track's.
_ALIKE = 0.2
# ours: OKS from which two poses of one frame are of one person.
_SAME = 0.8
# ours: seconds over which a track's velocity is averaged.
_INERTIA = 0.3


@dataclasses.dataclass
class _Track:
    """One person.

    Attributes:
        number: The person's number in the film, from 1.
        pose: The last pose.
        seconds: Time of this pose.
        velocity: `(2,)` of the whole body, in pixels per second.
    """

    number: int
    pose: poses_of.Pose
    seconds: float
    velocity: np.ndarray

    def moved(self, seconds: float) -> np.ndarray:
        """`(2,)` pixels that the body moves until a later time."""
        return self.velocity * (seconds - self.seconds)

    def take(self, pose: poses_of.Pose, seconds: float) -> None:
        """Goes on with the pose of a later frame."""
        step = seconds - self.seconds
        moves = (pose.joints - self.pose.joints) / step
        # The median, because single joints jump.
        change = np.nan_to_num(np.nanmedian(moves, axis=0)) - self.velocity
        self.velocity = self.velocity + change * -math.expm1(-step / _INERTIA)
        self.pose, self.seconds = pose, seconds


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
        for i, j in np.argwhere(np.triu(same)).tolist():
            if i in owners and j in owners:
                weaker = min(i, j, key=lambda each: alike[each, owners[each]])
                del owners[weaker]
        if new:
            taken = set(owners)
            for i in range(len(poses)):
                if i not in taken and not same[i, list(taken)].any():
                    owners[i] = len(self._tracks)
                    self._begin(poses[i], seconds)
                    taken.add(i)
        found = []
        for i, owner in sorted(owners.items()):
            track = self._tracks[owner]
            if track.seconds < seconds:
                track.take(poses[i], seconds)
            track.pose = dataclasses.replace(poses[i], number=track.number)
            found.append(track.pose)
        return found

    def _begin(self, pose, seconds):
        self._count += 1
        track = _Track(self._count, pose, seconds, np.zeros(2))
        self._tracks.append(track)

    def _forget(self, seconds):
        self._tracks = [
            track
            for track in self._tracks
            # Times are sums of steps: a frame exactly `lost` later counts.
            if seconds - track.seconds <= self.lost + 1e-6
        ]

    def _alike(self, poses, seconds):
        """`(N, M)` mean of OKS and IoU of poses with the tracks' predictions."""
        if not poses or not self._tracks:
            return np.zeros((len(poses), len(self._tracks)))
        moves = [track.moved(seconds) for track in self._tracks]
        before = [track.pose for track in self._tracks]
        joints = [pose.joints + move for pose, move in zip(before, moves)]
        boxes = self.boxes(seconds)
        now = np.array([_box(pose) for pose in poses])
        similar = _oks(poses, [pose.joints for pose in poses], joints, boxes)
        return (similar + _iou(now, boxes)) / 2


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
    first, second = first[:, None], second[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(
        first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:]
    )
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(first[..., 2:], axis=-1) + np.prod(second[..., 2:], axis=-1)
    return both / (areas - both)


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
