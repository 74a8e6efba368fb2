"""Videos through OpenCV, frame by frame."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from integral_tf import former
from integral_tf.inference import addresses
from integral_tf.records import photographs

ENDINGS = photographs.VIDEO_ENDINGS

# FFmpeg's messages about a broken file would break the progress bar.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# ours: a file's length includes its sound, which often ends a little after the
# last frame.
_SECONDS_TO_SPARE = 0.5
# ours: seconds in which an address must answer, and give the next frame.
PATIENCE = 10.0


class BrokenOff(ValueError):
    """No more frames of a video can be read, though it has more."""


class Reader:
    """The frames of a video, in order; close it, or use it in a `with`.

    Args:
        path: Path or address of a video's file.

    Attributes:
        rate: Frames per second, as the file states it; if the times of the
            frames contradict that, their mean rate.
        announced: How many frames the file says it has, in some formats an
            estimate; 0 if unknown.
        seconds: Time in seconds at which the last frame yielded is shown.
        skipped: 0; a file waits for whoever reads it.

    Iterating yields `(H, W, 3)` uint8 RGB frames.

    Raises:
        ValueError: the video cannot be decoded.
        BrokenOff: While iterating: the video breaks off before its end, or the
            frames change their size.
    """

    skipped = 0

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = addresses.shown(str(path))
        self.capture = opened(path)
        stated = self.capture.get(cv2.CAP_PROP_FPS)
        frames = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        # Without an index the count is negative or absurdly large.
        frames = int(frames) if 0 < frames < 1e9 else 0
        self.rate = _rate(path, stated, frames)
        if not self.capture.isOpened() or not 0 < self.rate < 1e6:
            self.close()
            raise self._undecodable()
        # If the file has no count, OpenCV gives length times stated rate.
        self._length = frames / stated if stated > 0 else 0.0
        self._stated = frames
        self.announced = round(self._length * self.rate)
        self.seconds = 0.0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.capture.release()

    def __iter__(self) -> Iterator[np.ndarray]:
        # The frame that waits until the next one is read: at the point where
        # a file is cut, the decoder may give a part of a frame as a frame.
        waiting, reached, count = None, 0.0, 0
        for frame, seconds in self._decoded():
            if waiting is not None:
                self.seconds = reached
                yield waiting
                if frame.shape != waiting.shape:
                    raise BrokenOff(
                        "The frames of a video are of one size; cut it where "
                        f"that changes. Received: {self.path}, frame {count} "
                        f"of {_size(frame.shape)} after {_size(waiting.shape)}"
                    )
            waiting, reached, count = frame, seconds, count + 1
        if waiting is None:
            raise self._undecodable()
        # Also by the times: at a varying rate the count is an estimate.
        end = max(reached, count / self.rate)
        missing = self._length - end > _SECONDS_TO_SPARE
        if missing and count < self._stated:
            raise BrokenOff(
                "The video breaks off before its end; copy it again, or "
                "let `ffmpeg -i BROKEN WHOLE.mp4` save what is there. "
                f"Received: {self.path}, {count} of {self.announced} frames"
            )
        self.seconds = reached
        yield waiting

    def _decoded(self):
        """Yields the frames as RGB, each with its time in seconds."""
        count, before = 0, 0.0
        while True:
            there, frame = self.capture.read()
            if not there:
                return
            seconds = self.capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some formats have no time of a frame.
            before = seconds if seconds > before else count / self.rate
            count += 1
            yield frame[..., ::-1], before

    def _undecodable(self):
        if addresses.is_address(self.path):
            return ValueError(
                "The video cannot be read from its address: nothing answers "
                f"there within {PATIENCE:g} s, or it is no video. "
                f"Received: {self.path}"
            )
        return ValueError(
            "OpenCV cannot decode the video: it is damaged or of a format "
            f"unknown here; an .mp4 with H.264 is known. Received: {self.path}"
        )


def opened(path: str | os.PathLike, *settings: int) -> cv2.VideoCapture:
    """Opens a video or a stream.

    Args:
        path: Path, or address.
        *settings: Numbers of OpenCV's properties, each before its value.
    """
    if addresses.is_address(str(path)):
        for limit in (
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        ):
            settings += (limit, round(1000 * PATIENCE))
    # FFmpeg only: OpenCV's other readers take a numbered name for the first
    # of a list of pictures.
    with quiet():
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, settings)


def _rate(path, stated, frames):
    """Frames per second: the stated rate, unless the frames' times differ.

    A browser's recording states the ticks of its clock as its rate.
    """
    # First by the times of packets, which are fast to read. If they contradict
    # the stated rate, by the times of frames: some packets are not shown.
    for settings in ((cv2.CAP_PROP_FORMAT, -1), ()):
        times = _times(path, settings)
        if len(times) < 2 or times[0] == times[-1]:
            return stated
        span = times[-1] - times[0]
        if 0 < stated < 1e6:
            last = len(times) / stated - span  # how long the last is shown
            if 0 < last < 2 / stated or (last > 0 and len(times) == frames):
                return stated
    return float((len(times) - 1) / span)


def _times(path, settings):
    """Times in seconds at which the frames are shown, ascending."""
    capture, times = opened(path, *settings), []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    return np.sort(times)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences OpenCV's warnings; errors are raised as exceptions."""
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _size(shape):
    return f"{shape[1]} x {shape[0]}"


__getattr__ = former.names(__name__)
