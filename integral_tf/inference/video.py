"""Videos through OpenCV: frames in, drawn frames out."""

import contextlib
import os
import pathlib
import struct

import cv2
import numpy as np

ENDINGS = {
    ".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".ts", ".webm", ".wmv",
}  # fmt: skip

# FFmpeg would write what it thinks of a broken file across the progress bar.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# ours: sound often ends a little after the last picture, and the length of a
# file is that of both.
_SECONDS_TO_SPARE = 0.5


class Reader:
    """The frames of a video, in order; close it, or use it in a `with`.

    Args:
        path: Path of a video.

    Attributes:
        rate: Frames per second: what the file says, or, where the times of
            its frames are others, as many as fill them.
        announced: Frames that the file says it has; 0 where it does not say.
            Some formats only estimate it.
        seconds: When the frame that was read last is to be seen.

    Iterating yields `(H, W, 3)` uint8 RGB frames.

    Raises:
        ValueError: it cannot be decoded. While iterating: it breaks off
            before its end, or changes its size.
    """

    def __init__(self, path):
        self.path = path
        self.capture = _opened(path)
        stated = self.capture.get(cv2.CAP_PROP_FPS)
        frames = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        # Without an index it is negative, or beyond all measure.
        frames = int(frames) if 0 < frames < 1e9 else 0
        self.rate = _rate(path, stated, frames)
        if not self.capture.isOpened() or not 0 < self.rate < 1e6:
            self.close()
            raise self._undecodable()
        # Where a file has no count, it is the length times the stated rate.
        self._length = frames / stated if stated > 0 else 0.0
        self._stated = frames
        self.announced = round(self._length * self.rate)
        self.seconds = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.capture.release()

    def __iter__(self):
        count, shape = 0, None
        while True:
            there, frame = self.capture.read()
            if not there:
                break
            shape = shape or frame.shape
            if frame.shape != shape:
                raise ValueError(
                    "The frames of a video are of one size; cut it where that "
                    f"changes. Received: {self.path}, frame {count} of "
                    f"{_size(frame.shape)} after {_size(shape)}"
                )
            seconds = self.capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some formats have no clock.
            later = seconds > self.seconds
            self.seconds = seconds if later else count / self.rate
            count += 1
            yield frame[..., ::-1]
        if not count:
            raise self._undecodable()
        # By its clock, too: at a rate that varies, the count is a guess.
        reached = max(self.seconds, count / self.rate)
        missing = self._length - reached > _SECONDS_TO_SPARE
        if missing and count < self._stated:
            raise ValueError(
                "The video breaks off before its end; copy it again, or "
                "let `ffmpeg -i BROKEN WHOLE.mp4` save what is there. "
                f"Received: {self.path}, {count} of {self.announced} frames"
            )

    def _undecodable(self):
        return ValueError(
            "OpenCV cannot decode the video: it is damaged or of a format "
            f"unknown here; an .mp4 with H.264 is known. Received: {self.path}"
        )


class Writer:
    """A video, written frame by frame.

    Args:
        path: Where it goes; it gets the ending of the format.
        rate: Frames per second.
        height, width: Of the frames, in pixels.

    Attributes:
        path: Path of the file.
    """

    def __init__(self, path, rate, height, width):
        # ours: by FFmpeg OpenCV cuts an odd size to an even one; by its own
        # Motion JPEG it does not.
        self.even = height % 2 == width % 2 == 0
        ending = ".mp4" if self.even else ".avi"
        self.path = pathlib.Path(path).with_suffix(ending)
        # MPEG-4 counts time in at most 65535 parts of a second.
        places = 3 if rate < 65 else 2 if rate < 655 else 0
        self.rate = rate = round(rate, places)
        self.count = 0
        with _quiet():
            self.video = cv2.VideoWriter(
                str(self.path),
                cv2.CAP_FFMPEG if self.even else cv2.CAP_OPENCV_MJPEG,
                cv2.VideoWriter_fourcc(*("mp4v" if self.even else "MJPG")),
                rate if self.even else max(1.0, rate),
                (width, height),
            )
        if not self.video.isOpened():
            raise OSError(
                "OpenCV cannot write the video here. "
                f"Received: {self.path}, {width} x {height} at {rate:g}/s"
            )

    def write(self, frame):
        """Appends a `(height, width, 3)` uint8 RGB frame."""
        self.video.write(frame[..., ::-1])
        self.count += 1

    def close(self):
        """Finishes the file.

        Raises:
            OSError: it does not have all of the frames.
        """
        self.video.release()
        if not self.even:
            _set_rate(self.path, self.rate)
        # OpenCV does not say when the disk is full.
        with _quiet():
            written = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        count = int(written.get(cv2.CAP_PROP_FRAME_COUNT))
        written.release()
        if count != self.count:
            raise OSError(
                "The drawn video could not be written whole; is the disk "
                f"full? Received: {self.path.name}, {max(count, 0)} of "
                f"{self.count} frames"
            )


def _opened(path, *settings):
    # Alone: the other readers take numbered names for lists of pictures.
    with _quiet():
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, settings)


def _rate(path, stated, frames):
    """Frames per second, by the file's word or by the frames' times.

    A browser's recording states the ticks of its clock.
    """
    # First by the packets, which costs next to nothing; where they contradict
    # the file, by the frames: some packets are not to be seen.
    for settings in ((cv2.CAP_PROP_FORMAT, -1), ()):
        times = _times(path, settings)
        if len(times) < 2 or times[0] == times[-1]:
            return stated
        span = times[-1] - times[0]
        if 0 < stated < 1e6:
            last = len(times) / stated - span  # how long the last is seen
            if 0 < last < 2 / stated or (last > 0 and len(times) == frames):
                return stated
    return float((len(times) - 1) / span)


def _times(path, settings):
    """When the frames of a video are to be seen, in seconds, ascending."""
    capture, times = _opened(path, *settings), []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    return np.sort(times)


@contextlib.contextmanager
def _quiet():
    """Without OpenCV's warnings; what is wrong, an exception says."""
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _set_rate(path, rate):
    """Puts the rate into an .avi, where OpenCV rounds it to a whole number."""
    with open(path, "r+b") as file:
        stream = file.read(4096).index(b"strh")
        file.seek(stream + 28)  # dwScale and dwRate of its header
        file.write(struct.pack("<II", 1000, round(1000 * rate)))


def _size(shape):
    return f"{shape[1]} x {shape[0]}"
