"""Reads photographs from disk, for records and for predictions.

A photograph is turned by its EXIF orientation, as every viewer shows it. Other
pixels become 0..255 as in TensorFlow: the upper eight of 16 bits
(`tf.io.decode_image`), and floats in 0..1 times 255
(`tf.image.convert_image_dtype`). Transparency is ignored.
"""

import contextlib
import functools
import os
import pathlib
import threading

import numpy as np
import PIL
from PIL import Image

from integral_tf.records import schema

# Of files that are read out of a folder.
ENDINGS = frozenset(".bmp .gif .jfif .jpeg .jpg .png .tif .tiff .webp".split())
VIDEO_ENDINGS = frozenset(
    ".3gp .avi .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ts .webm .wmv".split()
)
# ours: the largest number of pixels. Pillow's limit is 178 million. That of
# TensorFlow is 2**29: a file of two megabytes can reach it, and fill a server's
# memory.
LARGEST = 2**28
# ours: labelling tools show a photograph upright, so labels are in that frame.
UNTOLD = (
    "photograph turned as its EXIF says; its size does not tell in which frame "
    "it was labelled"
)
# The pictures are a GIF's frames or a TIFF's pages.
OF_SEVERAL = "of several pictures, of which the first is read"
FIRST = f"file {OF_SEVERAL}"
OUTSIDE = "image file outside the folder of images, by its name or a link"

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {**_TURNS, 6: _TURNS[8], 8: _TURNS[6]}
_BITS, _SAMPLE_FORMAT, _SIGNED = 258, 339, 2  # of a TIFF
_PART = 2**22  # pixels
_lock, _readers, _limit = threading.Lock(), 0, None


def is_within(path, folder):
    """Whether a path is inside a folder, by its name and after its links.

    The folder itself may be a link. A link inside it must not lead out of it:
    the photograph that it leads to would become part of the records.
    """
    root = os.path.join(os.path.abspath(folder), "")
    if not os.path.abspath(path).startswith(root):
        return False
    try:
        return os.path.realpath(path).startswith(_real(root))
    except ValueError:  # a name that no file has, such as one with a zero
        return False


@functools.lru_cache(maxsize=16)
def _real(folder):
    return os.path.join(os.path.realpath(folder), "")


def read(path):
    """Reads a photograph as `(H, W, 3)` uint8 RGB, as every viewer shows it.

    Raises:
        schema.Dropped: the file is missing, empty, damaged or no picture, has
            pixels without a known white, or more than `LARGEST` pixels.
    """
    return read_labelled(path)[0]


def read_labelled(path, size=None):
    """Reads a photograph in the frame in which it was labelled.

    Args:
        path: Path of the file.
        size: `(width, height)` in the file of labels, or None. If only the
            stored frame, before the EXIF turn, has this size, the labels are
            in the stored frame, and the photograph is not turned.

    Returns:
        `(H, W, 3)` uint8 RGB, and notes for `schema.Person`: `UNTOLD` if both
        frames have this size or `size` is None, and `FIRST` if the file has
        more pictures.

    Raises:
        schema.Dropped: as in `read`, or the photograph has another size than
            `size`.
    """
    with _reasons(path), _any_size():
        with Image.open(path) as image:
            _check_size(path, image.size)
            _load_png(image)
            orientation = _orientation(image)
            more = (FIRST,) * _has_more(image)
            picture = _rgb(image)
            _check_whole(path, image)
            # Pillow turns a TIFF while reading, and deletes its orientation.
            is_shown = _orientation(image) != orientation
    shown = picture
    if not is_shown and orientation in _TURNS:
        shown = picture.transpose(_TURNS[orientation])
    if orientation not in _TURNS:
        notes, is_labelled = (), size in (None, shown.size)
    else:
        stored = shown.size if orientation < 5 else shown.size[::-1]
        is_untold = size is None or size == stored == shown.size
        notes = (UNTOLD,) * is_untold
        is_labelled = is_untold or size == shown.size
        if not is_labelled and size == stored:
            back = shown.transpose(_BACK[orientation]) if is_shown else picture
            return _array(back), more
    if not is_labelled:
        raise schema.Dropped(
            "image of another size than annotated",
            f"{path}: {shown.size[0]} x {shown.size[1]}, annotated as "
            f"{size[0]} x {size[1]}",
        )
    return _array(shown), (*notes, *more)


def shown_size(path):
    """Width and height of a photograph after its EXIF turn, from its header.

    Raises:
        schema.Dropped: as in `read`, for faults that the header shows.
    """
    with _reasons(path), _any_size():
        with Image.open(path) as image:
            _check_size(path, image.size)
            size = image.size
            return size[::-1] if _orientation(image) in (5, 6, 7, 8) else size


