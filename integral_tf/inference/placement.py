"""Finds the photographs and boxes that flags name, and matches them."""

import collections
import math
import pathlib
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any

from integral_tf import checks
from integral_tf.inference import addresses
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import left_out
from integral_tf.records import ids

_FRAME = "any frame of the video, which has {}"
_UNKNOWN = "of an ending that is not read"


def photographs(
    images: str,
    endings: Collection[str],
    left: left_out.LeftOut,
    *,
    wanted: str,
) -> list[pathlib.Path]:
    """Lists the photographs that `--images` names.

    Args:
        images: Path of a photograph, with any ending, or of a folder.
        endings: Endings of photographs in a folder, in lower case.
        left: The `left_out.LeftOut` that counts a folder's other entries.
        wanted: What `--images` must be, for the message.

    Raises:
        FileNotFoundError: there is no photograph.
    """
    path = pathlib.Path(images)
    if images and path.is_file():
        return [path]
    paths = []
    for entry in sorted(path.iterdir()) if images and path.is_dir() else []:
        ending = entry.suffix.lower()
        if entry.is_dir():
            left.count("folder", "in the folder", entry.name)
        elif ending not in endings:
            left.count("file", _UNKNOWN, ending or entry.name)
        elif not entry.is_file():
            left.name("file", "not read: a pipe, or a broken link", entry)
        else:
            paths.append(entry)
    if not paths:
        what = "" if path.exists() else "There is no such file or folder. "
        raise FileNotFoundError(
            f"{what}`--images` is {wanted}. Received: "
            f"--images={addresses.shown(images)!r}"
            f"{left.ending()}"
        )
    return paths


def of_photographs(
    config: Any,
    rows: list,
    paths: list[pathlib.Path],
    categories: Sequence[int],
    left: left_out.LeftOut,
) -> dict[str, list[boxes_of.Person]]:
    """Matches the rows of a file of boxes with photographs.

    Args:
        config: Settings with `boxes`, the file's path, and `min_box_score`.
        rows: Rows from `boxes.read`.
        paths: Paths of the photographs, with different file names.
        categories: Numbers of the people's categories.
        left: The `left_out.LeftOut` that counts the other rows.

    Returns:
        Dict from a file name to a list of `boxes.Person`.

    Raises:
        ValueError: no row is of one of the photographs.
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

    people = boxes_of.sort(rows, place, categories, config.min_box_score, left)
    if not people:
        raise nobody(
            config, rows, left, f"any of the images, such as {paths[0].name}"
        )
    return people


def number_of(path: pathlib.Path) -> int | None:
    """The number that names a file, as COCO's files; None if a name does."""
    return int(path.stem) if path.stem.isdecimal() else None


def described(path: pathlib.Path, image_id: int | str | None) -> dict:
    """The keys of a COCO result that name its photograph.

    Args:
        path: Path of the photograph.
        image_id: The photograph's id; None takes the number that names the
            file, if any.

    Returns:
        Dict of `file_name`, and of `image_id` if there is one.
    """
    if image_id is None:
        image_id = number_of(path)
    known = {} if image_id is None else {"image_id": image_id}
    return {**known, "file_name": path.name}


class Frames:
    """The rows of a file of boxes, by the frames of a video.

    Args:
        config, rows, categories, left: As in `of_photographs`.
        announced: How many frames the video's file says it has; 0 if unknown.

    Attributes:
        given: How many boxes `pop` has returned.

    Raises:
        ValueError: no row is of one of the frames.
    """

    def __init__(
        self,
        config: Any,
        rows: list,
        announced: int,
        categories: Sequence[int],
        left: left_out.LeftOut,
    ) -> None:
        self._config, self._rows, self._left = config, rows, left
        self._people = boxes_of.sort(
            rows, _frame, categories, config.min_box_score, left
        )
        self.given = 0
        end = announced or math.inf
        if not any(frame < end for frame in self._people):
            raise self.nobody(announced)

    def pop(self, number: int) -> list[boxes_of.Person]:
        """Removes and returns the list of `boxes.Person` of a frame."""
        people = self._people.pop(number, [])
        self.given += len(people)
        return people

    def skip(self, number: int) -> None:
        """Counts the boxes of a frame between detections as left out."""
        people = self._people.pop(number, [])
        self._left.count(
            "box", "of a frame between detections", number=len(people)
        )

    def end(self) -> None:
        """Counts the boxes of frames after the video's end as left out."""
        for frame, people in self._people.items():
            self._left.count(
                "box", "of a frame after its end", frame, number=len(people)
            )
        self._people = {}

    def nobody(self, frames: int) -> ValueError:
        """The error if no box is of one of the video's `frames` frames."""
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
    config: Any,
    rows: list,
    left: left_out.LeftOut,
    of: str,
) -> ValueError:
    """The error if no box is left; `of` says what no box belongs to."""
    first = checks.SHORT.repr(rows[0]) if rows else "none"
    return ValueError(
        f"No box belongs to {of}{left.ending()}. Received: "
        f"--boxes={config.boxes!r}, whose first row is {first}"
    )
