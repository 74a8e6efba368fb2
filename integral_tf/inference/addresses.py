"""Addresses of streams and of videos elsewhere, and how they are printed."""

import pathlib
import re
import urllib.parse

# Protocols of FFmpeg that give frames.
PROTOCOLS = ("http", "https", "rtmp", "rtsp", "rtsps", "srt", "tcp", "udp")


def is_address(text: str) -> bool:
    """Whether a text is an address, as `rtsp://camera/live`."""
    protocol, colon, _ = str(text).partition("://")
    return bool(colon) and protocol.lower() in PROTOCOLS


def ending(address: str) -> str:
    """The ending of the file that an address names, in lower case, or ""."""
    path = urllib.parse.urlsplit(address).path
    return pathlib.PurePosixPath(path).suffix.lower()


def shown(text: str) -> str:
    """An address as it may be printed; any other text is as it is.

    A name and a password before the `@` become `***`, and so does everything
    after a `?`, where some cameras take the password.

    >>> shown("rtsp://user:password@camera/live?key=1")
    'rtsp://***@camera/live?***'
    """
    if "://" not in str(text):
        return str(text)
    # Greedy: a password may hold an `@` of its own.
    without = re.sub("://.+@", "://***@", str(text))
    return re.sub(r"\?.*", "?***", without)