def of_pillow(image):
    """`read` for an open Pillow image.

    Raises:
        schema.Dropped: as in `read`.
    """
    name = str(getattr(image, "filename", "") or "an image of Pillow's")
    with _reasons(name, is_file=False):
        _check_size(name, image.size)
        _load_png(image)
        orientation = _orientation(image)
        picture = _rgb(image)
        # Pillow turns a TIFF when it reads it.
        if _orientation(image) == orientation and orientation in _TURNS:
            picture = picture.transpose(_TURNS[orientation])
    return _array(picture)


def _array(picture):
    """A Pillow image of 8 bits as an array of RGB, by parts.

    `convert` and `np.asarray` would take the memory of four arrays.
    """
    is_clear = picture.mode == "P" and "transparency" in picture.info
    array = np.empty((picture.height, picture.width, 3), np.uint8)
    rows = max(_PART // picture.width, 1)
    for first in range(0, picture.height, rows):
        last = min(first + rows, picture.height)
        part = picture.crop((0, first, picture.width, last))
        # Through RGBA, because Pillow would warn of lost transparency.
        part = part.convert("RGBA") if is_clear else part
        array[first:last] = np.asarray(part.convert("RGB"))
    return array


def _rgb(image):
    """A Pillow image as one whose `convert("RGB")` has 0..255."""
    bits, is_signed = 16, False
    if image.format == "TIFF":
        bits = int(np.ravel(image.tag_v2.get(_BITS, 8))[0])
        kind = int(np.ravel(image.tag_v2.get(_SAMPLE_FORMAT, 1))[0])
        is_signed = kind == _SIGNED
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image), nan=0.0)
        if values.max() > 1:
            raise schema.Dropped("image of floats beyond 0..1")
        # As in TensorFlow: 256 equal steps.
        levels = np.clip(values * np.float32(255.5), 0, 255)
    elif image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image)
        if bits == 32 and not is_signed:
            values = values.view(np.uint32)
        levels = np.maximum(values, 0) >> max(bits - 8 - is_signed, 0)
    else:
        image.load()
        return image
    return Image.fromarray(levels.astype(np.uint8))


def _load_png(image):
    """Reads a PNG's pixels, which may stand before its EXIF.

    Pillow raises a decoder's error only once: in `_orientation` it is lost.
    """
    if image.format == "PNG":
        image.load()


def _check_whole(path, image):
    """Refuses a PNG whose data end before its last line.

    Pillow leaves the other pixels as they were: 0, or here, what is laid under
    them. An interlaced PNG ends with the last odd line.
    """
    if image.format != "PNG":
        return
    last = [(image.width - 1, y) for y in range(image.height)[-2:]]
    found = [image.getpixel(place) for place in last]
    if all(map(np.any, found)):
        return
    with Image.open(path) as again:
        again.im = Image.new(again.mode, again.size, 255).im
        again.load()
        if found != [again.getpixel(place) for place in last]:
            raise schema.Dropped(
                "image truncated or damaged",
                f"{path}: its data end before its last line",
            )


def _has_more(image):
    """Whether a file has several pictures, such as an animation.

    A telephone's MPO does not count: its further pictures are auxiliary.
    """
    if image.format == "MPO":
        return False
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # of many kinds; the first picture may be undamaged
        return False
    finally:
        image.seek(0)


def _orientation(image):
    """The EXIF orientation; 1 if it is missing or unreadable."""
    try:
        return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # of many kinds; the picture may still be undamaged
        return 1


def _check_size(path, size):
    width, height = size
    if width * height > LARGEST:
        raise schema.Dropped(
            f"image of more than {LARGEST:,} pixels",
            f"{path}: {width} x {height}",
        )


@contextlib.contextmanager
def _reasons(path, is_file=True):
    """Turns any exception of reading a file into `schema.Dropped`."""
    try:
        file = pathlib.Path(path)
        # Reading a pipe would block.
        if is_file and file.exists() and not file.is_file():
            raise schema.Dropped("image path is no file", path)
        if is_file and file.exists() and not file.stat().st_size:
            raise schema.Dropped("image file empty", path)
        yield
    except schema.Dropped as reason:
        raise schema.Dropped(str(reason), reason.example or path) from None
    except FileNotFoundError:
        raise schema.Dropped("image file missing", path) from None
    except PermissionError:
        raise schema.Dropped("image file not permitted", path) from None
    except PIL.UnidentifiedImageError:
        raise schema.Dropped(
            "image file is no picture that Pillow reads", path
        ) from None
    except MemoryError:
        raise schema.Dropped("image too large for the memory", path) from None
    except Exception as error:  # decoders raise of many kinds
        raise schema.Dropped(
            "image truncated or damaged",
            f"{path}: {type(error).__name__}: {error}",
        ) from None


@contextlib.contextmanager
def _any_size():
    """Lifts Pillow's limit, which is one for the process, while reading."""
    global _readers, _limit
    with _lock:
        if not _readers:
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _readers += 1
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if not _readers:
                Image.MAX_IMAGE_PIXELS = _limit
