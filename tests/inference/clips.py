"""Films for the tests here: grey frames, written by OpenCV or by hand."""

import struct

import cv2
import numpy as np


def write(path, frames, rate=8, codec="MJPG"):
    """Writes RGB frames by OpenCV alone."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), rate, (width, height)
    )
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def greys(count, height=48, width=64):
    """Frames whose red grows by 8 each, green 0, blue 128."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = 8 * np.arange(count)[:, None, None]
    frames[..., 2] = 128
    return frames


def element(name, data):
    """An element of Matroska: its number in hexadecimal, its length, itself."""
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data


def write_at(path, frames, milliseconds, seconds=0.0, stated=0.0):
    """Writes a Matroska file by hand, each frame at a time of its own.

    Args:
        path: Path of the file.
        frames: RGB frames.
        milliseconds: When each is to be seen.
        seconds: Length that the file says it has; 0 says nothing.
        stated: Frames per second that it says; 0 says nothing, as browsers do.
    """
    height, width = frames[0].shape[:2]
    info = element("2AD7B1", struct.pack(">I", 1_000_000))  # ticks of 1 ms
    if seconds:
        info += element("4489", struct.pack(">d", 1000 * seconds))
    size = element("B0", struct.pack(">H", width))
    size += element("BA", struct.pack(">H", height))
    track = element("D7", b"\1") + element("73C5", b"\1") + element("83", b"\1")
    track += element("86", b"V_MJPEG") + element("E0", size)
    if stated:
        track += element("23E383", struct.pack(">I", round(1e9 / stated)))
    cluster = element("E7", b"\0")
    for frame, at in zip(frames, milliseconds):
        _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]))
        block = b"\x81" + struct.pack(">h", at) + b"\x80" + jpeg.tobytes()
        cluster += element("A3", block)
    whole = element("1549A966", info) + element(
        "1654AE6B", element("AE", track)
    )
    head = element("1A45DFA3", element("4282", b"matroska"))
    path.write_bytes(
        head + element("18538067", whole + element("1F43B675", cluster))
    )
    return path


def cut(path, share):
    """The first part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    return path
