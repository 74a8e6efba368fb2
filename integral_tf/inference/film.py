"""The people of a film, frame by frame: `predict` of a video."""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from integral_tf import progress
from integral_tf import whole
from integral_tf.inference import answers as answers_of
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import encoding
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.inference import video

# File with a line per frame, beside the drawn film.
LINES = "joints.jsonl"


@dataclasses.dataclass(eq=False)
class Frame:
    """The answer to one frame, without its pixels.

    Attributes:
        number: Number of the frame, from 0.
        seconds: Time at which the frame is shown.
        answer: The `answers.Answer`.
    """

    number: int
    seconds: float
    answer: answers_of.Answer

    def line(self) -> dict[str, Any]:
        """The frame's line of `joints.jsonl`."""
        return {
            "frame": self.number,
            "seconds": round(self.seconds, 4),
            "people": self.answer.rows(),
        }


def predict(config: Any, out: pathlib.Path) -> list[dict]:
    """Estimates, draws and writes the people of a video.

    If the video breaks off, or Ctrl-C ends the work, `out` receives the whole
    frames up to there, and then the error is raised. Without a whole frame
    nothing changes.

    Args:
        config: A `config.PredictConfig` whose `images` is a video.
        out: Folder to write.

    Returns:
        The list of the lines of `joints.jsonl`, one per frame.

    Raises:
        video.BrokenOff: the video breaks off. Other errors are those of
            `predict.predict`.
        KeyboardInterrupt: Ctrl-C; its text says what is kept.
    """
    left = left_out.LeftOut()
    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(video.Reader(config.images))
        rows, people = None, None
        if config.boxes:
            rows = boxes_of.read(config.boxes, "frame")
        answers = answers_of.Answers(config)
        if rows is not None:
            categories = answers.skeleton.categories
            people = placement.Frames(
                config, rows, frames.announced, categories, left
            )
        partial = stack.enter_context(whole.folder(out))
        film = _Film(partial / pathlib.Path(config.images).name, frames.rate)
        with film:
            ended_by = _draw(film, frames, answers, people)
        if ended_by and not film.lines:
            raise ended_by
        if people and not answers.people and not ended_by:
            raise people.nobody(len(film.lines))
    if people:
        people.end()
    if 0 < frames.announced != len(film.lines):
        print(f"the video announces {frames.announced} frames")
    left.say(answers.summary("frame"))
    for note in film.drawn.notes():
        print(note)
    print(f"video: {out / film.drawn.path.name}")
    print(f"joints: {out / LINES}")
    if ended_by:
        kept = answers_of.counted(len(film.lines), "whole frame")
        raise type(ended_by)(_joined(ended_by, f"{kept} in {out}"))
    return film.lines


def _draw(film, frames, answers, people):
    """Writes the frames one by one.

    Returns:
        The error that ended the work before the film's end, or None.
    """
    try:
        for image, frame in _answered(frames, answers, people):
            picture = answers.draw(image, frame.answer)
            with whole.step():
                film.add(frame, picture)
                answers.count(frame.answer)
    except (video.BrokenOff, KeyboardInterrupt) as error:
        return error
    return None


def _answered(
    frames: Any, answers: answers_of.Answers, people: Any
) -> Iterator[tuple[np.ndarray, Frame]]:
    """Yields each frame's `(H, W, 3)` uint8 RGB pixels and its `Frame`."""
    shown = progress.over(
        frames, "predict", frames.announced or None, unit="frames"
    )
    for number, image in enumerate(shown):
        answer = answers(image, people and people.pop(number))
        yield image, Frame(number, frames.seconds, answer)


def _joined(error, kept):
    said = str(error)
    return f"{said}; {kept}" if said else kept


class _Film:
    """The drawn video and the lines of its frames, being written.

    Args:
        path: Path of the drawn video, whose ending may change; the lines are
            written beside it.
        rate: Frames per second.

    Attributes:
        lines: List of the lines so far.
        drawn: The film's `encoding.writer`; None before the first frame.
    """

    def __init__(self, path, rate):
        self._path, self._rate = path, rate
        self._file = open(path.with_name(LINES), "w")
        self.lines, self.drawn = [], None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with whole.step():
            self._file.close()
            if self.drawn and kind is None:
                self.drawn.close()

    def add(self, frame, picture):
        """Appends a frame's `(H, W, 3)` uint8 RGB drawing and its line."""
        if not self.drawn:
            self.drawn = encoding.writer(
                self._path, self._rate, *picture.shape[:2]
            )
        self.drawn.write(picture, frame.seconds)
        self.lines.append(frame.line())
        self._file.write(json.dumps(self.lines[-1]) + "\n")
