"""Tracks of labelling tools: shapes in some frames, and those between them.

Between two shapes of a track, a tool shows each point on the straight line from
one to the other, hidden or not as before.

ours: these shapes are labels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

# ours: more frames than this between two shapes are a damaged number.
_LONGEST = 100_000


@dataclasses.dataclass(frozen=True)
class Shape:
    """The points of a track in one frame.

    Attributes:
        number: The frame's number, from 0.
        points: Dict from a joint to x, y and COCO's visibility.
        is_keyframe: Whether it was set by hand.
        goes_on: Whether the track goes on until its next shape.
        is_there: Whether the person is to be seen in this frame.
    """

    number: int
    points: dict[Any, tuple[float, float, int]]
    is_keyframe: bool = True
    goes_on: bool = True
    is_there: bool = True


def filled(shapes: Iterable[Shape], step: int = 1) -> Iterator[Shape]:
    """Yields a track's shapes that are there, and those between them.

    Args:
        shapes: The shapes, in any order.
        step: Numbers of frames from one labelled frame to the next.

    Raises:
        ValueError: two shapes are too far apart.
    """
    ordered = sorted(shapes, key=lambda shape: shape.number)
    for shape, later in zip(ordered, [*ordered[1:], None]):
        if shape.is_there:
            yield shape
        if later is None or not shape.goes_on:
            continue
        if later.number - shape.number > _LONGEST * step:
            raise ValueError(
                f"Two shapes of a track are at most {_LONGEST:,} frames apart. "
                f"Received: frames {shape.number} and {later.number}"
            )
        for number in range(shape.number + step, later.number, step):
            share = (number - shape.number) / (later.number - shape.number)
            points = {
                joint: _between(point, later.points.get(joint, point), share)
                for joint, point in shape.points.items()
            }
            yield Shape(number, points, is_keyframe=False)


def _between(point, later, share):
    (x, y, seen), (next_x, next_y, _) = point, later
    return x + share * (next_x - x), y + share * (next_y - y), seen
