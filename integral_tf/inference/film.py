"""The people of a film, frame by frame: `predict` of a video or a camera.

A film is a video's file, a camera or a stream.
"""

import contextlib
import dataclasses
import itertools
import json
import math
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np

from integral_tf import progress
from integral_tf import whole
from integral_tf.inference import addresses
from integral_tf.inference import answers as answers_of
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import encoding
from integral_tf.inference import left_out
from integral_tf.inference import live
from integral_tf.inference import placement
from integral_tf.inference import tracked
from integral_tf.inference import video
from integral_tf.inference import window

# File with a line per frame, beside the drawn film.
LINES = "joints.jsonl"
_SKIPPED = "that came while another was answered"


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


def is_film(images: str) -> bool:
    """Whether `--images` names a video's file, a camera or a stream."""
    if addresses.is_address(images):
        return True
    path = pathlib.Path(images)
    is_file = path.is_file() and path.suffix.lower() in video.ENDINGS
    return is_file or live.is_live(images)


def predict(config: Any, out: pathlib.Path) -> list[dict]:
    """Estimates, draws and writes the people of a film.

    If the film breaks off, or Ctrl-C ends the work, `out` receives the whole
    frames up to there, and then the error is raised. Without a whole frame
    nothing changes.

    Args:
        config: A `config.PredictConfig` whose `images` is a film.
        out: Folder to write.

    Returns:
        The list of the lines of `joints.jsonl`, one per frame; empty for a
        camera or a stream, which may last for days.

    Raises:
        video.BrokenOff: the film breaks off. Other errors are those of
            `predict.predict`.
        KeyboardInterrupt: Ctrl-C; its text says what is kept.
    """
    left = left_out.LeftOut()
    with contextlib.ExitStack() as stack:
        show = None
        if config.show:
            show = stack.enter_context(window.Window("integral-tf predict"))
        frames = stack.enter_context(_opened(config))
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
        follow = tracked.Tracked(config, answers, people)

        def answer(image, number):
            if config.tracks:
                return follow(image, number, frames.seconds)
            return answers(image, people and people.pop(number))

        answered = _answered(frames, answer, config.seconds)
        if config.smooth == "kalman":
            answered = _two_passes(config.images, answered, follow)
        with _Film(partial / _name(config.images), frames) as film:
            ended_by = _draw(film, answered, answers, show)
        if ended_by and not film.count:
            raise ended_by
        if people and not people.given and not ended_by:
            raise people.nobody(film.count)
    if people:
        people.end()
    left.count("frame", _SKIPPED, number=frames.skipped)
    left.count("pose", tracked.UNCLAIMED, number=follow.unclaimed)
    if not (ended_by or config.seconds or live.is_live(config.images)):
        if not frames.announced:
            print("the video does not say how many frames it has")
        elif frames.announced != film.count:
            print(f"the video announces {frames.announced} frames")
    left.say(answers.summary("frame"))
    for note in film.drawn.notes():
        print(note)
    print(f"video: {out / film.drawn.path.name}")
    print(f"joints: {out / LINES}")
    if ended_by:
        kept = answers_of.counted(film.count, "whole frame")
        raise type(ended_by)(_joined(ended_by, f"{kept} in {out}"))
    return film.lines


def _opened(config):
    """The `video.Reader` or the `live.Live` that `--images` names."""
    if not live.is_live(config.images):
        return video.Reader(config.images)
    if config.smooth == "kalman":
        raise ValueError(
            "--smooth=kalman reads a video's file twice; a camera or a stream "
            "is smoothed by --smooth=one_euro. Received: "
            f"--images={addresses.shown(config.images)}"
        )
    if config.boxes:
        raise ValueError(
            "Boxes are numbered by the frames of a file; in the frames of a "
            "camera or a stream --detector=FILE.onnx finds the people. "
            f"Received: --boxes={config.boxes!r}, "
            f"--images={addresses.shown(config.images)}"
        )
    frames = live.Live(config.images)
    ends = "q in the window or Ctrl-C" if config.show else "Ctrl-C"
    if not config.seconds:
        print(f"{ends} ends the film; --seconds=N would end it by itself.")
    return frames


def _name(images):
    """Name of the drawn film; that of an address may hold a password."""
    if addresses.is_address(images):
        return "stream"
    return (
        f"camera{images}" if live.is_live(images) else pathlib.Path(images).name
    )


def _draw(film, answered, answers, show):
    """Writes the frames one by one.

    Returns:
        The error that ended the work before the film's end, or None.
    """
    try:
        for image, frame in answered:
            picture = answers.draw(image, frame.answer)
            with whole.step():
                film.add(frame, picture)
                answers.count(frame.answer)
            if show and not show.show(picture):
                break
    except (video.BrokenOff, KeyboardInterrupt) as error:
        return error
    return None


def _answered(
    frames: Any,
    answer: Callable[[np.ndarray, int], answers_of.Answer],
    seconds: float,
) -> Iterator[tuple[np.ndarray, Frame]]:
    """Yields each frame's `(H, W, 3)` uint8 RGB pixels and its `Frame`.

    Args:
        frames: A `video.Reader` or a `live.Live`.
        answer: Takes pixels and the frame's number.
        seconds: Time from which frames are left out; 0 for none.
    """
    total = frames.announced or math.inf
    if seconds and frames.rate:
        total = min(total, math.ceil(seconds * frames.rate))
    total = total if math.isfinite(total) else None
    shown = progress.over(frames, "predict", total, unit="frames")
    for number, image in enumerate(shown):
        if seconds and frames.seconds >= seconds:
            return
        yield image, Frame(number, frames.seconds, answer(image, number))


def _two_passes(
    path: str,
    answered: Iterator[tuple[np.ndarray, Frame]],
    follow: tracked.Tracked,
) -> Iterator[tuple[np.ndarray, Frame]]:
    """Yields what `_answered` does, smoothed, from a second pass over the file.

    If the first pass ends early, so does the second, and then raises the error
    of the first.
    """
    kept, ended_by = [], None
    try:
        for _, frame in answered:
            kept.append(frame)
    except (video.BrokenOff, KeyboardInterrupt) as error:
        ended_by = error
        if kept:
            print(f"smoothing and drawing the {len(kept)} frames so far")
    smooth = follow.smoothed([frame.answer for frame in kept])
    with video.Reader(path) as again:
        whole_frames = itertools.islice(again, len(kept))
        shown = progress.over(whole_frames, "draw", len(kept), unit="frames")
        for image, frame, answer in zip(shown, kept, smooth):
            yield image, dataclasses.replace(frame, answer=answer)
    if ended_by:
        raise ended_by


def _joined(error, kept):
    said = str(error)
    return f"{said}; {kept}" if said else kept


class _Film:
    """The drawn film and the lines of its frames, being written.

    Args:
        path: Path of the drawn film, whose ending may change; the lines are
            written beside it.
        frames: The film that is read.

    Attributes:
        count: How many frames were written.
        lines: List of their lines; empty for a camera or a stream.
        drawn: The film's `encoding.writer`; None before the first frame.
    """

    def __init__(self, path, frames):
        self._path, self._rate = path, frames.rate
        self._is_endless = isinstance(frames, live.Live)
        self._file = open(path.with_name(LINES), "w")
        self.count, self.lines, self.drawn = 0, [], None

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
        line = frame.line()
        self._file.write(json.dumps(line) + "\n")
        self.count += 1
        if not self._is_endless:
            self.lines.append(line)
