"""Cameras and streams: frames that do not wait, with the time they came."""

import glob
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from integral_tf.inference import addresses
from integral_tf.inference import video


def is_live(images: str) -> bool:
    """Whether `--images` is a camera's number or the address of a stream.

    An address over HTTP that ends as a video's file does is that file.
    """
    if addresses.is_address(images):
        return not is_remote_file(images)
    # A file or a folder may have a number for its name.
    is_number = images.isdecimal() and len(images) <= 3
    return is_number and not pathlib.Path(images).exists()


def is_remote_file(images: str) -> bool:
    """Whether `--images` is the address of a video's file."""
    return (
        addresses.is_address(images)
        and images.lower().startswith("http")
        and addresses.ending(images) in video.ENDINGS
    )


class Live:
    """The frames of a camera or a stream; close it, or use it in a `with`.

    The frame yielded is always the newest: those that come while another is
    answered are counted, not kept, so that the answers do not fall behind.

    Args:
        source: Number of a camera, or the address of a stream, as texts.

    Attributes:
        rate: None, because nobody knows it before the end.
        announced: 0, because there is no end.
        seconds: Time in seconds at which the last frame yielded came, after
            the first one.
        skipped: How many frames, after the first one yielded, came while
            another was answered.

    Iterating yields `(H, W, 3)` uint8 RGB frames.

    Raises:
        OSError: the camera or the stream cannot be opened.
        video.BrokenOff: While iterating: no more frames come, or their size
            changes.
    """

    rate, announced = None, 0

    def __init__(self, source: str) -> None:
        self._source = source
        self.seconds, self.skipped = 0.0, 0
        self._state = threading.Condition()
        self._newest: tuple[float, np.ndarray] | None = None
        self._is_open = self._is_closed = self._has_ended = False
        # Ctrl-C would wait for a read that waits for the network.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        with self._state:
            while not (self._is_open or self._has_ended):
                self._state.wait(1.0)
        if not self._is_open:
            raise self._unopened()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._is_closed = True
        self._reader.join(1.0)

    def __iter__(self) -> Iterator[np.ndarray]:
        first, size = None, None
        while True:
            with self._state:
                at, frame = self._newest or self._next()
                self._newest = None
                if first is None:  # Others came while the model was loaded.
                    self.skipped = 0
            first, size = first or at, size or frame.shape
            if frame.shape != size:
                raise video.BrokenOff(
                    "The frames change their size; start again. "
                    f"Received: --images={addresses.shown(self._source)}"
                )
            self.seconds = at - first
            yield frame[..., ::-1]

    def _next(self):
        """Waits for a frame, under the lock; returns its time and itself."""
        until = time.monotonic() + video.PATIENCE
        while not self._newest:
            left = until - time.monotonic()
            if self._has_ended or left <= 0:
                raise video.BrokenOff(
                    "No more frames come. Received: "
                    f"--images={addresses.shown(self._source)}"
                )
            self._state.wait(left)
        return self._newest

    def _read(self):
        """Reads frames in a thread of its own, until the end."""
        try:
            with video.quiet():
                capture = self._capture()
            with self._state:
                self._is_open = capture.isOpened()
                self._state.notify()
            while self._is_open and not self._is_closed:
                there, frame = capture.read()
                if not there:
                    break
                with self._state:
                    self.skipped += self._newest is not None
                    self._newest = time.monotonic(), frame
                    self._state.notify()
            capture.release()
        except cv2.error:
            pass  # as no more frames
        finally:
            with self._state:
                self._has_ended = True
                self._state.notify()

    def _capture(self):
        if self._source.isdecimal():
            return cv2.VideoCapture(int(self._source))
        return video.opened(self._source)

    def _unopened(self):
        shown = addresses.shown(self._source)
        if not self._source.isdecimal():
            return OSError(
                "The stream cannot be opened: nothing answers at its address "
                f"within {video.PATIENCE:g} s, another name or password is "
                "wanted, or its format is unknown here. "
                f"Received: --images={shown}"
            )
        there = ", ".join(sorted(glob.glob("/dev/video*"))) or "none"
        return OSError(
            "The camera cannot be opened: there is none of that number, "
            "another program has it, or this user may not read it. Cameras in "
            f"/dev: {there}. Received: --images={shown}"
        )
