"""Drawn films: H.264 through PyAV if it is there, else MPEG-4 through OpenCV.

Browsers play H.264, and it keeps the time of each frame. OpenCV's own encoders
know neither.
"""

import contextlib
import fractions
import importlib
import os
import pathlib
import struct
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from integral_tf.inference import video

# Ticks of a second, in which H.264 counts the frames' times.
_TICKS = 90_000
# ours: a quality at which text and thin lines stay sharp, and a speed that is
# above that of most networks on the same processor.
_QUALITY = {"crf": "20", "preset": "veryfast"}
# ours: frames per second where the source states no rate.
_USUAL = 30.0


def writer(
    path: str | os.PathLike, rate: float | None, height: int, width: int
) -> Any:
    """Opens a film for writing: an `H264`, or without PyAV an `OpenCV`.

    Args:
        path: Path of the film; its ending is replaced by the format's.
        rate: Frames per second; None if nobody knows it before the end.
        height, width: Size of the frames in pixels.

    Raises:
        OSError: the film cannot be written here.
    """
    av = _encoder()
    if av is None:
        return OpenCV(path, rate, height, width)
    return H264(av, path, rate, height, width)


def _encoder() -> ModuleType | None:
    """PyAV, if it is there and was built with an encoder of H.264."""
    try:
        av = importlib.import_module("av")
        av.codec.Codec("libx264", "w")
    except (ImportError, ValueError):
        return None
    return av


class H264:
    """A film in H.264, written frame by frame, each at its own time.

    Args:
        av: The module of PyAV.
        path, rate, height, width: As in `writer`. Both sides of H.264 are
            even: an odd one is one pixel longer, a copy of the last.

    Attributes:
        path: Path of the written file, an .mp4.
        codec: What was written, in words.

    Raises:
        OSError: the film cannot be written here.
    """

    codec = "H.264"

    def __init__(
        self,
        av: ModuleType,
        path: str | os.PathLike,
        rate: float | None,
        height: int,
        width: int,
    ) -> None:
        self.path = pathlib.Path(path).with_suffix(".mp4")
        self._av, self._odd = av, (height % 2, width % 2)
        self._count, self._first, self._ticks = 0, 0.0, -1
        # The index stands first, so that a browser shows the film at once.
        self._file = av.open(
            str(self.path), "w", options={"movflags": "faststart"}
        )
        usual = fractions.Fraction(rate or _USUAL).limit_denominator(65535)
        stream = self._file.add_stream("libx264", usual, options=_QUALITY)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = fractions.Fraction(1, _TICKS)
        # With B-frames the container's length would not be that of its frames
        # where their rate varies (seen with FFmpeg 8).
        context.max_b_frames = 0
        self._stream = stream

    def write(self, frame: np.ndarray, seconds: float) -> None:
        """Appends a `(height, width, 3)` uint8 RGB frame, shown at its time."""
        if not self._count:
            self._first = seconds
        down, right = self._odd
        frame = np.pad(frame, ((0, down), (0, right), (0, 0)), "edge")
        picture = self._av.VideoFrame.from_ndarray(frame, "rgb24")
        # Times that stand still or go back get the next tick.
        ticks = round((seconds - self._first) * _TICKS)
        self._ticks = max(ticks, self._ticks + 1)
        picture.pts = self._ticks
        picture.time_base = fractions.Fraction(1, _TICKS)
        self._count += 1
        with self._said():
            self._file.mux(self._stream.encode(picture))

    def close(self) -> None:
        """Finishes the file.

        Raises:
            OSError: the file does not have all of the frames.
        """
        with self._said():
            self._file.mux(self._stream.encode(None))
            self._file.close()
        _check(self.path, self._count)

    def notes(self) -> list[str]:
        """Lines about what is not as in the source; here none."""
        return []

    @contextlib.contextmanager
    def _said(self):
        try:
            yield
        except OSError as error:
            raise OSError(
                f"The drawn video could not be written: {error.strerror}. "
                f"Received: {self.path.name}, {self._count} frames"
            ) from None


