"""Reads a picture in any usual form as `(H, W, 3)` uint8 RGB.

Files and Pillow images are read by `records.photographs`. Arrays, of any
library, must be RGB already. A guess about the range of their numbers gives a
warning, once per process.
"""

import functools
import os
import warnings
from typing import Any

import numpy as np
from PIL import Image

from integral_tf.records import photographs
from integral_tf.records import schema

_SENTENCE = (
    "A picture is a path, an image of Pillow's, or an array (height, width), "
    "(height, width, 1), 3 or 4 channels, RGB of 0..255, or floats of 0..1."
)


def are_several(pictures: Any) -> bool:
    """Whether this is a list, a tuple, a batch or an iterator of pictures."""
    if isinstance(pictures, (list, tuple)):
        return True
    is_file = isinstance(pictures, bytes) or hasattr(pictures, "read")
    if is_one(pictures) or is_file:  # later, `read` refuses an open file
        return False
    shape = getattr(pictures, "shape", None)
    return hasattr(pictures, "__iter__") if shape is None else len(shape) == 4


def is_one(picture: Any) -> bool:
    """Whether this is a path or a Pillow image."""
    return isinstance(picture, (str, os.PathLike, Image.Image))


def read(picture: Any, name: str = "image") -> np.ndarray:
    """Reads one picture.

    Args:
        picture: A path; a Pillow image, which is turned by its EXIF; or an
            array of any library: `(H, W)`, `(H, W, 1)`, `(H, W, 3)` or
            `(H, W, 4)`, whose transparency is dropped. Integers range over
            0..255, uint16 over 0..65535. Floats up to 1 are taken as 0..1,
            larger floats as 0..255.
        name: Name of the picture in messages.

    Returns:
        `(H, W, 3)` uint8 RGB.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: `picture` has another form, is damaged, or has numbers out
            of range.
    """
    try:
        if isinstance(picture, (str, os.PathLike)):
            return photographs.read(picture)
        if isinstance(picture, Image.Image):
            return photographs.of_pillow(picture)
    except schema.Dropped as reason:
        missing = str(reason) == "image file missing"
        kind = FileNotFoundError if missing else ValueError
        raise kind(
            f"The picture cannot be read: {reason}. "
            f"Received: {name}={reason.example}"
        ) from None
    return _of_array(picture, name)


def _of_array(picture, name):
    if isinstance(picture, (list, tuple, dict, bytes)) or (
        picture is None or hasattr(picture, "read")
    ):
        raise ValueError(
            f"{_SENTENCE} Received: {name}={type(picture).__name__}"
        )
    if hasattr(picture, "detach"):  # a PyTorch tensor, perhaps on a GPU
        picture = picture.detach().cpu()
    array = np.asarray(picture)
    said = f"Received: {name} of shape={array.shape}, dtype={array.dtype}"
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not array.size or channels not in (1, 3, 4):
        first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        remedy = " Put its channels last: `np.moveaxis(image, 0, -1)`."
        raise ValueError(f"{_SENTENCE}{remedy if first else ''} {said}")
    values = _to_uint8(array, said)
    if values.ndim == 2:
        values = values[..., None]
    if channels == 1:
        return np.repeat(values, 3, axis=2)
    return np.ascontiguousarray(values[..., :3])


def _to_uint8(array, said):
    """Converts an array to uint8, 0..255, or raises."""
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array
    if kind not in "iuf" and str(array.dtype) != "bfloat16":
        raise ValueError(f"{_SENTENCE} {said}")
    if array.dtype == np.uint16:  # the upper eight bits, as for files
        return (array >> 8).astype(np.uint8)
    if kind not in "iu":
        array = array.astype(np.float32)
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # written so that NaN fails, too
        raise ValueError(
            f"{_SENTENCE} Undo its normalisation first. "
            f"{said}, numbers from {low:g} to {high:g}"
        )
    if kind in "iu":
        return array.astype(np.uint8)
    if high > 1:
        _warn_once("Pictures of floats above 1 are taken for 0..255.")
        return np.round(array).astype(np.uint8)
    _warn_once("Pictures of floats up to 1 are taken for 0..1, not 0..255.")
    return np.minimum(array * np.float32(255.5), 255).astype(np.uint8)


@functools.cache
def _warn_once(text):
    warnings.warn(text, stacklevel=4)
