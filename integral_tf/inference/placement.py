"""Rows of a file of boxes, by the photograph or frame that they are of."""

import collections
import math
import pathlib

from integral_tf import config as configs
from integral_tf import skeletons
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import left_out
from integral_tf.records import ids

_FRAME = "any frame of the video, which has {}"


def of_photographs(
    config: configs.PredictConfig,
    rows: list,
    paths: list[pathlib.Path],
    skeleton: skeletons.Skeleton,
    left: left_out.LeftOut,
) -> dict[str, list[boxes_of.Person]]:
    """Puts the rows of a file of boxes to photographs.

    Args:
        config: A `config.PredictConfig`.
        rows: What `boxes.read` returned.
        paths: Paths of the photographs, of different names.
        skeleton: The model's `skeletons.Skeleton`.
        left: The `left_out.LeftOut` that counts the other rows.

    Returns:
        Lists of `boxes.Person` by file name.

    Raises:
        ValueError: no row is of one of them.
    """
    names = {path.name for path in paths}
    by_number = collections.defaultdict(list)
    for path in paths:
        by_number[number_of(path)].append(path.name)

    def place(row):
        name, number = row.get("file_name"), row.get("image_id")
        if name is None and number is None and len(paths) == 1:
            return paths[0].name
        if not name and isinstance(ids.key(number), int):
            name, *others = by_number.get(ids.key(number), [""])
            if others:
                raise boxes_of.Unfit(
                    f"whose image_id several images have: {name}, {others[0]}"
                )
        elif not isinstance(name, str):
            raise boxes_of.Unfit("without a file_name or an image_id")
        if name not in names:
            raise boxes_of.Elsewhere("of another image", name or number)
        return name

    people = boxes_of.sort(rows, place, skeleton, config.min_box_score, left)
    if not people:
        raise nobody(
            config, rows, left, f"any of the images, such as {paths[0].name}"
        )
    return people


def number_of(path: pathlib.Path) -> int | None:
    """COCO names its files by the image's number, in twelve digits."""
    return int(path.stem) if path.stem.isdecimal() else None


class Frames:
    """The rows of a file of boxes, by the frames of a video.

    Args:
        config, rows, skeleton, left: As of `of_photographs`.
        announced: How many frames the video says that it has; 0 if it does
            not say.

    Raises:
        ValueError: no row is of one of them.
    """

    def __init__(
        self,
        config: configs.PredictConfig,
        rows: list,
        announced: int,
        skeleton: skeletons.Skeleton,
        left: left_out.LeftOut,
    ) -> None:
        self._config, self._rows, self._left = config, rows, left
        self._people = boxes_of.sort(
            rows, _frame, skeleton, config.min_box_score, left
        )
        end = announced or math.inf
        if not any(frame < end for frame in self._people):
            raise self.nobody(announced)

    def pop(self, number: int) -> list[boxes_of.Person]:
        """The list of `boxes.Person` of a frame, each frame once."""
        return self._people.pop(number, [])

    def end(self) -> None:
        """Counts the boxes of frames that never came."""
        for frame, some in self._people.items():
            self._left.count(
                "box", "of a frame after its end", frame, number=len(some)
            )
        self._people = {}

    def nobody(self, frames: int) -> ValueError:
        """What to raise where no box is of one of so many frames."""
        self.end()
        return nobody(
            self._config, self._rows, self._left, _FRAME.format(frames)
        )


def _frame(row):
    frame = boxes_of.whole_number(row.get("frame"))
    if frame is None:
        raise boxes_of.Unfit("without a frame's number")
    if frame < 0:
        raise boxes_of.Unfit("whose frame is before 0, the first")
    return frame


def nobody(
    config: configs.PredictConfig,
    rows: list,
    left: left_out.LeftOut,
    of: str,
) -> ValueError:
    """What to raise where no box is left."""
    first = boxes_of.SHORT.repr(rows[0]) if rows else "none"
    return ValueError(
        f"No box belongs to {of}{left.ending()}. Received: "
        f"--boxes={config.boxes!r}, whose first row is {first}"
    )