class OpenCV:
    """A film in MPEG-4 or Motion JPEG, written frame by frame, at one rate.

    Args:
        path, rate, height, width: As in `writer`.

    Attributes:
        path: Path of the written file, an .mp4 or an .avi.
        codec: What was written, in words.
        rate: Frames per second.

    Raises:
        OSError: OpenCV cannot write the film here.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        rate: float | None,
        height: int,
        width: int,
    ) -> None:
        # ours: OpenCV with FFmpeg crops an odd size to an even one; OpenCV's
        # own Motion JPEG does not, and its rate may be set at the end.
        self._jpeg = rate is None or height % 2 == 1 or width % 2 == 1
        self.codec = "Motion JPEG" if self._jpeg else "MPEG-4 Part 2"
        ending = ".avi" if self._jpeg else ".mp4"
        self.path = pathlib.Path(path).with_suffix(ending)
        self._is_known, rate = rate is not None, rate or _USUAL
        # MPEG-4 counts time in at most 65535 parts of a second.
        places = 3 if rate < 65 else 2 if rate < 655 else 0
        self.rate = rate = round(rate, places)
        self._count, self._first, self._last, self._off = 0, 0.0, 0.0, 0.0
        with video.quiet():
            self._video = cv2.VideoWriter(
                str(self.path),
                cv2.CAP_OPENCV_MJPEG if self._jpeg else cv2.CAP_FFMPEG,
                cv2.VideoWriter_fourcc(*("MJPG" if self._jpeg else "mp4v")),
                max(1.0, rate) if self._jpeg else rate,
                (width, height),
            )
        if not self._video.isOpened():
            raise OSError(
                "OpenCV cannot write the video here. "
                f"Received: {self.path}, {width} x {height} at {rate:g}/s"
            )

    def write(self, frame: np.ndarray, seconds: float | None = None) -> None:
        """Appends a `(height, width, 3)` uint8 RGB frame; notes its time.

        None stands for the time by the rate.
        """
        if seconds is None:
            seconds = self._first + self._count / self.rate
        if not self._count:
            self._first = seconds
        self._last = seconds - self._first
        off = abs(self._last - self._count / self.rate)
        self._off = max(self._off, off)
        self._video.write(frame[..., ::-1])
        self._count += 1

    def close(self) -> None:
        """Finishes the file.

        Raises:
            OSError: the file does not have all of the frames.
        """
        self._video.release()
        if not self._is_known and self._last > 0:
            self.rate = round((self._count - 1) / self._last, 3)
        if self._jpeg:
            _set_rate(self.path, self.rate)
        _check(self.path, self._count)

    def notes(self) -> list[str]:
        """Lines about what is not as in the source, and what would help."""
        helps = "`pip install integral_tf[video]` (PyAV) gives H.264"
        notes = [f"codec: {self.codec}, which browsers do not play; {helps}"]
        if not self._is_known or self._off > 1 / self.rate:
            notes.append(
                "the drawn video has one rate, the mean of "
                f"{self.rate:g} frames a second; H.264 would keep the time of "
                "each frame, as joints.jsonl does"
            )
        return notes


def _check(path, wanted):
    """Raises an error unless a film can be read and has all of its frames."""
    # OpenCV does not raise when the disk is full.
    with video.quiet():
        written = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count = int(written.get(cv2.CAP_PROP_FRAME_COUNT))
    written.release()
    if count != wanted:
        raise OSError(
            "The drawn video could not be written whole; is the disk "
            f"full? Received: {path.name}, {max(count, 0)} of "
            f"{wanted} frames"
        )


def _set_rate(path, rate):
    """Writes the rate into an .avi; OpenCV rounds it to a whole number."""
    with open(path, "r+b") as file:
        stream = file.read(4096).index(b"strh")
        file.seek(stream + 28)  # dwScale and dwRate of its header
        file.write(struct.pack("<II", 1000, round(1000 * rate)))
